/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/grow.h"

#include <stdlib.h>

/* Entries that there is room for at first, a power of two. */
#define FIRST 64

void *grow(void *entries, size_t count, size_t size)
{
	if (count == 0)
		return reallocarray(entries, FIRST, size);
	if (count < FIRST || (count & (count - 1)) != 0)
		return entries;
	return reallocarray(entries, 2 * count, size);
}
