/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 5: reads the first 20 sectors, four requests at a time, with one kick for the four. */

#include "notify.h"

#define SECTORS 20
#define BATCH   4

static struct request requests[BATCH];

PART void read_batch(uint64_t sector)
{
	uint16_t old = made_available;

	for (uint16_t i = 0; i < BATCH; i++) {
		prepare_read(&requests[i], sector + i, i * CHAIN_LENGTH);
		publish(i * CHAIN_LENGTH);
	}
	notify(old);
	for (uint16_t i = 0; i < BATCH; i++) {
		struct virtq_used_elem element = wait_used();

		if (!was_read(&requests[le32_to_cpu(element.id) / CHAIN_LENGTH], element))
			fail("A sector was not read.");
	}
}

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(UINT64_C(1) << VIRTIO_F_EVENT_IDX);
	start_queue();
	for (uint64_t sector = 0; sector < SECTORS; sector += BATCH)
		read_batch(sector);
	print_number(SECTORS);
	print(" sectors are read.\n");
	return 0;
}
