/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_COMPLETE_H
#define VMM_COMPLETE_H

/*
 * Completes an instruction that the host's KVM lacks: passes a vCPU's registers and memory to
 * kvm/emulate.h and sets the results. Called on the vCPU's thread, after KVM_RUN returned.
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
