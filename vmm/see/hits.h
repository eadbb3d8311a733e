/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HITS_H
#define VMM_HITS_H

/*
 * How often each instruction was executed, by its address.
 */

#include <stddef.h>
#include <stdint.h>

struct hit {
	uint64_t address, count;
};

struct hits {
	struct hit *entries; /* by address, after hits_sort() */
	size_t count;
	int error; /* -ENOMEM: some are missing; else 0 */
};

#define HITS_EMPTY ((struct hits){.entries = NULL})

/* Adds an address that is not there yet. */
void hits_add(struct hits *hits, uint64_t address, uint64_t count);

void hits_sort(struct hits *hits);

/* Returns the count of an address, 0 if it is not there. After hits_sort(). */
uint64_t hits_find(const struct hits *hits, uint64_t address);

void hits_free(struct hits *hits);

#endif
