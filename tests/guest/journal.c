/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills one sector of the disk after the other with its turn's number, over and over, flushes, and
 * prints the number once the flush was answered. Ends after as many turns as the command line says,
 * exit status 7.
 */

#include "block.h"
#include "check.h"

#define WORDS (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;
static uint32_t words[WORDS];

int main(const struct start_info *info)
{
	const uint32_t count = cmdline_number(info, 1);

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	for (uint32_t turn = 1; turn <= count; turn++) {
		for (unsigned i = 0; i < WORDS; i++)
			words[i] = turn;
		if (block_write(&disk, turn % (uint32_t)disk.capacity, words, 1) ||
			block_flush(&disk))
			return 3;
		printf("%u\n", turn);
	}
	return 7;
}
