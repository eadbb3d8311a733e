/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks to be saved in the middle of its work: a number that it counts in memory and a sector of the
 * disk go on from where they were, a periodic timer ticks on, and the other CPUs count on. Prints,
 * through the console,
 *
 *	counted to 100
 *	going on, generation 0	(another number in a clone)
 *	counted to 200
 *	all checks hold
 *
 * or to the number on the command line, and twice that. Exit status 0. Needs a disk; -c N for more
 * CPUs.
 */

#include <stdatomic.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "cpu.h"
#include "power.h"
#include "timer.h"
#include "x86.h"

#define COUNT 100
#define TICKS 20

static struct console console;
static struct block disk;
static atomic_uint ticks, others;
static uint32_t steps;

static void tick(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&ticks, 1);
}

static void count_on(void *ctx)
{
	(void)ctx;
	for (;;) {
		atomic_fetch_add(&others, 1);
		cpu_relax();
	}
}

static void wait_for_ticks(void)
{
	uint32_t before = atomic_load(&ticks), eflags = interrupts_off();

	while (atomic_load(&ticks) - before < TICKS)
		irq_wait();
	interrupts_restore(eflags);
}

/* Counts in the first word of the disk's first sector. */
static uint32_t count_on_disk(void)
{
	uint32_t words[VIRTIO_BLK_SECTOR_SIZE / 4];

	check(block_read(&disk, 0, words, 1) == 0, "the disk is read");
	words[0]++;
	check(block_write(&disk, 0, words, 1) == 0, "the disk is written");
	return words[0];
}

static uint32_t work(uint32_t from)
{
	uint32_t last = 0, seen = atomic_load(&others);

	for (uint32_t i = 0; i < steps; i++)
		last = count_on_disk();
	check(last == from + steps, "the disk counts from %u to %u", from, last);
	wait_for_ticks();
	while (cpu_count() > 1 && atomic_load(&others) == seen)
		cpu_relax();
	return last;
}

int main(const struct start_info *info)
{
	uint32_t count;

	steps = cmdline_number(info, COUNT);
	check(console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)) == 0, "a console");
	printf_to(console_print, &console);
	check(block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)) == 0, "a disk");
	check(timer_start(100, true, tick, NULL) == 0, "a timer");
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, count_on, NULL) == 0, "CPU %u starts", i);
	count = work(0);
	printf("counted to %u\n", count);
	printf("going on, generation %u\n", checkpoint());
	count = work(count);
	printf("counted to %u\n", count);
	timer_stop();
	return check_done();
}
