/* SPDX-License-Identifier: BSD-2-Clause */
/* The last steps of a CPU. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "x86/account.h"

int x86_account_last_init(struct x86_account_last *last, unsigned max)
{
	*last = (struct x86_account_last){.max = max};
	if (max == 0)
		return 0;
	last->entries = calloc(max, sizeof *last->entries);
	last->steps = calloc(max, sizeof *last->steps);
	last->spare = calloc(max, sizeof *last->spare);
	return last->entries && last->steps && last->spare ? 0 : -ENOMEM;
}

void x86_account_last_free(struct x86_account_last *last)
{
	free(last->entries);
	free(last->steps);
	free(last->spare);
	*last = (struct x86_account_last){.max = 0};
}

static struct cpu_step step_of(const struct x86_account_block *block, unsigned i)
{
	unsigned start = block->start[i], len = block->start[i + 1] - start;
	struct cpu_step step = {.address = (uint32_t)(block->linear + start), .vector = -1};

	step.len = (uint8_t)len;
	memcpy(step.bytes, block->bytes + start, len);
	return step;
}

/* Puts the steps of an entry before those from at on, the last one first. Returns where the first
 * one is; 0: there is no room for more. */
static unsigned put_before(
	struct cpu_step *steps, unsigned at, const struct x86_account_entry *entry)
{
	if (!entry->block && at > 0)
		steps[--at] = (struct cpu_step){
			.address = entry->address, .vector = (int16_t)entry->vector};
	for (unsigned i = entry->block ? entry->count : 0; i > 0 && at > 0; i--)
		steps[--at] = step_of(entry->block, i - 1);
	return at;
}

void x86_account_last_settle(struct x86_account_last *last)
{
	struct cpu_step *steps = last->spare;
	unsigned at = last->max, old = last->step_count;

	for (unsigned age = 1; age <= last->used && at > 0; age++)
		at = put_before(
			steps, at, &last->entries[(last->next + last->max - age) % last->max]);
	while (old > 0 && at > 0)
		steps[--at] = last->steps[--old];
	last->step_count = last->max - at;
	if (at > 0)
		memmove(steps, steps + at, last->step_count * sizeof *steps);
	last->spare = last->steps;
	last->steps = steps;
	last->used = last->next = 0;
}
