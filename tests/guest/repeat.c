/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run that no two machines repeat by chance: a timer interrupts CPU 0 at odd moments, CPU 1
 * copies sectors of a disk, CPU 2 draws from the entropy device, and all three take numbers from
 * one counter in between. Needs -c 3 and a disk of 64 sectors. Prints the time of each tick and
 * which CPU had which number, which with --clock virtual is the same in every run. Exit status 0.
 */

#include <stdatomic.h>

#include <vole/virtio_config.h>

#include "block.h"
#include "check.h"
#include "cpu.h"
#include "rng.h"
#include "timer.h"
#include "x86.h"

#define CPUS    3
#define TICKS   24
#define ROUNDS  24
#define SECTORS 8
#define NUMBERS 4096

static struct block disk;
static struct rng rng;
static uint64_t tick_times[TICKS];
static atomic_uint ticks, next, finished;
static uint8_t owners[NUMBERS]; /* of each number: the CPU that took it, counted from 1 */

static void tick(void *ctx)
{
	unsigned n = atomic_load(&ticks);

	(void)ctx;
	if (n == TICKS)
		return;
	tick_times[n] = read_tsc();
	atomic_store(&ticks, n + 1);
}

static void take_number(unsigned cpu)
{
	unsigned number = atomic_fetch_add(&next, 1);

	if (number < NUMBERS)
		owners[number] = (uint8_t)(cpu + 1);
}

static void copy_sectors(void *ctx)
{
	static uint8_t data[SECTORS * VIRTIO_BLK_SECTOR_SIZE];

	(void)ctx;
	for (unsigned i = 0; i < ROUNDS; i++) {
		check(block_read(&disk, i, data, SECTORS) == 0, "sectors are read");
		take_number(1);
		check(block_write(&disk, i + 1, data, SECTORS) == 0, "sectors are written");
		take_number(1);
	}
	atomic_fetch_add(&finished, 1);
}

static void draw(void *ctx)
{
	uint8_t data[64];

	(void)ctx;
	for (unsigned i = 0; i < ROUNDS; i++) {
		check(rng_read(&rng, data, sizeof data) == 0, "bytes are drawn");
		for (unsigned n = data[0]; n > 0; n -= n > 16 ? 16 : n)
			take_number(2);
	}
	atomic_fetch_add(&finished, 1);
}

static void print_history(void)
{
	unsigned count = atomic_load(&next) < NUMBERS ? atomic_load(&next) : NUMBERS;

	for (unsigned i = 0; i < TICKS; i++)
		printf("tick %u at %u\n", i, (unsigned)tick_times[i]);
	for (unsigned i = 0; i < count; i++)
		printf("%u%s", owners[i] - 1u, i % 64 == 63 || i + 1 == count ? "\n" : "");
}

int main(const struct start_info *info)
{
	check(block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)) == 0, "the disk comes up");
	check(rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0, "the entropy device too");
	if (cpu_count() != CPUS) {
		printf("not %u CPUs\n", CPUS);
		return 1;
	}
	check(timer_start(7, true, tick, NULL) == 0, "the timer starts");
	check(cpu_run(1, copy_sectors, NULL) == 0, "CPU 1 starts");
	check(cpu_run(2, draw, NULL) == 0, "CPU 2 starts");
	while (atomic_load(&finished) < 2 || atomic_load(&ticks) < TICKS) {
		take_number(0);
		cpu_relax();
		cpu_relax();
	}
	timer_stop();
	print_history();
	return check_done();
}
