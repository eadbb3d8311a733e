/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_HOSTILE_H
#define TESTS_GUEST_HOSTILE_H

/*
 * What the hostile kernels share: the devices to attack, and the proof that an attack has harmed
 * nobody but the attacker. After each attack the other devices answer, and so does this one after a
 * reset.
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

#define PATIENCE_US 20000000
#define NOWHERE     0xc8000000 /* no RAM, and no device */

/* How the device has to react to an attack. */
enum outcome {
	FAILS,    /* it asks for a reset */
	ANSWERS,  /* the chain comes back */
	GOES_ON,  /* it works, as if nothing had been */
	ANYTHING, /* whatever: the driver gets what it deserves */
};

static struct block disk;
static struct rng rng;
static struct console console;

#define TARGET_QUEUES_MAX 10 /* of a console with four ports */

struct target {
	const char *name;
	uint32_t id;
	uint64_t wanted; /* features of its type */
	struct mmio *dev;
	struct virtq *queues[TARGET_QUEUES_MAX];
	int (*init)(const struct device_map_entry *entry);
	bool (*works)(void); /* after init */

	/* By start_targets(). */
	const struct device_map_entry *entry;
	unsigned queue_count; /* of those above, the ones that it has */
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

enum { BLOCK, RNG, CONSOLE, TARGETS };

static struct target targets[TARGETS] = {
	[BLOCK] =
		{
			.name = "block",
			.id = VIRTIO_ID_BLOCK,
			.wanted = FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_BLK_F_CONFIG_WCE) |
				  FEATURE(VIRTIO_BLK_F_MQ) | FEATURE(VIRTIO_BLK_F_DISCARD) |
				  FEATURE(VIRTIO_BLK_F_WRITE_ZEROES),
			.dev = &disk.dev,
			.queues = {&disk.queues[0], &disk.queues[1], &disk.queues[2],
				&disk.queues[3]},
			.init = init_disk,
			.works = disk_works,
		},
	[RNG] =
		{
			.name = "rng",
			.id = VIRTIO_ID_ENTROPY,
			.dev = &rng.dev,
			.queues = {&rng.vq},
			.init = init_rng,
			.works = rng_works,
		},
	[CONSOLE] =
		{
			.name = "console",
			.id = VIRTIO_ID_CONSOLE,
			.wanted = FEATURE(VIRTIO_CONSOLE_F_MULTIPORT),
			.dev = &console.dev,
			.queues = {&console.ports[0].receive, &console.ports[0].transmit,
				&console.control_receive, &console.control_transmit,
				&console.ports[1].receive, &console.ports[1].transmit,
				&console.ports[2].receive, &console.ports[2].transmit,
				&console.ports[3].receive, &console.ports[3].transmit},
			.init = init_console,
			.works = console_works,
		},
};

/* Features declined: once rings are split and requests direct, once neither. */
static const uint64_t forms[] = {
	FEATURE(VIRTIO_F_RING_PACKED) | FEATURE(VIRTIO_F_INDIRECT_DESC), 0};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static unsigned attack_count;

/* A queue that does not exist has no size (virtio 4.2.2). */
static bool has_queue(const struct target *target, unsigned queue)
{
	mmio_write(target->dev, VIRTIO_MMIO_QUEUE_SEL, queue);
	return mmio_read(target->dev, VIRTIO_MMIO_QUEUE_SIZE_MAX) > 0;
}

/* All devices, with these features declined. */
static void start_targets(const struct start_info *info, uint64_t declined)
{
	for (unsigned i = 0; i < TARGETS; i++) {
		struct target *target = &targets[i];

		target->entry = find_device(info, target->id);
		target->dev->declined = declined;
		check(target->init(target->entry) == 0, "%s comes up", target->name);
		check(target->works(), "%s works", target->name);
		target->queue_count = 0;
		while (target->queue_count < TARGET_QUEUES_MAX &&
			target->queues[target->queue_count] &&
			has_queue(target, target->queue_count))
			target->queue_count++;
	}
}

/* The device alone, its features agreed on. */
static inline void choose(struct target *target, uint64_t declined)
{
	target->dev->declined = declined;
	check(mmio_begin(target->dev, target->entry, target->id, VIRTQ_FEATURES | target->wanted) ==
			0,
		"%s: features", target->name);
}

/* And its queues are empty, live, and at their start. */
static inline void bring_up(struct target *target, uint64_t declined)
{
	choose(target, declined);
	for (unsigned i = 0; i < target->queue_count; i++)
		check(virtq_setup(target->queues[i], target->dev, i) == 0, "%s: queue",
			target->name);
	check(mmio_ready(target->dev) == 0, "%s: live", target->name);
}

static inline bool is_packed(const struct mmio *dev)
{
	return mmio_has_feature(dev, VIRTIO_F_RING_PACKED);
}

static inline bool has_failed(const struct mmio *dev)
{
	return mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET;
}

/* Give the device a buffer that cannot be, which it fails by; and wait until it has. */
static inline void spoil(struct virtq *vq, bool writable)
{
	struct virtq_buffer nowhere = {(void *)NOWHERE, 1};

	check(virtq_add(vq, &nowhere, !writable, writable, vq) == 0, "it fits");
	mmio_kick(vq->dev, vq->index, 0);
}

static inline void wait_for_failure(const struct mmio *dev)
{
	uint64_t begin = read_tsc();

	while (!has_failed(dev) && timer_microseconds(read_tsc() - begin) < PATIENCE_US)
		cpu_relax();
}

static inline void write_in(unsigned width, uint32_t address, uint32_t value)
{
	if (width == 1)
		write8(address, (uint8_t)value);
	else if (width == 2)
		write16(address, (uint16_t)value);
	else
		write32(address, value);
}

/* Nobody was harmed. */
static void check_aftermath(struct target *target, uint64_t declined, const char *name)
{
	attack_count++;
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
	printf("\n%u attacks\n", attack_count);
	return check_done();
}

#endif
