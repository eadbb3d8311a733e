/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list that is broken long before that is noticed: CPU 1 works on a list of entries; CPU 0, at
 * some time while it is at its own work and a timer interrupts it, has a loop go one entry too far,
 * over the link of an entry. Much later CPU 0 follows the link, and crashes. Needs -c 2.
 */

#include <stdatomic.h>

#include "check.h"
#include "cpu.h"
#include "timer.h"
#include "x86.h"

#define ENTRIES 8

struct entry {
	uint32_t numbers[4];
	struct entry *next;
};

static struct entry entries[ENTRIES];
static atomic_uint ticks, rounds;
static volatile uint32_t sum;

static void tick(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&ticks, 1);
}

static void build_list(void)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		entries[i].numbers[0] = i;
		entries[i].next = i + 1 < ENTRIES ? &entries[i + 1] : NULL;
	}
}

static void work(void *ctx)
{
	(void)ctx;
	for (;;) {
		for (unsigned i = 0; i < ENTRIES; i++)
			entries[i].numbers[1]++;
		atomic_fetch_add(&rounds, 1);
		cpu_relax();
	}
}

/* Fills the numbers of an entry: one too many, if there are five. */
__attribute__((noinline)) static void fill(uint32_t *numbers, unsigned count, uint32_t value)
{
	for (unsigned i = 0; i < count; i++)
		numbers[i] = value;
	sum += value;
}

__attribute__((noinline)) static void walk(void)
{
	for (struct entry *entry = &entries[0]; entry; entry = entry->next)
		sum += entry->numbers[0];
}

static void spend_time(unsigned wanted)
{
	for (unsigned until = atomic_load(&rounds) + wanted; atomic_load(&rounds) < until;)
		cpu_relax();
}

int main(const struct start_info *info)
{
	(void)info;
	build_list();
	if (timer_start(50, true, tick, NULL) != 0 || cpu_run(1, work, NULL) != 0)
		return 1;
	walk();
	for (unsigned i = 0; i < 40; i++) {
		fill(entries[i % ENTRIES].numbers, i == 11 ? 5 : 3, i);
		spend_time(4000);
	}
	walk();
	return 0;
}
