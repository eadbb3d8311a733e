/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes every sector of a small disk, flushes, reads and compares; then asks for what a disk has
 * to refuse. Prints "disk ID, N sectors". On a read-only disk nothing is written, and a write is to
 * fail. Exit status 0; each 32-bit word of the image is then its own number, counted from 0.
 */

#include "block.h"
#include "check.h"
#include "error.h"

#define SECTORS 8 /* at once */
#define WORDS   (SECTORS * VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;
static uint32_t words[WORDS];

/* One request with a length of its own. */
static int request(uint32_t type, uint64_t sector, size_t len)
{
	struct block_request request;

	if (block_submit(&disk, &request, type, sector, words, len))
		return -ENOSPC;
	block_kick(&disk);
	return block_wait(&request);
}

static void write_all(void)
{
	for (uint32_t sector = 0; sector < disk.capacity; sector += SECTORS) {
		for (unsigned i = 0; i < WORDS; i++)
			words[i] = sector * (VIRTIO_BLK_SECTOR_SIZE / 4) + i;
		check(block_write(&disk, sector, words, SECTORS) == 0, "write %u", sector);
	}
	check(block_flush(&disk) == 0, "flush");
	memset(words, 0, sizeof(words));
}

static void read_all(void)
{
	for (uint32_t sector = 0; sector < disk.capacity; sector += SECTORS) {
		unsigned wrong = 0;

		check(block_read(&disk, sector, words, SECTORS) == 0, "read %u", sector);
		for (unsigned i = 0; i < WORDS; i++)
			wrong += words[i] != sector * (VIRTIO_BLK_SECTOR_SIZE / 4) + i;
		check(!wrong, "sector %u has what was written", sector);
	}
}

static void check_refusals(void)
{
	const uint64_t end = disk.capacity;

	check(block_read(&disk, end, words, 1) == -EIO, "BLK-DEV-06 read behind the end");
	check(block_read(&disk, end - 1, words, 2) == -EIO, "BLK-DEV-06 read over the end");
	check(block_read(&disk, UINT64_MAX, words, 1) == -EIO,
		"BLK-DEV-06 read at the last sector of all");
	check(block_read(&disk, UINT64_C(1) << 55, words, 1) == -EIO,
		"HARD-16 read where bytes overflow");
	check(request(VIRTIO_BLK_T_IN, 0, 511) == -EIO, "BLK-DEV-17 read less than a sector");
	check(request(VIRTIO_BLK_T_OUT, 0, 513) == -EIO, "BLK-DEV-17 write more than a sector");
	check(block_write(&disk, end, words, 1) == -EIO, "write behind the end");
	check(request(VIRTIO_BLK_T_SECURE_ERASE, 0, 16) == -ENOTSUP, "BLK-DEV-11 secure erase");
	check(request(0x80000000, 0, 512) == -ENOTSUP, "BLK-DEV-11 a type that nobody knows");
	check(block_read(&disk, end - 1, words, 1) == 0, "and the last sector is there");
}

int main(const struct start_info *info)
{
	char id[VIRTIO_BLK_ID_BYTES + 1];

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	check(block_id(&disk, id) == 0, "BLK-DEV-15 get id");
	printf("disk %s, %llu sectors\n", id, disk.capacity);
	check(disk.capacity % SECTORS == 0, "the disk has a multiple of %u sectors", SECTORS);
	if (disk.read_only) {
		check(block_read(&disk, 0, words, 1) == 0, "read from a read-only disk");
		check(block_write(&disk, 0, words, 1) == -EIO,
			"BLK-DEV-01 write to a read-only disk");
	} else {
		write_all();
		read_all();
	}
	check_refusals();
	return check_done();
}
