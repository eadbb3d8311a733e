/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_COMPLETE_H
#define VMM_COMPLETE_H

/*
 * Completing an instruction that the host's KVM lacks: a vCPU's registers and memory, as
 * kvm/emulate.h wants to have them, and back. On the vCPU's thread, after KVM_RUN returned.
 */

#include "kvm/vcpu.h"

/*
 * Completes the instruction at CS:RIP, after KVM gave up with KVM_INTERNAL_ERROR_EMULATION.
 *   0            done, or it faults, and the guest will see that
 *   -EOPNOTSUPP  not an instruction that can be completed here; nothing changed
 *   -errno       an ioctl failed (said)
 */
int complete_instruction(struct vcpu *vcpu);

#endif
