/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_PACKED_H
#define LEARN_PACKED_H

/* Step 7: the packed queue (virtio 2.8). One ring, which driver and device both write, takes the
 * place of desc, avail and used. */

#include "request.h"

#define RING_SIZE 8 /* slots; it need not be a power of two */

static struct virtq_packed_desc ring[RING_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
static struct virtq_event driver_event, device_event; /* zero: notifications are wanted */

/* Tells the device that the driver looks by itself and wants no interrupts (virtio 2.8.10). */
PART void want_no_packed_interrupts(void)
{
	driver_event.word.raw = cpu_to_le32(VIRTQ_EVENT_DISABLE << 16).raw;
}

/* A place in the ring: a slot, and the wrap counter, which is inverted each time around. */
struct place {
	uint16_t slot;
	bool wrap;
};

static struct place next_available = {0, true}, next_used = {0, true};

PART void advance(struct place *place)
{
	place->slot++;
	if (place->slot == RING_SIZE) {
		place->slot = 0;
#if MISTAKE != 7
		place->wrap = !place->wrap;
#endif
	}
}

/* The flags that make a descriptor available in this lap: AVAIL equals the wrap counter, and USED
 * does not (virtio 2.8.1). */
PART uint16_t available_flags(struct place place)
{
	return place.wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

/* Fills the next slot, but for its flags. */
PART void describe_slot(const volatile void *buffer, uint32_t len)
{
	struct virtq_packed_desc *slot = &ring[next_available.slot];

	slot->addr = cpu_to_le64((uint32_t)buffer);
	slot->len = cpu_to_le32(len);
	slot->id = cpu_to_le16(0);
}

/* Hands a slot over: after this store the device may look at it. */
PART void publish_slot(struct place place, uint16_t flags)
{
	flags |= available_flags(place);
	atomic_store_explicit(
		&ring[place.slot].flags.raw, cpu_to_le16(flags).raw, memory_order_release);
}

/* Puts three descriptors of a read into the ring. The first one is handed over last, since the
 * device may take all three when it sees the first. */
PART void publish_read(struct request *request, uint64_t sector)
{
	struct place head = next_available;

	request->header.type = cpu_to_le32(VIRTIO_BLK_T_IN);
	request->header.reserved = cpu_to_le32(0);
	request->header.sector = cpu_to_le64(sector);
	request->status = 0xff;
	describe_slot(&request->header, sizeof request->header);
	advance(&next_available);
	describe_slot(request->data, sizeof request->data);
	publish_slot(next_available, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE);
	advance(&next_available);
	describe_slot(&request->status, sizeof request->status);
	publish_slot(next_available, VIRTQ_DESC_F_WRITE);
	advance(&next_available);
	publish_slot(head, VIRTQ_DESC_F_NEXT);
}

/* Waits until the device has written a used descriptor: both flags equal the wrap counter. It is
 * where the first of the three was, and the device goes on three slots later. */
PART struct virtq_used_elem wait_used_slot(void)
{
	const struct virtq_packed_desc *slot = &ring[next_used.slot];
	uint16_t both = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;
	uint16_t expected = next_used.wrap ? both : 0;
	le16 flags;

	do {
		flags.raw = atomic_load_explicit(&slot->flags.raw, memory_order_acquire);
		if (get(VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
			fail("The device has failed.");
	} while ((le16_to_cpu(flags) & both) != expected);
	for (unsigned i = 0; i < CHAIN_LENGTH; i++)
		advance(&next_used);
	return (struct virtq_used_elem){cpu_to_le32(le16_to_cpu(slot->id)), slot->len};
}

#endif
