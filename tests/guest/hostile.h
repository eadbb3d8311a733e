/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_HOSTILE_H
#define TESTS_GUEST_HOSTILE_H

/*
 * What the hostile kernels share: the devices to attack, and the proof that an attack has harmed nobody
 * but the attacker. After each attack the other devices answer, and so does this one after a reset.
 *
 * Input is to be endless; a dot is written to the console each time that it is proved to work.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "error.h"
#include "rng.h"
#include "timer.h"
#include "x86.h"

static struct block disk;
static struct rng rng;
static struct console console;

struct target {
	const char *name;
	uint32_t id;
	struct mmio *dev;
	struct virtq *queues[2];
	unsigned queue_count;
	int (*init)(const struct device_map_entry *entry);
	bool (*works)(void); /* after init */

	const struct device_map_entry *entry;
};

static int init_disk(const struct device_map_entry *entry)
{
	return block_init(&disk, entry);
}

static bool disk_works(void)
{
	static uint32_t words[VIRTIO_BLK_SECTOR_SIZE / 4];

	words[0] = UINT32_MAX;
	return block_read(&disk, 1, words, 1) == 0 && words[0] != UINT32_MAX;
}

static int init_rng(const struct device_map_entry *entry)
{
	return rng_init(&rng, entry);
}

static bool rng_works(void)
{
	uint32_t words[4] = {0};

	return rng_read(&rng, words, sizeof(words)) == 0 && (words[0] | words[1] | words[2]);
}

static int init_console(const struct device_map_entry *entry)
{
	return console_init(&console, entry);
}

static bool console_works(void)
{
	return console_write(&console, ".", 1) == 0 && console_read_byte(&console) >= 0;
}

static struct target targets[] = {
	{"block", VIRTIO_ID_BLOCK, &disk.dev, {&disk.queues[0]}, 1, init_disk, disk_works, NULL},
	{"rng", VIRTIO_ID_ENTROPY, &rng.dev, {&rng.vq}, 1, init_rng, rng_works, NULL},
	{"console", VIRTIO_ID_CONSOLE, &console.dev,
		{&console.ports[0].receive, &console.ports[0].transmit}, 2, init_console,
		console_works, NULL},
};

#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static unsigned attacks;

/* All devices, with these features declined. */
static void start_targets(const struct start_info *info, uint64_t declined)
{
	for (unsigned i = 0; i < TARGETS; i++) {
		struct target *target = &targets[i];

		target->entry = find_device(info, target->id);
		target->dev->declined = declined;
		check(target->init(target->entry) == 0, "%s comes up", target->name);
		check(target->works(), "%s works", target->name);
	}
}

/* The device alone: its queues are empty, live, and at their start. */
static void bring_up(struct target *target, uint64_t declined)
{
	struct mmio *dev = target->dev;

	dev->declined = declined;
	check(mmio_begin(dev, target->entry, target->id, 0) == 0, "%s: features", target->name);
	for (unsigned i = 0; i < target->queue_count; i++)
		check(mmio_queue(dev, i, target->queues[i]) == 0, "%s: queue", target->name);
	check(mmio_ready(dev) == 0, "%s: live", target->name);
}

static inline bool has_failed(const struct mmio *dev)
{
	return mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET;
}

/* Nobody was harmed. */
static void check_aftermath(struct target *target, uint64_t declined, const char *name)
{
	attacks++;
	for (unsigned i = 0; i < TARGETS; i++)
		if (&targets[i] != target)
			check(targets[i].works(), "%s, attacked by \"%s\": %s works", target->name,
				name, targets[i].name);
	target->dev->declined = declined;
	check(target->init(target->entry) == 0, "%s comes up after \"%s\"", target->name, name);
	check(target->works(), "%s works after \"%s\"", target->name, name);
}

static inline int attacks_done(void)
{
	printf("\n%u attacks\n", attacks);
	return check_done();
}

#endif
