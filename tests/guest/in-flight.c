/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has as many reads of the disk under way as the queue takes, several times, and checks each
 * sector's first word, which is to be the sector's number times 128. Prints nothing through virtio.
 * Exit status 0, 1 if the disk cannot be had, 2 if a request fails, 3 if a sector is wrong when its
 * request is said to be done.
 */

#include "block.h"
#include "check.h"

#define ROUNDS 8
#define WORDS  (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;
static struct block_request requests[VIRTQ_SIZE];
static uint32_t words[VIRTQ_SIZE][WORDS];

static int round_of_reads(unsigned first)
{
	unsigned count = 0;

	for (; count < VIRTQ_SIZE; count++) {
		words[count][0] = UINT32_MAX;
		if (block_submit(&disk, &requests[count], VIRTIO_BLK_T_IN,
			    (first + count) % (uint32_t)disk.capacity, words[count],
			    sizeof(words[count])))
			break;
	}
	block_kick(&disk);
	for (unsigned i = 0; i < count; i++) {
		uint32_t sector = (first + i) % (uint32_t)disk.capacity;

		if (block_wait(&requests[i]))
			return 2;
		if (words[i][0] != sector * WORDS)
			return 3;
	}
	return 0;
}

int main(const struct start_info *info)
{
	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		int status = round_of_reads(round * 5);

		if (status)
			return status;
	}
	return 0;
}
