/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PAGING_H
#define VMM_PAGING_H

/*
 * The form of paging structures, for those who read them: 32-bit, PAE, 4-level and 5-level paging
 * (Intel SDM 3, 4.3 to 4.5).
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* Flags of entries (Intel SDM 3, tables 4-4 to 4-20). */
#define PAGING_ENTRY_P  0x001u
#define PAGING_ENTRY_PS 0x080u

#define PAGING_LEVELS 5

/* A kind of paging structure. */
struct paging_level {
	const char *name; /* of its entries, as the manual has it: "page directory entry" */
	unsigned shift;   /* of the linear address, to the index of an entry */
	unsigned bits;    /* of the index */
	bool has_page;    /* PS of its entries maps a page */
};

/* How a CPU pages. */
struct paging {
	const struct paging_level *levels;
	unsigned count;
	unsigned entry_size; /* bytes */
	gpa_t root;
	bool is_pae, has_large; /* has_large: of 32-bit entries, CR4.PSE */
};

/* Returns how a CPU with these registers pages. CR0.PG is not looked at. */
struct paging paging_of(const struct cpu_registers *registers);

/* Returns whether an entry that is present maps a page; otherwise it leads to another structure.
 * level is below paging->count. */
bool paging_is_page(const struct paging *paging, unsigned level, uint64_t entry);

/* Returns where the structure or page is that an entry leads to. */
gpa_t paging_target(const struct paging *paging, const struct paging_level *level, uint64_t entry,
	bool is_page);

#endif
