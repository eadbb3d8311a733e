/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write zeroes and discard, on a disk of 32768 sectors that counts up from its first to its last
 * word:
 *
 *	sectors 8 to 24007	zeroed, storage kept: several ranges, in several requests
 *	sectors 24016 to 24023	zeroed, storage given back
 *	sectors 25000 to 25999	discarded
 *
 * Each is read back; then what a disk has to refuse. Prints the limits, as "discard 16 of 131072,
 * zero 8 of 2048". Exit status 0.
 */

#include "block.h"
#include "check.h"
#include "error.h"

#define WORDS (VIRTIO_BLK_SECTOR_SIZE / 4)

static struct block disk;

/* The sectors are zero, or each word is its own number. To look at all of them is the host's
 * task, which is faster. */
static void check_sectors(uint64_t begin, uint64_t end, bool zero)
{
	static uint32_t words[8 * WORDS];
	unsigned wrong = 0;

	for (uint64_t sector = begin; sector < end; sector += 1000) {
		check(block_read(&disk, sector, words, 8) == 0, "read %llu", sector);
		for (unsigned i = 0; i < 8 * WORDS; i += WORDS - 1)
			wrong += words[i] != (zero ? 0 : (uint32_t)sector * WORDS + i);
	}
	check(!wrong, "BLK-DEV-09 sectors %llu to %llu: %u words are wrong", begin, end - 1, wrong);
}

/* A request with one range. */
static int request(uint32_t type, uint64_t sector, uint32_t count, uint32_t flags, size_t len)
{
	struct virtio_blk_discard_write_zeroes ranges[2] = {
		{cpu_to_le64(sector), cpu_to_le32(count), cpu_to_le32(flags)}};
	struct block_request request;

	if (block_submit(&disk, &request, type, 0, ranges, len))
		return -ENOSPC;
	block_kick(&disk);
	return block_wait(&request);
}

static void check_refusals(uint32_t type, const struct block_limits *limits)
{
	const uint64_t end = disk.capacity;

	check(request(type, end, 1, 0, 16) == -EIO, "BLK-DEV-10 type %u behind the end", type);
	check(request(type, end - 1, 2, 0, 16) == -EIO, "BLK-DEV-10 type %u over the end", type);
	check(request(type, UINT64_MAX, 1, 0, 16) == -EIO, "HARD-16 type %u that overflows", type);
	check(request(type, 0, limits->sectors + 1, 0, 16) == -EIO,
		"BLK-DEV-10 type %u of too many sectors", type);
	check(request(type, 0, 1, 2, 16) == -ENOTSUP, "BLK-DEV-07 type %u with a flag", type);
	check(request(type, 0, 1, 1u << 31, 16) == -ENOTSUP, "BLK-DEV-07 type %u: bit 31", type);
	check(request(type, 0, 1, 0, 15) == -EIO, "BLK-DEV-10 type %u of 15 bytes", type);
	check(request(type, 0, 1, 0, 0) == -EIO, "BLK-DEV-10 type %u of nothing", type);
}

int main(const struct start_info *info)
{
	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	printf("discard %u of %u, zero %u of %u\n", disk.discard.segments, disk.discard.sectors,
		disk.zero.segments, disk.zero.sectors);
	check(block_zero(&disk, 8, 24000, false) == 0, "BLK-DEV-09 write zeroes");
	check(block_zero(&disk, 24016, 8, true) == 0, "BLK-DEV-09 write zeroes and unmap");
	check_sectors(0, 8, false);
	check_sectors(8, 24008, true);
	check_sectors(24008, 24016, false);
	check_sectors(24016, 24024, true);
	check_sectors(24024, 24032, false);
	check(block_discard(&disk, 25000, 1000) == 0, "discard");
	check_sectors(26000, 26008, false);
	check(request(VIRTIO_BLK_T_DISCARD, 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, 16) ==
			-ENOTSUP,
		"BLK-DEV-08 a discard with unmap");
	check_refusals(VIRTIO_BLK_T_DISCARD, &disk.discard);
	check_refusals(VIRTIO_BLK_T_WRITE_ZEROES, &disk.zero);
	check_sectors(0, 8, false);
	return check_done();
}
