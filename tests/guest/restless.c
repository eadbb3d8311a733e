/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lays the areas of the entropy device's queue over each other such that it finds something new in
 * every pass: the available index is where the device says whether it wants kicks. Then writes 16
 * KiB to the serial port and ends. Exit status 7.
 */

#include <vole/virtio_mmio.h>

#include "check.h"
#include "rng.h"
#include "x86.h"

#define SERIAL_DATA 0x3f8

/* flags of the available ring, its idx, which is flags of the used ring, and the rest of both. */
static _Alignas(16) uint8_t areas[64];
static _Alignas(16) struct virtq_desc table[1];
static struct mmio dev;

static void set_area(uint32_t low, const void *area)
{
	mmio_write(&dev, low, (uint32_t)area);
	mmio_write(&dev, low + 4, 0);
}

int main(const struct start_info *info)
{
	static uint8_t bytes[16];
	static char text[16384];

	if (mmio_begin(
		    &dev, find_device(info, VIRTIO_ID_ENTROPY), VIRTIO_ID_ENTROPY, VIRTQ_FEATURES))
		return 1;
	table[0] = (struct virtq_desc){
		.addr = cpu_to_le64((uint32_t)bytes),
		.len = cpu_to_le32(sizeof bytes),
		.flags = cpu_to_le16(VIRTQ_DESC_F_WRITE),
	};
	mmio_write(&dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(&dev, VIRTIO_MMIO_QUEUE_SIZE, 1);
	set_area(VIRTIO_MMIO_QUEUE_DESC_LOW, table);
	set_area(VIRTIO_MMIO_QUEUE_DRIVER_LOW, areas + 2);
	set_area(VIRTIO_MMIO_QUEUE_DEVICE_LOW, areas + 4);
	mmio_write(&dev, VIRTIO_MMIO_QUEUE_READY, 1);
	if (mmio_ready(&dev))
		return 1;
	out8_string(SERIAL_DATA, text, sizeof text);
	return 7;
}
