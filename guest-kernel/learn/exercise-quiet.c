/* SPDX-License-Identifier: BSD-2-Clause */
/* Exercise "quiet" of spec/learn/exercises.md: reads 20 sectors, four at a time, and is interrupted
 * once for each four. */

#include "interrupt.h"

#define SECTORS 20
#define BATCH   4

static struct request requests[BATCH];

/* Has the device interrupt when it has used as many chains as this, modulo 65536, counted from the
 * first one of all, and not before. EVENT_IDX was accepted. */
PART void want_interrupt_at(uint16_t count)
{
	/* Your part begins here. */
	(void)count;
	/* Your part ends here. */
}

__attribute__((interrupt)) static void on_interrupt(struct frame *frame)
{
	(void)frame;
	set(VIRTIO_MMIO_INTERRUPT_ACK, get(VIRTIO_MMIO_INTERRUPT_STATUS));
	end_of_interrupt();
}

PART uint16_t used_so_far(void)
{
	le16 idx = {atomic_load_explicit(&used.idx.raw, memory_order_acquire)};

	return le16_to_cpu(idx);
}

PART void read_batch(uint64_t sector)
{
	uint16_t old = made_available;
	struct virtq_used_elem element;

	want_interrupt_at(old + BATCH);
	for (uint16_t i = 0; i < BATCH; i++) {
		prepare_read(&requests[i], sector + i, i * CHAIN_LENGTH);
		publish(i * CHAIN_LENGTH);
	}
	notify(old);
	while (used_so_far() != made_available)
		__asm__ volatile("sti; hlt; cli");
	while (take_used(&element))
		if (!was_read(&requests[le32_to_cpu(element.id) / CHAIN_LENGTH], element))
			fail("A sector was not read.");
}

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	route_interrupt(info, on_interrupt);
	start_device(UINT64_C(1) << VIRTIO_F_EVENT_IDX);
	if (!has_feature(VIRTIO_F_EVENT_IDX))
		fail("The device has no event index.");
	start_queue();
	for (uint64_t sector = 0; sector < SECTORS; sector += BATCH)
		read_batch(sector);
	print_number(SECTORS);
	print(" sectors are read.\n");
	return 0;
}
