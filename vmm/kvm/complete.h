/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_COMPLETE_H
#define VMM_COMPLETE_H

/*
 * The way of a vCPU through an instruction that the host's KVM lacks: its registers and its memory,
 * as kvm/emulate.h wants to have them, and back. On the vCPU's thread, after KVM_RUN returned.
 */

#include <stddef.h>
#include <stdint.h>

#include "kvm/vcpu.h"

/* Copy guest memory from a linear address on, as this vCPU's paging has it; sregs are its own.
 * Returns how many bytes there are before a page that is not there: len at most. */
size_t linear_read(
	struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t linear, void *dst, size_t len);

/*
 * KVM gave up with KVM_INTERNAL_ERROR_EMULATION: complete the instruction at CS:RIP.
 *   0            done, or it faults, and the guest will see that
 *   -EOPNOTSUPP  not an instruction that can be completed here; nothing changed
 *   -errno       an ioctl failed (said)
 */
int complete_instruction(struct vcpu *vcpu);

#endif
