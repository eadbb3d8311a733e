/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PAGE_WALK_H
#define VMM_PAGE_WALK_H

/*
 * The walk through a guest's paging structures, to tell why a page fault came up: 32-bit, PAE,
 * 4-level and 5-level paging (Intel SDM 3, 4.3 to 4.5). It reads the structures as they are in
 * memory now, each entry once, and changes nothing.
 */

#include "cpu/cpu.h"

/* Bits of a page fault's error code (Intel SDM 3, 4.7). */
#define PAGE_FAULT_PRESENT  0x01u
#define PAGE_FAULT_WRITE    0x02u
#define PAGE_FAULT_USER     0x04u
#define PAGE_FAULT_RESERVED 0x08u
#define PAGE_FAULT_FETCH    0x10u

#define PAGE_WALK_LEVELS 5

/* What the walk found for an access. */
enum page_walk_result {
	PAGE_WALK_PERMITTED,   /* the structures permit the access */
	PAGE_WALK_NO_MEMORY,   /* the entry is not in RAM */
	PAGE_WALK_NOT_PRESENT, /* the entry's P flag is clear */
	PAGE_WALK_RESERVED,    /* the entry has a reserved bit set */
	PAGE_WALK_SUPERVISOR,  /* user access; the entry's U/S flag is clear */
	PAGE_WALK_READ_ONLY,   /* write access; the entry's R/W flag is clear */
	PAGE_WALK_NO_EXECUTE,  /* instruction fetch; the entry's XD flag is set */
	PAGE_WALK_SMEP,        /* supervisor's fetch from a user page, CR4.SMEP is set */
	PAGE_WALK_SMAP,        /* supervisor's access to a user page, CR4.SMAP is set */
};

struct page_walk_entry {
	const char *name; /* "page table entry" */
	unsigned index;   /* in its structure */
	gpa_t gpa;        /* where the entry is */
	uint64_t value;   /* 0 if it is not in RAM */
};

struct page_walk {
	enum page_walk_result result;
	unsigned culprit; /* the entry that decided, in entry[]; unless the access is permitted */
	unsigned count;   /* entries that were read */
	struct page_walk_entry entry[PAGE_WALK_LEVELS];
	uint64_t cr3;
	gpa_t gpa; /* where the linear address is, if the walk came to its end */
};

/*
 * Walks for an access to a linear address: PAGE_FAULT_WRITE, USER and FETCH of access tell what it
 * is, and PAGE_FAULT_RESERVED that the processor met a reserved bit. Returns false if registers
 * have paging off: then there is no walk. Any thread.
 */
bool page_walk(const struct gmem *gmem, const struct cpu_registers *registers, uint64_t linear,
	uint32_t access, struct page_walk *walk);

/* Puts the result into words for an access that faulted: "not mapped: page directory entry 0x37a
 * is not present". */
void page_walk_explain(const struct page_walk *walk, uint32_t access, char *text, size_t size);

/* Says the entries of a walk, in one indented line. */
void page_walk_say(const struct page_walk *walk);

#endif
