/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXITS_H
#define VMM_EXITS_H

/*
 * Handles the exits of KVM.
 */

#include "kvm/vcpu.h"

/* Handles the exit that vcpu->run describes, after KVM_RUN returned 0; counted and logged. May end
 * the machine. On the vCPU's thread. */
void handle_exit(struct vcpu *vcpu);

#endif
