/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SORT_H
#define VMM_SORT_H

/*
 * Merge sort: stable, and as fast for entries that a guest has chosen as for others. The C
 * library's qsort() asks the host for its memory, which the sandbox forbids.
 */

#include <stddef.h>

/* Sorts count entries of size bytes each. compare() is as for qsort(). Returns 0 or -ENOMEM. */
int sort(void *base, size_t count, size_t size, int (*compare)(const void *a, const void *b));

#endif
