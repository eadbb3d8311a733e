/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DOCTOR_KVM_H
#define VMM_DOCTOR_KVM_H

#include <stdbool.h>

/* Says by finding() what this host's KVM can do, by asking it and by trying it in a throw-away VM.
 * Returns whether guests can run with it. */
bool doctor_kvm(void);

#endif
