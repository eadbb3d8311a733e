/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_COUNTS_H
#define VMM_X86_COUNTS_H

/*
 * Numbers by address: how often each instruction was executed. A hash table that grows up to a
 * limit, since a guest can execute as many addresses as it likes.
 */

#include <stddef.h>
#include <stdint.h>

#define X86_COUNTS_MAX (1u << 22) /* entries: 64 MiB */

struct x86_count {
	uint64_t address, count; /* count 0: free */
};

struct x86_counts {
	struct x86_count *entries; /* NULL: empty */
	size_t size;               /* a power of two */
	size_t used;
	uint64_t others; /* executions of addresses that found no place */
};

/* Adds count to an address. What finds no place, by the limit or for want of memory, is added to
 * others. */
void x86_counts_add(struct x86_counts *counts, uint64_t address, uint64_t count);

void x86_counts_free(struct x86_counts *counts);

#endif
