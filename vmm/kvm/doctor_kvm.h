/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DOCTOR_KVM_H
#define VMM_DOCTOR_KVM_H

/* Says by finding() what this host's KVM can do, by asking it and by trying it in a throw-away VM.
 * Returns
 * millions of guest instructions a second, 0 if guests cannot run with it. */
double doctor_kvm(void);

#endif
