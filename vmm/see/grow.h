/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GROW_H
#define VMM_GROW_H

/*
 * Arrays that grow by an entry at a time, in time linear in their number. How many entries there is
 * room for follows from how many there are.
 */

#include <stddef.h>

/* Returns an array of count entries of size bytes each, which malloc() made and may have moved,
 * with room for one more. Returns NULL if there is no memory: entries is as it was then. Called for
 * each entry that is added; the first time entries is NULL and count is 0. */
void *grow(void *entries, size_t count, size_t size);

#endif
