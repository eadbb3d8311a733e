/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_PICS_H
#define VMM_KVM_PICS_H

/*
 * The PICs of KVM's interrupt controllers for a PC (KVM API 4.26, KVM_GET_IRQCHIP), in the form in
 * which reports have them.
 */

#include <stdbool.h>

struct pic;

/* Sets *pic to the state of both PICs of a VM, and *uses_ioapic to whether a pin of its IOAPIC is
 * not masked. The VM has all three (KVM API 4.24). Any thread. Returns 0, or -errno (said). */
int kvm_read_pics(int vm, struct pic *pic, bool *uses_ioapic);

#endif
