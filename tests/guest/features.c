/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints what each device offers of the features that no device type owns, one line a device: its
 * id, a colon, and the bits. Exit status 0. */

#include <vole/virtio_mmio.h>

#include "check.h"
#include "x86.h"

#define FIRST_BIT \
	24 /* the ones below belong to device types, and so do those from 50 on (virtio 2.2) */
#define LAST_BIT 49

static bool is_offered(uint32_t base, unsigned bit)
{
	write32(base + VIRTIO_MMIO_DEVICE_FEATURES_SEL, bit / 32);
	return read32(base + VIRTIO_MMIO_DEVICE_FEATURES) >> bit % 32 & 1;
}

int main(const struct start_info *info)
{
	for (uint32_t i = 0; i < info->dev_size; i++) {
		const struct device_map_entry *entry = &info_devices(info)[i];

		printf("%u:", mmio_probe(entry));
		for (unsigned bit = FIRST_BIT; bit <= LAST_BIT; bit++)
			if (is_offered(entry->base_addr, bit))
				printf(" %u", bit);
		printf("\n");
	}
	return 0;
}
