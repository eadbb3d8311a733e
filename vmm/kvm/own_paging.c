/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/own_paging.h"

#include "layout.h"

#define CR0_PG   (1u << 31)
#define CR4_PSE  (1u << 4)
#define CR4_PAE  (1u << 5)
#define CR4_LA57 (1u << 12)
#define EFER_LMA (1u << 10)

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
	unsigned levels;     /* of structures whose entries have flags; level 1 maps pages */
	unsigned large_max;  /* the highest level whose entries can map large pages */
	uint64_t root;       /* the structure of the highest level for an address */
	unsigned left;       /* structures that may still be looked at */
	uint64_t sought;     /* the address of a structure */
	bool found;          /* the structure at sought was looked at */
};

/* With PAE paging the four PDPTEs have no such flags (Intel SDM 3, 4.4.1): an address has a root
 * of its own below them. */
static bool find_root(struct paging *paging, const struct kvm_sregs *s, uint64_t linear)
{
	bool is_long = s->efer & EFER_LMA;
	uint64_t pdpte;

	if (!(s->cr0 & CR0_PG))
		return false;
	paging->entry_size = s->cr4 & CR4_PAE ? 8 : 4;
	paging->root = s->cr3 & ENTRY_ADDRESS;
	paging->levels = 2;
	paging->large_max = s->cr4 & (CR4_PSE | CR4_PAE) ? 2 : 1;
	if (is_long) {
		paging->levels = s->cr4 & CR4_LA57 ? 5 : 4;
		paging->large_max = 3;
	} else if (s->cr4 & CR4_PAE) {
		if (gmem_read(paging->gmem, (s->cr3 & 0xffffffe0) + 8 * (linear >> 30 & 3), &pdpte,
			    sizeof pdpte) < 0 ||
			!(pdpte & ENTRY_P))
			return false;
		paging->root = pdpte & ENTRY_ADDRESS;
	}
	return true;
}

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

/* The index of an address in a structure (Intel SDM 3, figures 4-2, 4-5 and 4-8). */
static unsigned index_of(const struct paging *paging, uint64_t linear, unsigned level)
{
	unsigned bits = paging->entry_size == 8 ? 9 : 10;

	return linear >> (12 + bits * (level - 1)) & ((1u << bits) - 1);
}

static void mark_walk(struct paging *paging, uint64_t linear)
{
	uint64_t table = paging->root;

	for (unsigned level = paging->levels; level > 0; level--) {
		uint64_t value = 0;

		mark_table(paging, table, level);
		if (gmem_read(paging->gmem,
			    table + index_of(paging, linear, level) * paging->entry_size, &value,
			    paging->entry_size) < 0 ||
			!(value & ENTRY_P) || maps_page(paging, level, value))
			return;
		table = value & ENTRY_ADDRESS;
	}
}

bool own_paging_complete(
	const struct gmem *gmem, const struct kvm_sregs *sregs, uint64_t linear, uint64_t gpa)
{
	struct paging paging = {
		.gmem = gmem,
		.left = TABLES_MAX,
		.sought = gpa / PAGE_SIZE * PAGE_SIZE,
	};

	if (find_root(&paging, sregs, linear))
		mark_walk(&paging, linear);
	return paging.found;
}
