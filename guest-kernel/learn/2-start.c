/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 2: agrees with the disk on features. */

#include "start.h"

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	print("Driver and device agree.\n");
	return 0;
}
