/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/counts.h"

#include <stdbool.h>
#include <stdlib.h>

#define FIRST_SIZE 4096

/* The entry of an address, or the free one where it belongs. There is always a free one. */
static struct x86_count *find(struct x86_count *entries, size_t size, uint64_t address)
{
	/* Fibonacci hashing: neighbours are spread over the table. */
	size_t at = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (size - 1);

	while (entries[at].count != 0 && entries[at].address != address)
		at = (at + 1) & (size - 1);
	return &entries[at];
}

/* Makes room for one more, so that half of the table stays free. */
static bool make_room(struct x86_counts *counts)
{
	size_t size = counts->size ? 2 * counts->size : FIRST_SIZE;
	struct x86_count *entries;

	if (2 * (counts->used + 1) <= counts->size)
		return true;
	if (size > X86_COUNTS_MAX)
		return false;
	entries = calloc(size, sizeof *entries);
	if (!entries)
		return false;
	for (size_t i = 0; i < counts->size; i++)
		if (counts->entries[i].count != 0)
			*find(entries, size, counts->entries[i].address) = counts->entries[i];
	free(counts->entries);
	counts->entries = entries;
	counts->size = size;
	return true;
}

void x86_counts_add(struct x86_counts *counts, uint64_t address, uint64_t count)
{
	bool has_room = make_room(counts);
	struct x86_count *entry =
		counts->size ? find(counts->entries, counts->size, address) : NULL;

	if (count == 0)
		return;
	if (!entry || (entry->count == 0 && !has_room)) {
		counts->others += count;
		return;
	}
	counts->used += entry->count == 0;
	entry->address = address;
	entry->count += count;
}

void x86_counts_free(struct x86_counts *counts)
{
	free(counts->entries);
	*counts = (struct x86_counts){.entries = NULL};
}
