/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_RULES_H
#define VMM_KVM_RULES_H

#include "sandbox/rules.h"

/* Permits the system calls that KVM needs while guest code runs: requests to this VM's descriptor,
 * and to its vCPUs', which are from first_vcpu to last_vcpu; and the timers of their threads. */
void kvm_rules_add(struct rules *rules, int vm, int first_vcpu, int last_vcpu);

#endif
