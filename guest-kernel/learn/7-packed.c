/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 7: reads the first 20 sectors, one after the other, through a packed queue. */

#include "packed.h"

#define SECTORS 20

static struct request request;

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(UINT64_C(1) << VIRTIO_F_RING_PACKED);
	if (!has_feature(VIRTIO_F_RING_PACKED))
		fail("The device has no packed queues: --virtio packed=on");
	set_up_queue(RING_SIZE, ring, &driver_event, &device_event);
	go_live();
	want_no_packed_interrupts();
	for (uint64_t sector = 0; sector < SECTORS; sector++) {
		publish_read(&request, sector);
		kick();
		if (!was_read(&request, wait_used_slot()))
			fail("A sector was not read.");
	}
	print_number(SECTORS);
	print(" sectors are read.\n");
	return 0;
}
