/* SPDX-License-Identifier: BSD-2-Clause */
/* Exercise "capacity" of spec/learn/exercises.md: prints how many sectors the disk has. */

#include "start.h"

/* Returns the field capacity of the disk's configuration space (virtio 5.2.4). It has 64 bits: the
 * lower 32 are at VIRTIO_MMIO_CONFIG, the upper 32 are 4 bytes behind. */
PART uint64_t capacity(void)
{
	/* Your part begins here. */
	return 0;
	/* Your part ends here. */
}

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	print_number((uint32_t)capacity());
	print(" sectors\n");
	set(VIRTIO_MMIO_STATUS, 0); /* the driver is done with the device */
	return 0;
}
