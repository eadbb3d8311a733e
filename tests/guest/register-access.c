/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses registers of a virtio device in ways that no driver may: other widths, not aligned,
 * wrong direction, places without a register, queues that do not exist. Reads give 0, writes change
 * nothing, and the device works afterwards. Exit status 0.
 */

#include <vole/virtio_mmio.h>

#include "block.h"
#include "check.h"
#include "x86.h"

static struct block disk;

static void check_reads(uint32_t base)
{
	static const uint16_t write_only[] = {VIRTIO_MMIO_DEVICE_FEATURES_SEL,
		VIRTIO_MMIO_DRIVER_FEATURES, VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_MMIO_QUEUE_SEL,
		VIRTIO_MMIO_QUEUE_SIZE, VIRTIO_MMIO_QUEUE_NOTIFY, VIRTIO_MMIO_INTERRUPT_ACK,
		VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_DEVICE_HIGH};
	static const uint16_t nothing[] = {0x018, 0x028, 0x03c, 0x040, 0x04c, 0x0a8, 0x0f8};

	check(read8(base) == 0, "8 bits of MagicValue");
	check(read16(base) == 0, "16 bits of MagicValue");
	check(read32(base + 2) == 0, "MagicValue, not aligned");
	check(read8(base + VIRTIO_MMIO_STATUS) == 0, "8 bits of Status");
	for (unsigned i = 0; i < sizeof(write_only) / sizeof(write_only[0]); i++)
		check(read32(base + write_only[i]) == 0, "write-only 0x%x", write_only[i]);
	for (unsigned i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		check(read32(base + nothing[i]) == 0, "no register at 0x%x", nothing[i]);
	check(read32(base + VIRTIO_MMIO_SHM_LEN_LOW) == UINT32_MAX, "MMIO-DEV-17 no shared memory");

	/* The config space has fields of any width, and an end. */
	check(read32(base + VIRTIO_MMIO_CONFIG) == (uint32_t)disk.capacity, "capacity");
	check(read16(base + VIRTIO_MMIO_CONFIG) == (uint16_t)disk.capacity,
		"MMIO-DEV-18 16 bits of it");
	check(read8(base + VIRTIO_MMIO_CONFIG) == (uint8_t)disk.capacity,
		"MMIO-DEV-18 8 bits of it");
	check(read32(base + VIRTIO_MMIO_CONFIG + sizeof(struct virtio_blk_config)) == 0,
		"HARD-25 behind the config space");
	check(read32(base + VIRTIO_MMIO_WINDOW_SIZE - 4) == 0, "end of the window");
	check(read8(base + VIRTIO_MMIO_WINDOW_SIZE - 1) == 0, "last byte of the window");
}

static void check_writes(uint32_t base)
{
	uint32_t status = read32(base + VIRTIO_MMIO_STATUS);

	write8(base + VIRTIO_MMIO_STATUS, 0); /* would be a reset */
	write16(base + VIRTIO_MMIO_STATUS, 0);
	write32(base + VIRTIO_MMIO_STATUS - 2, 0);
	check(read32(base + VIRTIO_MMIO_STATUS) == status, "Status stays");
	write32(base + VIRTIO_MMIO_MAGIC_VALUE, 1);
	write32(base + VIRTIO_MMIO_DEVICE_ID, 1);
	write32(base + VIRTIO_MMIO_INTERRUPT_STATUS, UINT32_MAX);
	check(read32(base + VIRTIO_MMIO_MAGIC_VALUE) == VIRTIO_MMIO_MAGIC, "MagicValue stays");
	check(read32(base + VIRTIO_MMIO_DEVICE_ID) == VIRTIO_ID_BLOCK, "DeviceID stays");
	write32(base + VIRTIO_MMIO_CONFIG, 1);
	write8(base + VIRTIO_MMIO_CONFIG + 1, 1);
	check(read32(base + VIRTIO_MMIO_CONFIG) == (uint32_t)disk.capacity,
		"HARD-25 BLK-DEV-19 capacity stays");

	/* Queues that do not exist, and one that is in use. */
	write32(base + VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	write32(base + VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
	write32(base + VIRTIO_MMIO_QUEUE_SEL, UINT32_MAX);
	check(read32(base + VIRTIO_MMIO_QUEUE_SIZE_MAX) == 0, "HARD-15 MMIO-DEV-12 no such queue");
	write32(base + VIRTIO_MMIO_QUEUE_READY, 1);
	check(read32(base + VIRTIO_MMIO_QUEUE_READY) == 0, "HARD-15 it cannot be made ready");
	write32(base + VIRTIO_MMIO_QUEUE_SEL, 0);
	write32(base + VIRTIO_MMIO_QUEUE_SIZE, 3);
	write32(base + VIRTIO_MMIO_QUEUE_DESC_LOW, 0xdeadbeef);
	check(read32(base + VIRTIO_MMIO_STATUS) == status, "Status still stays");
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_BLOCK);
	uint8_t data[VIRTIO_BLK_SECTOR_SIZE];

	if (block_init(&disk, entry))
		return 1;
	check_reads(entry->base_addr);
	check_writes(entry->base_addr);
	check(block_read(&disk, 0, data, 1) == 0, "the device works");
	return check_done();
}
