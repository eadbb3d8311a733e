/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow by an entry at a time keep what is in them, also when some was taken away. */
#include <stdint.h>
#include <stdlib.h>

#include "../tap.h"
#include "see/grow.h"

#define COUNT 5000

static uint32_t *entries;
static size_t count;

static void add(void)
{
	entries = grow(entries, count, sizeof *entries);
	entries[count] = (uint32_t)count * 7;
	count++;
}

static size_t right(void)
{
	size_t i = 0;

	while (i < count && entries[i] == i * 7)
		i++;
	return i;
}

int main(void)
{
	while (count < COUNT)
		add();
	is(right(), COUNT, "entries are kept while an array grows");
	count = 100;
	while (count < COUNT)
		add();
	is(right(), COUNT, "also when it had been larger");
	free(entries);
	return tap_done();
}
