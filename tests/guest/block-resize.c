/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk whose size changes: prints "N sectors", and again whenever the device tells of another
 * size, having read the last sector and tried the one behind it, until that is the number on the
 * command line. Exit status 0.
 */

#include "block.h"
#include "check.h"
#include "error.h"
#include "irq.h"
#include "x86.h"

static struct block disk;

static void wait_for_change(void)
{
	uint32_t eflags = interrupts_off();

	while (!block_look_again(&disk))
		irq_wait();
	interrupts_restore(eflags);
}

static void look(void)
{
	static uint8_t data[VIRTIO_BLK_SECTOR_SIZE];

	check(block_read(&disk, disk.capacity - 1, data, 1) == 0, "the last sector can be read");
	check(block_read(&disk, disk.capacity, data, 1) == -EIO,
		"BLK-DEV-06 the one behind it cannot");
	check(block_write(&disk, disk.capacity - 1, data, 1) == 0, "the last one can be written");
	printf("%llu sectors\n", disk.capacity);
}

int main(const struct start_info *info)
{
	uint32_t last = cmdline_number(info, 0);

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	look();
	while (disk.capacity != last) {
		wait_for_change();
		look();
	}
	check(atomic_load(&disk.dev.changes) != 0, "BLK-DEV-20 by a notification");
	return check_done();
}
