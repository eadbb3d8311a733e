/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks a disk that has four queues, and 512 MiB or more, for far more than it can do in a few
 * seconds, and ends at once, with exit status 0. Needs 640 MiB of memory.
 */

#include "block.h"
#include "check.h"
#include "memory.h"

#define LEN      (512u << 20) /* of each */
#define REQUESTS VIRTQ_SIZE

static struct block disk;
static struct block_request requests[BLOCK_QUEUES_MAX][REQUESTS];

int main(const struct start_info *info)
{
	void *data = pages_take(LEN / PAGE_SIZE);
	unsigned count = 0;

	if (!data || block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	for (disk.queue = 0; disk.queue < disk.queue_count; disk.queue++) {
		for (unsigned i = 0; i < REQUESTS; i++)
			count += block_submit(&disk, &requests[disk.queue][i], VIRTIO_BLK_T_IN, 0,
					 data, LEN) == 0;
		block_kick(&disk);
	}
	check(count == BLOCK_QUEUES_MAX * REQUESTS, "%u requests fit", count);
	return check_done();
}
