/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets a disk with requests under way, then uses their memory for something else: the device must
 * not write there any more (virtio 2.4.1). Then the same by QueueReady (4.2.2.1), and by QueueReset
 * (2.6.1), after which the queue goes on anew. Exit status 0.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "memory.h"
#include "timer.h"

#define ROUNDS   12
#define REQUESTS 20
#define SECTORS  8    /* of a request: one page */
#define POISON   0x5a /* in every byte */

static struct block disk;
static struct block_request requests[REQUESTS];
static uint8_t *pages[REQUESTS];

static void poison(void)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		memset(pages[i], POISON, PAGE_SIZE);
		requests[i].status = POISON;
	}
}

static void check_poison(const char *when)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < REQUESTS; i++) {
		/* Ends and middle are enough: a request is one page, written in one go. */
		changed += pages[i][0] != POISON;
		changed += pages[i][PAGE_SIZE / 2] != POISON;
		changed += pages[i][PAGE_SIZE - 1] != POISON;
		changed += requests[i].status != POISON;
	}
	check(!changed, "HARD-14 MMIO-DEV-21 memory is left alone after %s, %u changes", when,
		changed);
}

enum way { BY_RESET, BY_QUEUE_READY, BY_QUEUE_RESET, WAYS };

static void stop(enum way way)
{
	switch (way) {
	case BY_RESET:
		mmio_reset(&disk.dev);
		break;
	case BY_QUEUE_READY:
		mmio_write(&disk.dev, VIRTIO_MMIO_QUEUE_SEL, 0);
		mmio_write(&disk.dev, VIRTIO_MMIO_QUEUE_READY, 0);
		check(mmio_read(&disk.dev, VIRTIO_MMIO_QUEUE_READY) == 0,
			"MMIO-DEV-16 queue is stopped");
		break;
	default:
		check(mmio_queue_reset(&disk.dev, 0) == 0, "MMIO-DEV-05 queue is reset");
		check(mmio_read(&disk.dev, VIRTIO_MMIO_QUEUE_READY) == 0,
			"MMIO-DEV-07 and not ready any more");
	}
}

static void round(const struct device_map_entry *entry, enum way way)
{
	static const char *const names[] = {
		"reset, BASE-DEV-02", "QueueReady 0, MMIO-DEV-01", "QueueReset 1, BASE-DEV-05"};
	static uint8_t before[sizeof(struct virtq)];
	const uint8_t *now = (const uint8_t *)&disk.queues[0];

	check(block_init(&disk, entry) == 0, "disk comes up");
	for (unsigned i = 0; i < REQUESTS; i++)
		check(block_submit(&disk, &requests[i], VIRTIO_BLK_T_IN, 0, pages[i], PAGE_SIZE) ==
				0,
			"request %u is submitted", i);
	block_kick(&disk);
	stop(way);
	memcpy(before, now, sizeof(before));
	poison();
	timer_delay(2000);
	check_poison(names[way]);
	check(memcmp(before, now, sizeof(before)) == 0, "HARD-14 the rings are left alone");

	if (way == BY_QUEUE_RESET) {
		check(virtq_setup(&disk.queues[0], &disk.dev, 0) == 0,
			"BASE-DEV-12 the queue comes back");
		check(block_read(&disk, 0, pages[0], 1) == 0,
			"BASE-DEV-06 and works, from its start");
	}
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);

	for (unsigned i = 0; i < REQUESTS; i++)
		pages[i] = pages_take(1);
	for (unsigned i = 0; i < ROUNDS; i++)
		round(entry, i % WAYS);

	check(block_init(&disk, entry) == 0, "disk comes up at last");
	check(block_read(&disk, 0, pages[0], 1) == 0, "and works");
	return check_done();
}
