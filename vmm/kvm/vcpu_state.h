/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_STATE_H
#define VMM_VCPU_STATE_H

/*
 * What a vCPU does and what can interrupt it, as KVM keeps it.
 *
 * Each call waits until the vCPU's thread has left KVM_RUN: it is called on that thread, or while
 * the thread is paused or has ended.
 */

#include "cpu/cpu_state.h"
#include "kvm/vcpu.h"

/* Returns what the vCPU does; CPU_UNKNOWN if KVM does not tell (said). */
enum cpu_activity vcpu_activity_now(const struct vcpu *vcpu);

/* Sets *state. has_lapic: the VM has local APICs in the kernel. tsc_khz is the frequency of the
 * vCPU's TSC; 0: unknown. Returns 0 or -errno (said). */
int vcpu_read_state(
	const struct vcpu *vcpu, bool has_lapic, uint32_t tsc_khz, struct cpu_state *state);

#endif
