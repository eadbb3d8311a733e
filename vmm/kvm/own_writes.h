/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OWN_WRITES_H
#define VMM_OWN_WRITES_H

/*
 * What a CPU writes of its own accord, to memory that the guest may only read: accessed flags of
 * segment descriptors (Intel SDM 3, 3.4.5.1), accessed and dirty flags of paging-structure entries
 * (4.8), the busy flag of a TSS (8.2.2), and registers at a task switch (8.3).
 *
 * KVM cannot make such a write to a read-only memory slot. For an accessed flag of a descriptor it
 * enters the guest again and again, and returns to user space only for a signal, which the timer of
 * kvm/cpu_timer.h sends. own_writes_complete() then sets the flags that the CPU is about to set, in
 * host memory, which is writable.
 */

#include <stdbool.h>

#include "kvm/vcpu.h"

/* Sets the flags that the next instruction, or the interrupt or exception that is being delivered,
 * makes the CPU set in read-only memory. Reports an interrupt or exception whose frame would be
 * pushed there, which KVM tries to deliver for ever. On the vCPU's thread, after KVM_RUN returned
 * with EINTR. */
void own_writes_complete(struct vcpu *vcpu);

/* Handles an exit for a store of len bytes to read-only memory if it was the CPU's own: completes
 * that of LTR's busy flag, and reports that of a paging-structure entry. Returns false if it was
 * the guest's. On the vCPU's thread. */
bool own_writes_handle_store(struct vcpu *vcpu, uint64_t gpa, const uint8_t *data, unsigned len);

/* Reports what KVM gave up since it cannot write to read-only memory: a task switch that saves to a
 * TSS there, or an exception or interrupt whose frame goes there. Returns false if it was something
 * else. On the vCPU's thread, after KVM_EXIT_INTERNAL_ERROR. */
bool own_writes_report(struct vcpu *vcpu);

#endif
