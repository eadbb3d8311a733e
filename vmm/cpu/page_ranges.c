/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/page_ranges.h"

#include <stddef.h>

#include "cpu/paging.h"
#include "cpu/register_bits.h"

/* Entries that are copied from guest memory at once. */
#define ENTRIES 64

/* The search, and what it has found. */
struct search {
	const struct gmem *gmem;
	struct paging paging;
	struct page_range *ranges;
	unsigned count, max;
	unsigned tables; /* paging structures that were read */
	bool is_cut;
};

/* Adds a range in one region of RAM. */
static void add(struct search *search, uint64_t linear, gpa_t gpa, uint64_t size)
{
	struct page_range *last = search->count > 0 ? &search->ranges[search->count - 1] : NULL;

	if (last && last->linear + last->size == linear && last->gpa + last->size == gpa)
		last->size += size;
	else if (search->count < search->max)
		search->ranges[search->count++] = (struct page_range){linear, size, gpa};
	else
		search->is_cut = true;
}

/* A page, which may be RAM in part: add its parts that are. */
static void add_page(struct search *search, uint64_t linear, gpa_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < search->gmem->count; i++) {
		const struct gmem_region *region = &search->gmem->regions[i];
		gpa_t first = gpa > region->base ? gpa : region->base;
		gpa_t end = gpa + size < region->base + region->size ? gpa + size
								     : region->base + region->size;

		if (first < end)
			add(search, linear + (first - gpa), first, end - first);
	}
}

/* Bit 47, or 56 with five levels, goes on to the left (Intel SDM 1, 3.3.7.1). */
static uint64_t canonical(const struct paging *paging, uint64_t linear)
{
	unsigned bits = paging->levels[0].shift + paging->levels[0].bits;

	if (bits > 32 && linear >> (bits - 1) & 1)
		linear |= UINT64_MAX << bits;
	return linear;
}

static uint64_t entry_value(const struct paging *paging, const uint8_t *entries, unsigned index)
{
	uint32_t narrow;
	uint64_t wide;

	if (paging->entry_size == sizeof narrow) {
		memcpy(&narrow, entries + index * sizeof narrow, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, entries + index * sizeof wide, sizeof wide);
	return wide;
}

/* Searches the structure at base, which is of this level and maps addresses from linear on. */
static void search_table(struct search *search, unsigned number, gpa_t base, uint64_t linear)
{
	const struct paging *paging = &search->paging;
	const struct paging_level *level = &paging->levels[number];
	uint8_t entries[ENTRIES * sizeof(uint64_t)];

	if (search->tables++ >= PAGE_RANGES_TABLES)
		search->is_cut = true;
	for (unsigned index = 0; index < 1u << level->bits && !search->is_cut; index++) {
		uint64_t entry, at = linear + ((uint64_t)index << level->shift);
		unsigned left = (1u << level->bits) - index;
		bool is_page;
		gpa_t target;

		if (index % ENTRIES == 0 &&
			gmem_read(search->gmem, base + (gpa_t)index * paging->entry_size, entries,
				(left < ENTRIES ? left : ENTRIES) * paging->entry_size) < 0)
			return;
		entry = entry_value(paging, entries, index % ENTRIES);
		if (!(entry & PAGING_ENTRY_P))
			continue;
		is_page = paging_is_page(paging, number, entry);
		target = paging_target(paging, level, entry, is_page);
		if (is_page)
			add_page(
				search, canonical(paging, at), target, UINT64_C(1) << level->shift);
		else
			search_table(search, number + 1, target, at);
	}
}

unsigned page_ranges_find(const struct gmem *gmem, const struct cpu_registers *registers,
	struct page_range *ranges, unsigned max, bool *is_cut)
{
	struct search search = {
		.gmem = gmem,
		.paging = paging_of(registers),
		.ranges = ranges,
		.max = max,
	};

	if (registers->cr0 & X86_CR0_PG)
		search_table(&search, 0, search.paging.root, 0);
	*is_cut = search.is_cut;
	return search.count;
}
