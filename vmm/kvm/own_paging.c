/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/own_paging.h"

#include "cpu/page_walk.h"
#include "cpu/register_bits.h"
#include "layout.h"

/* Intel SDM 3, 4.3 to 4.5. */
#define ENTRY_P       0x01
#define ENTRY_RW      0x02
#define ENTRY_A       0x20
#define ENTRY_D       0x40
#define ENTRY_PS      0x80
#define ENTRY_ADDRESS 0x000ffffffffff000

/* The most structures that one call looks at: all that 32-bit paging can have. */
#define TABLES_MAX 1025

struct paging {
	const struct gmem *gmem;
	unsigned entry_size; /* bytes */
	unsigned large_max;  /* the highest level whose entries can map large pages; 1 maps pages */
	unsigned left;       /* structures that may still be looked at */
	uint64_t sought;     /* the address of a structure */
	bool found;          /* the structure at sought was looked at */
};

/* The host's memory of a structure, or NULL if the guest may write there or it is no RAM. */
static uint8_t *read_only_table(const struct paging *paging, uint64_t gpa)
{
	if (gmem_ptr(paging->gmem, gpa, PAGE_SIZE, GMEM_WRITE))
		return NULL;
	return gmem_ptr(paging->gmem, gpa, PAGE_SIZE, GMEM_MARK);
}

static uint64_t load_entry(const struct paging *paging, const uint8_t *entry)
{
	if (paging->entry_size == 8)
		return __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED);
	return __atomic_load_n((const uint32_t *)entry, __ATOMIC_RELAXED);
}

static bool maps_page(const struct paging *paging, unsigned level, uint64_t value)
{
	return level == 1 || (level <= paging->large_max && value & ENTRY_PS);
}

/* Marks a structure, and those below it, if it is in read-only memory. One that others point back
 * to is seen once for each level. */
static void mark_table(struct paging *paging, uint64_t gpa, unsigned level)
{
	uint8_t *table = read_only_table(paging, gpa);

	if (!table || paging->left == 0)
		return;
	paging->left--;
	paging->found |= gpa == paging->sought;
	for (unsigned at = 0; at < PAGE_SIZE; at += paging->entry_size) {
		uint64_t value = load_entry(paging, table + at);
		bool is_page = maps_page(paging, level, value);
		uint8_t flags = ENTRY_A | (is_page && value & ENTRY_RW ? ENTRY_D : 0);

		if (!(value & ENTRY_P))
			continue;
		/* The flags are in the entry's first byte; other CPUs may set them too. */
		if ((value & flags) != flags)
			__atomic_fetch_or(table + at, flags, __ATOMIC_SEQ_CST);
		if (!is_page)
			mark_table(paging, value & ENTRY_ADDRESS, level - 1);
	}
}

/* The level of the entry that a walk reads first (Intel SDM 3, 4.3 to 4.5). */
static unsigned top_level(const struct kvm_sregs *sregs)
{
	if (sregs->efer & X86_EFER_LMA)
		return sregs->cr4 & X86_CR4_LA57 ? 5 : 4;
	return sregs->cr4 & X86_CR4_PAE ? 3 : 2;
}

/* The highest level whose entries can map large pages; 1 if none can. */
static unsigned large_level(const struct kvm_sregs *sregs)
{
	if (sregs->efer & X86_EFER_LMA)
		return 3;
	return sregs->cr4 & (X86_CR4_PSE | X86_CR4_PAE) ? 2 : 1;
}

bool own_paging_complete(
	const struct gmem *gmem, const struct kvm_sregs *sregs, uint64_t linear, uint64_t gpa)
{
	const struct cpu_registers registers = {
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4, .efer = sregs->efer};
	bool is_long = sregs->efer & X86_EFER_LMA, is_pae = sregs->cr4 & X86_CR4_PAE;
	struct paging paging = {
		.gmem = gmem,
		.entry_size = is_pae ? 8 : 4,
		.large_max = large_level(sregs),
		.left = TABLES_MAX,
		.sought = gpa / PAGE_SIZE * PAGE_SIZE,
	};
	struct page_walk walk;

	if (!page_walk(gmem, &registers, linear, 0, &walk))
		return false;
	/* The four PDPTEs of PAE paging have no such flags (Intel SDM 3, 4.4.1). */
	for (unsigned i = is_pae && !is_long ? 1 : 0; i < walk.count; i++)
		mark_table(
			&paging, walk.entry[i].gpa / PAGE_SIZE * PAGE_SIZE, top_level(sregs) - i);
	return paging.found;
}
