/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of a disk, by what the disk offers: prints "write-back" or "write-through", as it is at
 * first, and then if it can be chosen, changes it to and fro, writing in each mode. Exit status 0.
 */

#include "block.h"
#include "check.h"
#include "error.h"

static struct block disk;

static void show(void)
{
	printf("write-%s\n", block_writes_back(&disk) ? "back" : "through");
}

static void write_something(uint8_t byte)
{
	static uint8_t written[VIRTIO_BLK_SECTOR_SIZE], read[VIRTIO_BLK_SECTOR_SIZE];

	memset(written, byte, sizeof(written));
	check(block_write(&disk, 1, written, 1) == 0, "BLK-DEV-04 a write");
	check(block_read(&disk, 1, read, 1) == 0, "and a read");
	check(memcmp(written, read, sizeof(read)) == 0, "which gets what was written");
	check(block_flush(&disk) == (disk.can_flush ? 0 : -ENOTSUP), "a flush");
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);

	if (block_init(&disk, entry))
		return 1;
	show();
	write_something(1);
	if (!disk.can_choose) {
		check(block_set_write_back(&disk, true) == -ENOTSUP, "there is no choice");
		return check_done();
	}
	for (unsigned i = 0; i < 4; i++) {
		check(block_set_write_back(&disk, i & 1) == 0, "BLK-DEV-19 the mode is chosen");
		check(block_writes_back(&disk) == (i & 1), "BLK-DEV-19 and is so");
		show();
		write_something(2 + i);
	}
	check(block_set_write_back(&disk, false) == 0, "the other than at first");
	check(block_init(&disk, entry) == 0, "a reset");
	check(block_writes_back(&disk), "BASE-DEV-04 forgets the choice");
	return check_done();
}
