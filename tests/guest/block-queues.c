/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All queues of a disk at once: each has several reads under way, as many as it takes, of sectors
 * of its own, whose words count up. Prints how many queues there are. Exit status 0.
 */

#include "block.h"
#include "check.h"

#define ROUNDS   8
#define REQUESTS 8 /* of a queue, at most */
#define WORDS    (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;
static struct block_request requests[BLOCK_QUEUES_MAX][REQUESTS];
static uint32_t words[BLOCK_QUEUES_MAX][REQUESTS][WORDS];

static uint32_t sector_of(unsigned queue, unsigned request)
{
	return queue * REQUESTS + request;
}

/* Submits reads to the queue that the disk's requests go to now. Returns how many it took. */
static unsigned submit_reads(void)
{
	unsigned count = 0;

	while (count < REQUESTS && block_submit(&disk, &requests[disk.queue][count],
					   VIRTIO_BLK_T_IN, sector_of(disk.queue, count),
					   words[disk.queue][count], VIRTIO_BLK_SECTOR_SIZE) == 0)
		count++;
	return count;
}

static void round(void)
{
	unsigned counts[BLOCK_QUEUES_MAX], failed = 0, wrong = 0;

	memset(words, 0xff, sizeof(words));
	for (disk.queue = 0; disk.queue < disk.queue_count; disk.queue++) {
		counts[disk.queue] = submit_reads();
		check(counts[disk.queue] > 0, "BLK-DEV-21 queue %u takes a request", disk.queue);
	}
	for (disk.queue = 0; disk.queue < disk.queue_count; disk.queue++)
		block_kick(&disk);
	/* The last queue first: none depends on another. */
	for (unsigned queue = disk.queue_count; queue-- > 0;) {
		for (unsigned i = 0; i < counts[queue]; i++) {
			failed += block_wait(&requests[queue][i]) != 0;
			wrong += words[queue][i][1] != sector_of(queue, i) * WORDS + 1;
		}
	}
	disk.queue = 0;
	check(failed == 0, "BLK-DEV-21 %u requests failed", failed);
	check(wrong == 0, "BLK-DEV-21 %u sectors are wrong", wrong);
}

int main(const struct start_info *info)
{
	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	printf("%u queues\n", disk.queue_count);
	for (unsigned i = 0; i < ROUNDS; i++)
		round();
	return check_done();
}
