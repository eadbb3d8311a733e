/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run that depends on when it is told what: CPU 0 prints each byte that comes to its console,
 * with the time and how many ticks of a timer and numbers the other CPUs have had by then; CPU 1
 * copies sectors of a disk, CPU 2 draws from the entropy device. Needs -c 3 and a disk of 64
 * sectors. Ends after a q, with the number of bytes as exit status.
 */

#include <stdatomic.h>

#include <vole/virtio_config.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "cpu.h"
#include "rng.h"
#include "timer.h"
#include "x86.h"

#define CPUS    3
#define SECTORS 8
#define PLACES  48

static struct block disk;
static struct console console;
static struct rng rng;
static atomic_uint ticks, next, has_ended;

static void tick(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&ticks, 1);
}

static void copy_sectors(void *ctx)
{
	static uint8_t data[SECTORS * VIRTIO_BLK_SECTOR_SIZE];

	(void)ctx;
	for (unsigned i = 0; !atomic_load(&has_ended); i = (i + 1) % PLACES) {
		check(block_read(&disk, i, data, SECTORS) == 0, "sectors are read");
		data[0] = (uint8_t)atomic_fetch_add(&next, 1);
		check(block_write(&disk, i + 1, data, SECTORS) == 0, "sectors are written");
	}
}

static void draw(void *ctx)
{
	uint8_t data[64];

	(void)ctx;
	while (!atomic_load(&has_ended)) {
		check(rng_read(&rng, data, sizeof data) == 0, "bytes are drawn");
		atomic_fetch_add(&next, data[0]);
		for (unsigned n = data[1]; n > 0; n--)
			cpu_relax();
	}
}

static int begin(const struct start_info *info)
{
	check(block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)) == 0, "the disk comes up");
	check(rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)) == 0, "the entropy device too");
	check(console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)) == 0, "the console");
	check(timer_start(11, true, tick, NULL) == 0, "the timer starts");
	check(cpu_count() == CPUS, "there are three CPUs");
	check(cpu_run(1, copy_sectors, NULL) == 0, "CPU 1 starts");
	check(cpu_run(2, draw, NULL) == 0, "CPU 2 starts");
	return check_done();
}

int main(const struct start_info *info)
{
	int byte = 0;
	unsigned count = 0;

	if (begin(info) != 0)
		return 100;
	printf("ready\n");
	while (byte != 'q') {
		byte = console_read_byte(&console);
		if (byte < 0)
			return 101;
		count++;
		printf("%u: byte %u at %u, %u ticks, number %u\n", count, (unsigned)byte,
			(unsigned)read_tsc(), (unsigned)atomic_load(&ticks),
			(unsigned)atomic_load(&next));
	}
	atomic_store(&has_ended, 1);
	return (int)count;
}
