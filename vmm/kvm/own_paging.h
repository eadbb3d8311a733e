/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OWN_PAGING_H
#define VMM_OWN_PAGING_H

/*
 * Paging structures in memory that the guest may only read.
 *
 * A CPU sets the accessed and dirty flags of their entries (Intel SDM 3, 4.8). To read-only memory
 * it cannot, with KVM on hardware: KVM then executes each instruction that needs such an entry by
 * its emulator, slowly, or not at all, or with a wrong address.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "gmem.h"

/*
 * Sets the flags in the paging structures that translate linear and that lie in read-only memory,
 * and in those below them: accessed in each entry that is present, dirty in those that map a
 * writable page. Such memory holds nothing but entries, and nobody clears their flags. For 32-bit,
 * PAE, 4-level and 5-level paging. Returns whether gpa lies in one of these structures; false
 * without paging. While the vCPU executes nothing; others may use the structures.
 */
bool own_paging_complete(
	const struct gmem *gmem, const struct kvm_sregs *sregs, uint64_t linear, uint64_t gpa);

#endif
