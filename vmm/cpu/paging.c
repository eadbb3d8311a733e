/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/paging.h"

#include "cpu/register_bits.h"

/* The address in an entry of 64 bits (Intel SDM 3, tables 4-8 to 4-20). */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

/* Level names are the manual's (Intel SDM 3, table 4-2). */
static const struct paging_level levels_32[] = {
	{"page directory entry", 22, 10, true},
	{"page table entry", 12, 10, false},
};
static const struct paging_level levels_pae[] = {
	{"page directory pointer table entry", 30, 2, false},
	{"page directory entry", 21, 9, true},
	{"page table entry", 12, 9, false},
};
static const struct paging_level levels_long[] = {
	{"PML5 entry", 48, 9, false},
	{"PML4 entry", 39, 9, false},
	{"page directory pointer table entry", 30, 9, true},
	{"page directory entry", 21, 9, true},
	{"page table entry", 12, 9, false},
};

struct paging paging_of(const struct cpu_registers *r)
{
	if (r->efer & X86_EFER_LMA) {
		unsigned skipped = r->cr4 & X86_CR4_LA57 ? 0 : 1;

		return (struct paging){&levels_long[skipped], PAGING_LEVELS - skipped, 8,
			r->cr3 & ENTRY_ADDRESS, false, true};
	}
	if (r->cr4 & X86_CR4_PAE)
		return (struct paging){levels_pae, 3, 8, r->cr3 & 0xffffffe0, true, true};
	return (struct paging){
		levels_32, 2, 4, r->cr3 & 0xfffff000, false, (r->cr4 & X86_CR4_PSE) != 0};
}

bool paging_is_page(const struct paging *paging, unsigned level, uint64_t entry)
{
	return level + 1 == paging->count ||
	       (paging->levels[level].has_page && paging->has_large && entry & PAGING_ENTRY_PS);
}

gpa_t paging_target(
	const struct paging *paging, const struct paging_level *level, uint64_t entry, bool is_page)
{
	gpa_t target = entry & (paging->entry_size == 4 ? 0xfffff000 : ENTRY_ADDRESS);

	if (is_page)
		target &= ~((UINT64_C(1) << level->shift) - 1);
	/* Bits 35:32 of the address of a page of 4 MiB (PSE-36, table 4-4). */
	if (is_page && level->shift == 22)
		target |= (entry & 0x1e000) << 19;
	return target;
}
