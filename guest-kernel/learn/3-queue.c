/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 3: gives the disk a queue, and has it go live. */

#include "queue.h"

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	start_queue();
	print("The queue is ready, and the device is live.\n");
	return 0;
}
