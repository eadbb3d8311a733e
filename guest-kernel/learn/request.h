/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_REQUEST_H
#define LEARN_REQUEST_H

/* Step 4: a request, from its descriptors to its used element. */

#include <stdatomic.h>

#include <vole/virtio_blk.h>

#include "queue.h"

#define CHAIN_LENGTH 3 /* descriptors of a request */

/* All of it belongs to the device from publish() until take_used() returns its chain. */
struct request {
	struct virtio_blk_req header; /* what to do, and with which sector (virtio 5.2.6) */
	char data[VIRTIO_BLK_SECTOR_SIZE];
	volatile uint8_t status; /* the device writes VIRTIO_BLK_S_OK here, or why it failed */
};

static uint16_t made_available; /* chains so far, modulo 65536 */
static uint16_t taken_back;

/* Tells the device that the driver looks by itself and wants no interrupts (virtio 2.7.7). */
PART void want_no_interrupts(void)
{
	avail.flags.raw = cpu_to_le16(VIRTQ_AVAIL_F_NO_INTERRUPT).raw;
}

PART void describe(uint16_t i, const volatile void *buffer, uint32_t len, uint16_t flags)
{
	desc[i].addr = cpu_to_le64((uint32_t)buffer);
	desc[i].len = cpu_to_le32(len);
	desc[i].flags = cpu_to_le16(flags);
	desc[i].next = cpu_to_le16(i + 1);
}

/* Describes the read of a sector: a chain of three descriptors, of which head is the first. */
PART void prepare_read(struct request *request, uint64_t sector, uint16_t head)
{
	request->header.type = cpu_to_le32(VIRTIO_BLK_T_IN);
	request->header.reserved = cpu_to_le32(0);
	request->header.sector = cpu_to_le64(sector);
	request->status = 0xff; /* a value that no device writes */
	describe(head, &request->header, sizeof request->header, VIRTQ_DESC_F_NEXT);
#if MISTAKE == 4
	describe(head + 1, request->data, sizeof request->data, VIRTQ_DESC_F_NEXT);
#else
	describe(head + 1, request->data, sizeof request->data,
		VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE);
#endif
	describe(head + 2, &request->status, sizeof request->status, VIRTQ_DESC_F_WRITE);
}

/* Makes a chain available: its head goes into the ring first, and idx is stored after it. */
PART void publish(uint16_t head)
{
	avail.ring[made_available % QUEUE_SIZE] = cpu_to_le16(head);
	made_available++;
	atomic_store_explicit(
		&avail.idx.raw, cpu_to_le16(made_available).raw, memory_order_release);
}

/* Tells the device that queue 0 has something new. */
PART void kick(void)
{
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

/* Takes the next used element, if the device has written one. */
PART bool take_used(struct virtq_used_elem *element)
{
	if (atomic_load_explicit(&used.idx.raw, memory_order_acquire) ==
		cpu_to_le16(taken_back).raw)
		return false;
	*element = used.ring[taken_back % QUEUE_SIZE];
	taken_back++;
	return true;
}

/* Waits for the next used element, by looking again and again. */
PART struct virtq_used_elem wait_used(void)
{
	struct virtq_used_elem element;

	while (!take_used(&element))
		if (get(VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
			fail("The device has failed.");
	return element;
}

/* Whether the device has read the sector. It counts the bytes that it wrote: data and status. */
PART bool was_read(const struct request *request, struct virtq_used_elem element)
{
	return request->status == VIRTIO_BLK_S_OK &&
	       le32_to_cpu(element.len) == sizeof request->data + sizeof request->status;
}

#endif
