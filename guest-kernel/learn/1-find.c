/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 1: finds the disk, resets it, and tells it that it was found. */

#include "find.h"

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	set(VIRTIO_MMIO_STATUS, 0);
	set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	print("The disk is at ");
	print_address(window);
	print(", on pin ");
	print_number(pin);
	print(".\n");
	return 0;
}
