/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_TRANSFER_H
#define VMM_KVM_TRANSFER_H

/*
 * The state of a VM of KVM, and of a vCPU, in a stream: what KVM's ioctls give and take (KVM API,
 * section 4). KVM validates what comes from a stream, and a refusal is said like any failed call.
 *
 * A vCPU goes on only on a processor that has what its guest knows of it: the features of CPUID and
 * the frequency of the time-stamp counter are compared.
 */

#include "cpu/engine.h"
#include "kvm/kvm.h"
#include "kvm/vcpu.h"

struct snapshot_stream;

/* Transfers what all vCPUs share: the features of the processor, KVM's clock, and, with
 * ENGINE_IRQCHIP_PC, interrupt controllers and timer. Before the vCPUs. No vCPU executes. Returns 0
 * or -errno (said); the caller looks at snapshot_failed() as well. */
int kvm_transfer_vm(struct kvm *kvm, enum engine_irqchip irqchip, uint32_t tsc_khz,
	struct snapshot_stream *stream);

/* Transfers a vCPU that is paused or not started yet. Returns as kvm_transfer_vm(). */
int kvm_transfer_vcpu(struct vcpu *vcpu, bool has_lapic, struct snapshot_stream *stream);

#endif
