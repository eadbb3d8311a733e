/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Some of everything, for ever: in each round it computes, draws entropy, writes a sector and reads
 * it back, sleeps a millisecond, and prints the number of the round as a line on the console. For
 * tests/many, which has a hundred of it run at once. Needs a disk. Exit status 1, when something is
 * not as it must be.
 */

#include <stdatomic.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "rng.h"
#include "timer.h"
#include "x86.h"

#define COMPUTED 20000 /* steps of a generator, in each round */
#define DRAWN    64    /* bytes of entropy */
#define SLEEP    1000  /* microseconds */
#define WORDS    (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct console console;
static struct block disk;
static struct rng rng;

static uint32_t compute(uint32_t state)
{
	for (unsigned i = 0; i < COMPUTED; i++)
		state = state * 1664525 + 1013904223;
	return state;
}

static void use_disk(uint32_t round, uint32_t seed)
{
	static uint32_t data[WORDS];
	uint32_t sector = round % (uint32_t)disk.capacity;

	for (uint32_t i = 0; i < WORDS; i++)
		data[i] = seed + i;
	check(block_write(&disk, sector, data, 1) == 0, "round %u writes", round);
	memset(data, 0, sizeof(data));
	check(block_read(&disk, sector, data, 1) == 0, "round %u reads", round);
	for (uint32_t i = 0; i < WORDS; i++)
		check(data[i] == seed + i, "round %u reads what it wrote", round);
}

static void awake(void *ctx)
{
	atomic_store((atomic_bool *)ctx, true);
}

static void sleep(void)
{
	atomic_bool is_over = false;
	uint32_t eflags;

	check(timer_start(SLEEP, false, awake, &is_over) == 0, "the timer starts");
	eflags = interrupts_off();
	while (!atomic_load(&is_over))
		irq_wait();
	interrupts_restore(eflags);
}

int main(const struct start_info *info)
{
	uint8_t drawn[DRAWN];
	uint32_t state = 1;

	check(console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)) == 0, "a console");
	check(block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)) == 0, "a disk");
	check(rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0, "an entropy device");
	printf_to(console_print, &console);
	for (uint32_t round = 1; !check_failures; round++) {
		state = compute(state);
		check(rng_read(&rng, drawn, sizeof(drawn)) == 0, "round %u draws", round);
		use_disk(round, state ^ drawn[0]);
		sleep();
		printf("%u\n", round);
	}
	return 1;
}
