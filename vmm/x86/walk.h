/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_WALK_H
#define VMM_X86_WALK_H

/*
 * The walk through the paging structures (SDM 3, 4.3 and 4.4): 32-bit paging with 4-MiB pages and
 * PSE-36, and PAE paging with execute-disable. What the entries say is the result; mmu.c decides
 * what that means for an access. A walk has no side effect: only x86_walk_mark() sets accessed and
 * dirty flags, when the access is known to be permitted.
 */

#include "x86/x86.h"

/* Bits of a physical address that paging can produce (CPUID leaf 0x80000008; SDM 3, 4.1.4). */
#define X86_PHYSICAL_BITS 36

/* Error code of #PF (SDM 3, 4.7). */
#define X86_PF_PRESENT  0x01u
#define X86_PF_WRITE    0x02u
#define X86_PF_USER     0x04u
#define X86_PF_RESERVED 0x08u
#define X86_PF_FETCH    0x10u

/* A paging-structure entry that the walk used. */
struct x86_walk_entry {
	gpa_t gpa;
	uint64_t value;
};

struct x86_walk {
	gpa_t gpa;                                /* where the linear address is */
	bool is_user, is_writable, is_executable; /* at all levels */
	bool is_dirty, is_global, is_large;       /* of the page; large: 2 or 4 MiB */
	uint32_t error; /* if there is no translation: X86_PF_PRESENT and X86_PF_RESERVED */
	unsigned count;
	struct x86_walk_entry entry[2]; /* the page's own last */
};

/*
 * Walk for a linear address, with CR0.PG set or clear. False if there is no translation: an entry
 * is not present, or has a reserved bit set. Entries outside of RAM are read over the bus on behalf
 * of on_bus, which is cpu; NULL makes a walk without side effects, to which they are not present.
 */
bool x86_walk(
	const struct x86_cpu *cpu, struct x86_cpu *on_bus, uint64_t linear, struct x86_walk *walk);

/* Set the accessed flag in all entries, and dirty in the page's own if is_write (SDM 3, 4.8). */
void x86_walk_mark(struct x86_cpu *cpu, const struct x86_walk *walk, bool is_write);

/* With PAE paging, load the PDPTEs that cr3 points to. Raises #GP(0) for a reserved bit in a
 * present one, and has then loaded none (SDM 3, 4.4.1). */
void x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3);

#endif
