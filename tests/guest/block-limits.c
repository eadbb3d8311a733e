/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk says of itself: prints "blocks of N bytes, units of N, pieces of N". Reads all of it
 * by one call, which the driver divides into pieces, and by one request; each of its words is to be
 * its own number. Then one sector, however large a block is. Exit status 0.
 */

#include "block.h"
#include "check.h"
#include "memory.h"

#define WORDS (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;

static void check_words(const uint32_t *words, uint32_t count, uint32_t first, const char *what)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < count; i += 61)
		wrong += words[i] != first + i;
	wrong += words[count - 1] != first + count - 1;
	check(!wrong, "%s: %u words are wrong", what, wrong);
}

int main(const struct start_info *info)
{
	struct block_request request;
	uint32_t len, *words;

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	printf("blocks of %u bytes, units of %u, pieces of %u\n", disk.block, disk.unit,
		disk.len_max);
	len = (uint32_t)disk.capacity * VIRTIO_BLK_SECTOR_SIZE;
	words = pages_take(len / PAGE_SIZE + 1);

	check(block_read(&disk, 0, words, (unsigned)disk.capacity) == 0, "read all");
	check_words(words, len / 4, 0, "read all");
	memset(words, 0xff, len);
	check(block_submit(&disk, &request, VIRTIO_BLK_T_IN, 0, words, len) == 0, "submit all");
	block_kick(&disk);
	check(block_wait(&request) == 0, "HARD-18 a request beyond the limits is served, in steps");
	check_words(words, len / 4, 0, "submit all");
	check(block_read(&disk, 3, words, 1) == 0, "BLK-DEV-16 read sector 3");
	check_words(words, WORDS, 3 * WORDS, "BLK-DEV-16 sector 3");
	return check_done();
}
