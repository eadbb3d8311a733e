/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_QUEUE_H
#define LEARN_QUEUE_H

/* Step 3: a queue. */

#include <vole/virtio_ring.h>

#include "start.h"

#define QUEUE_SIZE 16 /* entries: a power of two (virtio 2.7) */

/* A split queue has three areas (virtio 2.7), which are zero at the start, as all static memory
 * is. Paging is off in these kernels, so a pointer is the guest-physical address that the device
 * needs. */
static struct virtq_desc desc[QUEUE_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));

/* The driver writes this one. */
static struct {
	le16_atomic flags;
	le16_atomic idx; /* number of chains made available so far, modulo 65536 */
	le16 ring[QUEUE_SIZE];
	le16_atomic used_event;
} avail __attribute__((aligned(VIRTQ_AVAIL_ALIGN)));

/* The device writes this one. */
static struct {
	le16_atomic flags;
	le16_atomic idx; /* number of chains used so far, modulo 65536 */
	struct virtq_used_elem ring[QUEUE_SIZE];
	le16_atomic avail_event;
} used __attribute__((aligned(VIRTQ_USED_ALIGN)));

/* Gives the device queue 0, in the order of virtio 4.2.3.2: its size, and where its areas are. */
PART void set_up_queue(uint32_t size, void *table, void *driver_area, void *device_area)
{
	set(VIRTIO_MMIO_QUEUE_SEL, 0);
	if (get(VIRTIO_MMIO_QUEUE_READY))
		fail("The queue is in use.");
	if (get(VIRTIO_MMIO_QUEUE_SIZE_MAX) < size)
		fail("The queue is too short, or there is none.");
	set(VIRTIO_MMIO_QUEUE_SIZE, size);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)table);
	set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)driver_area);
	set(VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)device_area);
	set(VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
}

/* Step 8 of virtio 3.1.1: with DRIVER_OK the device is live. */
PART void go_live(void)
{
	set(VIRTIO_MMIO_STATUS, get(VIRTIO_MMIO_STATUS) | VIRTIO_STATUS_DRIVER_OK);
}

/* Steps 7 and 8 of virtio 3.1.1, with the split queue above. */
PART void start_queue(void)
{
#if MISTAKE == 3
	go_live();
	set_up_queue(QUEUE_SIZE, desc, &avail, &used);
#else
	set_up_queue(QUEUE_SIZE, desc, &avail, &used);
	go_live();
#endif
}

#endif
