/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/page_walk.h"

#include <inttypes.h>
#include <stdio.h>

#include "cpu/paging.h"
#include "cpu/register_bits.h"
#include "log.h"

/* Entries of paging structures (Intel SDM 3, tables 4-4 to 4-20). */
#define ENTRY_RW 0x002u
#define ENTRY_US 0x004u
#define ENTRY_XD (UINT64_C(1) << 63)

/* Reserved bits: those of an address that the narrowest processor of our engines does not have,
 * which is the software CPU with 36; of a page of 4 MiB (table 4-4); of large pages of 64-bit
 * entries; of a page directory pointer of PAE paging (table 4-8). Wider processors have fewer. */
#define RESERVED_ADDRESS UINT64_C(0x000ffff000000000)
#define RESERVED_4M      UINT64_C(0x3e0000)
#define RESERVED_2M      UINT64_C(0x1fe000)
#define RESERVED_1G      UINT64_C(0x3fffe000)
#define RESERVED_PDPTE   UINT64_C(0x1e6)
#define RESERVED_PAE     UINT64_C(0x7ff0000000000000)

_Static_assert(PAGE_WALK_LEVELS == PAGING_LEVELS, "a walk reads an entry of each level");

/* --- the walk --------------------------------------------------------------------------------- */

static uint64_t reserved_bits(const struct paging *paging, const struct cpu_registers *r,
	const struct paging_level *level, bool is_page)
{
	uint64_t reserved;

	if (paging->entry_size == 4)
		return is_page && level->has_page ? RESERVED_4M : 0;
	if (paging->is_pae && level == paging->levels)
		return RESERVED_PDPTE | RESERVED_ADDRESS | RESERVED_PAE | ENTRY_XD;
	reserved = RESERVED_ADDRESS | (paging->is_pae ? RESERVED_PAE : 0);
	if (!(r->efer & X86_EFER_NXE))
		reserved |= ENTRY_XD;
	if (is_page && level->has_page)
		reserved |= level->shift == 30 ? RESERVED_1G : RESERVED_2M;
	return reserved;
}

/* The walk ends at its last entry, with this result. */
static void stop(struct page_walk *walk, enum page_walk_result result)
{
	walk->result = result;
	walk->culprit = walk->count - 1;
}

/* Reads the entry of a level from the structure at base. Returns false if the walk ends with it. */
static bool read_entry(const struct gmem *gmem, const struct paging *paging,
	const struct paging_level *level, gpa_t base, uint64_t linear, struct page_walk *walk)
{
	struct page_walk_entry *entry = &walk->entry[walk->count++];

	entry->name = level->name;
	entry->index = (unsigned)(linear >> level->shift & ((1u << level->bits) - 1));
	entry->gpa = base + (gpa_t)entry->index * paging->entry_size;
	entry->value = 0;
	if (gmem_read(gmem, entry->gpa, &entry->value, paging->entry_size) < 0)
		stop(walk, PAGE_WALK_NO_MEMORY);
	else if (!(entry->value & PAGING_ENTRY_P))
		stop(walk, PAGE_WALK_NOT_PRESENT);
	else
		return true;
	return false;
}

/* Returns the first entry that lacks these flags, or has them if they shall be clear; count if no
 * entry is so. The pointers of PAE paging have no such flags. */
static unsigned find_entry(const struct page_walk *walk, const struct paging *paging,
	uint64_t flags, bool shall_be_set)
{
	unsigned i = paging->is_pae ? 1 : 0;

	while (i < walk->count && !(walk->entry[i].value & flags) == !shall_be_set)
		i++;
	return i;
}

/* The rights of the page, which are those of all entries together (Intel SDM 3, 4.6.1). */
static void check_rights(struct page_walk *walk, const struct paging *paging,
	const struct cpu_registers *r, uint32_t access)
{
	unsigned supervisor = find_entry(walk, paging, ENTRY_US, true);
	unsigned read_only = find_entry(walk, paging, ENTRY_RW, true);
	unsigned no_execute = find_entry(walk, paging, ENTRY_XD, false);
	bool is_user = access & PAGE_FAULT_USER, is_user_page = supervisor == walk->count;

	walk->culprit = walk->count - 1;
	if (is_user && !is_user_page) {
		walk->result = PAGE_WALK_SUPERVISOR;
		walk->culprit = supervisor;
	} else if (access & PAGE_FAULT_WRITE && read_only < walk->count &&
		   (is_user || r->cr0 & X86_CR0_WP)) {
		walk->result = PAGE_WALK_READ_ONLY;
		walk->culprit = read_only;
	} else if (access & PAGE_FAULT_FETCH && r->efer & X86_EFER_NXE && paging->entry_size == 8 &&
		   no_execute < walk->count) {
		walk->result = PAGE_WALK_NO_EXECUTE;
		walk->culprit = no_execute;
	} else if (!is_user && is_user_page && access & PAGE_FAULT_FETCH && r->cr4 & X86_CR4_SMEP) {
		walk->result = PAGE_WALK_SMEP;
	} else if (!is_user && is_user_page && !(access & PAGE_FAULT_FETCH) &&
		   r->cr4 & X86_CR4_SMAP && !(r->rflags & X86_AC)) {
		walk->result = PAGE_WALK_SMAP;
	}
}

bool page_walk(const struct gmem *gmem, const struct cpu_registers *r, uint64_t linear,
	uint32_t access, struct page_walk *walk)
{
	const struct paging paging = paging_of(r);
	gpa_t base = paging.root;

	*walk = (struct page_walk){.result = PAGE_WALK_PERMITTED, .cr3 = r->cr3};
	if (!(r->cr0 & X86_CR0_PG))
		return false;
	for (unsigned i = 0; i < paging.count; i++) {
		const struct paging_level *level = &paging.levels[i];
		uint64_t value, reserved;
		bool is_page;

		if (!read_entry(gmem, &paging, level, base, linear, walk))
			return true;
		value = walk->entry[i].value;
		is_page = paging_is_page(&paging, i, value);
		reserved = reserved_bits(&paging, r, level, is_page && i + 1 < paging.count);
		if (access & PAGE_FAULT_RESERVED && value & reserved) {
			stop(walk, PAGE_WALK_RESERVED);
			return true;
		}
		base = paging_target(&paging, level, value, is_page);
		if (is_page) {
			walk->gpa = base + (linear & ((UINT64_C(1) << level->shift) - 1));
			break;
		}
	}
	check_rights(walk, &paging, r, access);
	return true;
}

/* --- words ------------------------------------------------------------------------------------ */

/* The access is permitted, and yet it faulted: the processor used what it had kept of the paging
 * structures (Intel SDM 3, 4.10). */
#define STALE "which the tables permit now: after a change, INVLPG or a write of CR3 is needed"

void page_walk_explain(const struct page_walk *walk, uint32_t access, char *text, size_t size)
{
	const struct page_walk_entry *entry = &walk->entry[walk->culprit];
	const char *name = entry->name;
	unsigned n = entry->index;

	switch (walk->result) {
	case PAGE_WALK_PERMITTED:
		snprintf(text, size, "%s",
			access & PAGE_FAULT_RESERVED ? "an entry has a bit set that this "
						       "processor reserves"
						     : STALE);
		break;
	case PAGE_WALK_NO_MEMORY:
		snprintf(text, size,
			"not mapped: %s 0x%x would be at 0x%08" PRIx64 ", where no RAM is", name, n,
			entry->gpa);
		break;
	case PAGE_WALK_NOT_PRESENT:
		snprintf(text, size, "not mapped: %s 0x%x is not present", name, n);
		break;
	case PAGE_WALK_RESERVED:
		snprintf(text, size, "not mapped: %s 0x%x has a reserved bit set", name, n);
		break;
	case PAGE_WALK_SUPERVISOR:
		snprintf(
			text, size, "a supervisor's page: %s 0x%x has the U/S flag clear", name, n);
		break;
	case PAGE_WALK_READ_ONLY:
		snprintf(text, size, "%s 0x%x is read-only%s", name, n,
			access & PAGE_FAULT_USER ? "" : ", and CR0.WP is set");
		break;
	case PAGE_WALK_NO_EXECUTE:
		snprintf(
			text, size, "%s 0x%x has the XD flag set: no instruction fetches", name, n);
		break;
	case PAGE_WALK_SMEP:
		snprintf(text, size, "a user page, and CR4.SMEP is set");
		break;
	case PAGE_WALK_SMAP:
		snprintf(text, size, "a user page, and CR4.SMAP is set while EFLAGS.AC is clear");
		break;
	}
}

void page_walk_say(const struct page_walk *walk)
{
	char line[80 * PAGE_WALK_LEVELS];
	size_t len = (size_t)snprintf(line, sizeof line, "  CR3 %08" PRIx64, walk->cr3);

	for (unsigned i = 0; i < walk->count; i++) {
		const struct page_walk_entry *entry = &walk->entry[i];

		len += (size_t)snprintf(line + len, sizeof line - len, "; %s 0x%x: %08" PRIx64,
			entry->name, entry->index, entry->value);
	}
	say("%s", line);
}
