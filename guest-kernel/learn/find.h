/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_FIND_H
#define LEARN_FIND_H

/* Step 1: find the device. */

#include "learn.h"

/* Sets window and pin to those of the first device with this DeviceID, or ends the machine. */
PART void find_device(const struct start_info *info, uint32_t id)
{
	const struct device_map_entry *devices = (const void *)info->dev_entries;

#if MISTAKE == 1
	window = devices[0].base_addr;
	pin = devices[0].interrupt_num;
	(void)id;
	return;
#else
	for (uint32_t i = 0; i < info->dev_size; i++) {
		window = devices[i].base_addr;
		pin = devices[i].interrupt_num;
		if (get(VIRTIO_MMIO_MAGIC_VALUE) == VIRTIO_MMIO_MAGIC &&
			get(VIRTIO_MMIO_VERSION) == VIRTIO_MMIO_VERSION_VALUE &&
			get(VIRTIO_MMIO_DEVICE_ID) == id)
			return;
	}
	window = 0;
	fail("There is no such device.");
#endif
}

#endif
