/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets a disk with requests under way, then uses their memory for something else: the device must
 * not write there any more (virtio 2.4.1). Then the same by QueueReady (4.2.2.1). Exit status 0.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "memory.h"
#include "timer.h"

#define ROUNDS   10
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
	check(!changed, "HARD-14 memory is left alone after %s, %u changes", when, changed);
}

static void round(const struct device_map_entry *entry, bool by_queue)
{
	struct virtq *vq = &disk.vq;
	uint16_t used;

	check(block_init(&disk, entry) == 0, "disk comes up");
	for (unsigned i = 0; i < REQUESTS; i++)
		check(block_submit(&disk, &requests[i], VIRTIO_BLK_T_IN, 0, pages[i], PAGE_SIZE) ==
				0,
			"request %u is submitted", i);
	virtq_kick(vq);

	if (by_queue) {
		mmio_write(&disk.dev, VIRTIO_MMIO_QUEUE_SEL, 0);
		mmio_write(&disk.dev, VIRTIO_MMIO_QUEUE_READY, 0);
		check(mmio_read(&disk.dev, VIRTIO_MMIO_QUEUE_READY) == 0,
			"MMIO-DEV-16 queue is stopped");
	} else {
		mmio_reset(&disk.dev);
	}
	used = atomic_load(&vq->used->idx.raw);
	poison();
	timer_delay(2000);
	check_poison(by_queue ? "QueueReady 0, MMIO-DEV-01" : "reset, BASE-DEV-02");
	check(atomic_load(&vq->used->idx.raw) == used, "HARD-14 the used ring is left alone");
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);

	for (unsigned i = 0; i < REQUESTS; i++)
		pages[i] = pages_take(1);
	for (unsigned i = 0; i < ROUNDS; i++)
		round(entry, i % 2);

	check(block_init(&disk, entry) == 0, "disk comes up at last");
	check(block_read(&disk, 0, pages[0], 1) == 0, "and works");
	return check_done();
}
