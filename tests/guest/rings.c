/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses disk, entropy device and console with every set of the features that concern queues, of
 * those that the disk offers, by declining the others: each fills its queue with requests, several
 * times around, and looks at what it gets; then again after having reset the queue alone. Each
 * 32-bit word of the image is to be its own number, as block-rw leaves it; input is to be the
 * alphabet, over and over. Writes one line for each set through the console, then prints how many
 * there were. Exit status 0.
 */

#include <vole/virtio_console.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "rng.h"

#define ROUNDS    2
#define REQUESTS  VIRTQ_SIZE /* at most under way at once */
#define WORDS     (VIRTIO_BLK_SECTOR_SIZE / 4)
#define INPUT     100 /* bytes to read: more than one buffer */
#define FEATURES  (sizeof(features) / sizeof(features[0]))
#define ALL_TABLE VIRTQ_SIZE       /* requests that a queue takes if each is one descriptor */
#define ALL_CHAIN (VIRTQ_SIZE / 3) /* if each is three */

static const unsigned features[] = {VIRTIO_F_RING_PACKED, VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_EVENT_IDX, VIRTIO_F_IN_ORDER, VIRTIO_F_NOTIFICATION_DATA};

static const struct device_map_entry *disk_entry, *rng_entry, *console_entry;
static struct block disk;
static struct rng rng;
static struct console console;

static struct block_request requests[REQUESTS];
static uint32_t words[REQUESTS][WORDS];

/* How many requests of three buffers fit. */
static unsigned expected(const struct mmio *dev)
{
	return mmio_has_feature(dev, VIRTIO_F_INDIRECT_DESC) ? ALL_TABLE : ALL_CHAIN;
}

/* --- the disk --- */

/* As many as the queue takes. How many. */
static unsigned submit_all(void)
{
	unsigned count = 0;

	while (count < REQUESTS && block_submit(&disk, &requests[count], VIRTIO_BLK_T_IN, count,
					   words[count], VIRTIO_BLK_SECTOR_SIZE) == 0)
		count++;
	return count;
}

static void use_disk(void)
{
	unsigned count, failed = 0, wrong = 0;

	for (unsigned i = 0; i < REQUESTS; i++)
		words[i][0] = words[i][WORDS - 1] = UINT32_MAX;
	count = submit_all();
	block_kick(&disk);
	for (unsigned i = 0; i < count; i++) {
		uint32_t first = i * WORDS;

		failed += block_wait(&requests[i]) != 0;
		wrong += words[i][0] != first || words[i][WORDS - 1] != first + WORDS - 1;
	}
	check(count == expected(&disk.dev), "features 0x%llx: %u requests fit", disk.dev.features,
		count);
	check(failed == 0, "features 0x%llx: %u requests fail", disk.dev.features, failed);
	check(wrong == 0, "features 0x%llx: %u sectors differ", disk.dev.features, wrong);
}

/* --- the entropy device --- */

/* Requests of three buffers, and none waits for the one before. */
static void use_rng(void)
{
	static uint8_t bytes[REQUESTS][12];
	unsigned count = 0, order = 0, same = 0;

	memset(bytes, 0, sizeof(bytes));
	for (; count < REQUESTS; count++) {
		uint8_t *to = bytes[count];

		if (virtq_add(&rng.vq, (struct virtq_buffer[]){{to, 1}, {to + 1, 3}, {to + 4, 8}},
			    0, 3, to))
			break;
	}
	check(count == expected(&rng.dev), "features 0x%llx: %u requests fit", rng.dev.features,
		count);
	virtq_kick(&rng.vq);
	for (unsigned i = 0; i < count; i++) {
		uint32_t len = 0;

		if (virtq_wait(&rng.vq))
			break;
		order += virtq_take(&rng.vq, &len) == bytes[i] && len == sizeof(bytes[i]);
		same += memcmp(bytes[i] + 4, "\0\0\0\0\0\0\0\0", 8) == 0;
	}
	check(order == count, "features 0x%llx: %u of %u requests come back, RES-DEV-02",
		rng.dev.features, order, count);
	check(same == 0, "features 0x%llx: %u are not random", rng.dev.features, same);
}

/* --- the console --- */

static void use_console(unsigned set)
{
	char line[] = {'s', 'e', 't', ' ', '0' + set / 10, '0' + set % 10, '\n'};
	struct virtq_buffer buffers[] = {{line, 4}, {line + 4, 1}, {line + 5, 2}};
	uint32_t len = 1;

	check(virtq_add(&console.ports[0].transmit, buffers, 3, 0, &console) == 0, "a line fits");
	virtq_kick(&console.ports[0].transmit);
	check(virtq_wait(&console.ports[0].transmit) == 0, "a line is written");
	check(virtq_take(&console.ports[0].transmit, &len) == &console && !len, "and comes back");
}

/* The driver makes its buffers available anew as it goes. What is in them at the next reset is
 * lost. */
static void use_input(void)
{
	int last = console_read_byte(&console);
	unsigned wrong = 0;

	for (unsigned i = 1; i < INPUT; i++) {
		int next = console_read_byte(&console);

		wrong += next != (last == 'z' ? 'a' : last + 1);
		last = next;
	}
	check(wrong == 0, "features 0x%llx: %u bytes of input are wrong", console.dev.features,
		wrong);
}

/* --- all of them --- */

static void start_all(uint64_t declined)
{
	disk.dev.declined = rng.dev.declined = console.dev.declined = declined;
	if (block_init(&disk, disk_entry) || rng_init(&rng, rng_entry) ||
		console_init(&console, console_entry))
		power_off(1);
	check(disk.capacity >= REQUESTS, "the disk has a sector for each request");
}

static void reset_queue(struct mmio *dev, unsigned index, struct virtq *vq)
{
	check(mmio_queue_reset(dev, index) == 0, "BASE-DEV-05 queue %u is reset", index);
	check(virtq_setup(vq, dev, index) == 0, "BASE-DEV-12 and set up again");
}

static void use_all(unsigned set)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		use_disk();
		use_rng();
	}
	use_input();
	use_console(set);

	reset_queue(&disk.dev, 0, &disk.queues[0]);
	reset_queue(&rng.dev, 0, &rng.vq);
	reset_queue(&console.dev, VIRTIO_CONSOLE_QUEUE_TRANSMIT, &console.ports[0].transmit);
	check(block_read(&disk, 1, words[0], 1) == 0 && words[0][0] == WORDS, "the disk works");
	check(rng_read(&rng, words[0], 4) == 0, "and the entropy device");
	use_console(set);
}

int main(const struct start_info *info)
{
	uint64_t all = 0, offered;
	unsigned sets = 0;

	disk_entry = find_device(info, VIRTIO_ID_BLOCK);
	rng_entry = find_device(info, VIRTIO_ID_ENTROPY);
	console_entry = find_device(info, VIRTIO_ID_CONSOLE);
	for (unsigned i = 0; i < FEATURES; i++)
		all |= FEATURE(features[i]);
	start_all(0);
	offered = disk.dev.features & all;

	for (unsigned choice = 0; choice < 1u << FEATURES; choice++) {
		uint64_t declined = 0;

		for (unsigned i = 0; i < FEATURES; i++)
			if (choice & 1u << i)
				declined |= FEATURE(features[i]);
		if (declined & ~offered)
			continue;
		start_all(declined);
		check((disk.dev.features & all) == (offered & ~declined),
			"all others are agreed on");
		use_all(sets++);
	}
	printf("%u sets of features\n", sets);
	return check_done();
}
