/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/hits.h"

#include <errno.h>
#include <stdlib.h>

#include "see/grow.h"
#include "see/sort.h"

void hits_add(struct hits *hits, uint64_t address, uint64_t count)
{
	struct hit *grown = grow(hits->entries, hits->count, sizeof *grown);

	if (!grown) {
		hits->error = -ENOMEM;
		return;
	}
	hits->entries = grown;
	hits->entries[hits->count++] = (struct hit){address, count};
}

static int compare(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

void hits_sort(struct hits *hits)
{
	if (sort(hits->entries, hits->count, sizeof *hits->entries, compare) < 0) {
		hits->error = -ENOMEM;
		hits->count = 0;
	}
}

uint64_t hits_find(const struct hits *hits, uint64_t address)
{
	const struct hit key = {address, 0}, *found = NULL;

	if (hits->count > 0)
		found = bsearch(&key, hits->entries, hits->count, sizeof key, compare);
	return found ? found->count : 0;
}

void hits_free(struct hits *hits)
{
	free(hits->entries);
	*hits = HITS_EMPTY;
}
