/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes sectors one by one from the number on the command line on, flushes, and reads sector 0.
 * For a host whose disk is full or broken: prints how many writes failed, "writes failed: N of N",
 * then "flush: E" and "read: E", E being 0 or a negative number of error.h. Exit status 0 in any
 * case: the VM goes on.
 */

#include "block.h"
#include "check.h"

static struct block disk;

int main(const struct start_info *info)
{
	static uint8_t data[VIRTIO_BLK_SECTOR_SIZE];
	unsigned count = 0, failed = 0;

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	memset(data, 0xa5, sizeof(data));
	for (uint64_t sector = cmdline_number(info, 0); sector < disk.capacity; sector++) {
		failed += block_write(&disk, sector, data, 1) != 0;
		count++;
	}
	printf("writes failed: %u of %u\n", failed, count);
	printf("flush: %d\n", block_flush(&disk));
	printf("read: %d\n", block_read(&disk, 0, data, 1));
	return 0;
}
