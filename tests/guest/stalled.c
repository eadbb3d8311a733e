/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints "ready" and waits for a byte of input. Then has the disk read a sector, and waits for a
 * second byte, which says that the read is under way. Reads the device's registers and prints
 * "registers answer". Then resets the device and prints "reset". Exit status 0.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "console.h"
#include "x86.h"

static struct block disk;
static struct console console;
static uint8_t sector[VIRTIO_BLK_SECTOR_SIZE];

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);
	struct block_request request;

	if (block_init(&disk, entry))
		return 1;
	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	printf("ready\n");
	if (console_read_byte(&console) < 0)
		return 1;
	if (block_submit(&disk, &request, VIRTIO_BLK_T_IN, 0, sector, sizeof sector))
		return 2;
	block_kick(&disk);
	if (console_read_byte(&console) < 0)
		return 1;
	check(read32(entry->base_addr + VIRTIO_MMIO_STATUS) == 0xf, "Status");
	check(read32(entry->base_addr + VIRTIO_MMIO_INTERRUPT_STATUS) < 4, "InterruptStatus");
	check(read32(entry->base_addr + VIRTIO_MMIO_CONFIG) != 0, "the capacity");
	printf("registers answer\n");
	write32(entry->base_addr + VIRTIO_MMIO_STATUS, 0);
	check(read32(entry->base_addr + VIRTIO_MMIO_STATUS) == 0, "BASE-DEV-02 reset");
	printf("reset\n");
	return check_done();
}
