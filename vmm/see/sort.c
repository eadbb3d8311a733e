/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/sort.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Merges [start, middle) and [middle, end) of from into to. Numbers are of entries. */
static void merge(const uint8_t *from, uint8_t *to, size_t start, size_t middle, size_t end,
	size_t size, int (*compare)(const void *a, const void *b))
{
	size_t a = start, b = middle;

	for (size_t at = start; at < end; at++) {
		const uint8_t *x = from + a * size, *y = from + b * size;
		int is_first = a < middle && (b == end || compare(x, y) <= 0);

		memcpy(to + at * size, is_first ? x : y, size);
		a += is_first != 0;
		b += is_first == 0;
	}
}

int sort(void *base, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
	uint8_t *spare, *from = base, *to;

	if (count < 2)
		return 0;
	spare = to = calloc(count, size);
	if (!spare)
		return -ENOMEM;
	for (size_t width = 1; width < count; width *= 2) {
		uint8_t *swap = from;

		for (size_t start = 0; start < count; start += 2 * width) {
			size_t middle = width < count - start ? start + width : count;
			size_t end = width < count - middle ? middle + width : count;

			merge(from, to, start, middle, end, size, compare);
		}
		from = to;
		to = swap;
	}
	if (from != base)
		memcpy(base, from, count * size);
	free(spare);
	return 0;
}
