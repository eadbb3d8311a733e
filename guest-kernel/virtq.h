/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_VIRTQ_H
#define GUEST_VIRTQ_H

/*
 * The driver's half of a split virtqueue (virtio 2.7); vole/virtio_ring.h draws the rings. The
 * device's half is virtio/virtq.c: the two share the layout, nothing else.
 *
 * A request's life: virtq_add() describes its buffers in a chain of descriptors and puts the chain
 * into the available ring; virtq_kick() tells the device, if the device wants to be told; the
 * device puts the chain into the used ring, and usually interrupts; virtq_take() finds it there and
 * frees the descriptors.
 *
 *	virtq_add(vq, buffers, 1, 1, &request);
 *	virtq_kick(vq);
 *	virtq_wait(vq);
 *	request = virtq_take(vq, &len);
 *
 * Two features of queues are used where a device offers them (VIRTQ_FEATURES): a request of several
 * buffers takes only one descriptor of the queue, which points to a table of the others
 * (INDIRECT_DESC, virtio 2.7.5.3); and notifications are asked for by position, not switched on and
 * off (EVENT_IDX, virtio 2.7.7, 2.7.10).
 *
 * A queue is for one CPU at a time, outside of interrupt handlers.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#include "mmio.h"

#define VIRTQ_SIZE 64 /* entries at most: enough for twenty block requests at once */

/* Of these features the queues make use. */
#define VIRTQ_FEATURES (FEATURE(VIRTIO_F_INDIRECT_DESC) | FEATURE(VIRTIO_F_EVENT_IDX))

#define VIRTQ_TABLE_SIZE 4 /* descriptors of an indirect table */

/* A piece of memory that the device is to read or to write. */
struct virtq_buffer {
	void *data;
	uint32_t len; /* bytes */
};

struct virtq {
	struct mmio *dev;
	unsigned index; /* among the device's queues */
	uint16_t size;  /* entries; a power of two */

	uint16_t free_head; /* first of the free descriptors, which are linked by next */
	uint16_t free_count;
	uint16_t avail_next;        /* our copy of avail->idx */
	uint16_t avail_kicked;      /* what it was at the last virtq_kick() */
	uint16_t used_next;         /* next position of the used ring to look at */
	void *requests[VIRTQ_SIZE]; /* by the head of their chain */

	/* Features agreed on. */
	bool indirect, event_idx;

	/* The three areas, shared with the device. */
	struct virtq_desc desc[VIRTQ_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
	struct virtq_avail *avail;
	struct virtq_used *used;
	le16_atomic *used_event, *avail_event; /* at the end of avail and of used */
	uint8_t avail_memory[VIRTQ_AVAIL_BYTES(VIRTQ_SIZE)]
		__attribute__((aligned(VIRTQ_AVAIL_ALIGN)));
	uint8_t used_memory[VIRTQ_USED_BYTES(VIRTQ_SIZE)]
		__attribute__((aligned(VIRTQ_USED_ALIGN)));

	/* Indirect tables, by the descriptor that points to them. */
	struct virtq_desc tables[VIRTQ_SIZE][VIRTQ_TABLE_SIZE];
};

/* An empty queue with as many entries as the device takes. By mmio_queue(). */
void virtq_init(struct virtq *vq, struct mmio *dev, unsigned index, uint32_t size_max);

/*
 * Make a request available: first the buffers that the device reads, then those that it writes, at
 * least one in all. They belong to the device until virtq_take() gives request back, which must not
 * be NULL. 0, or -EINVAL without a buffer, or -ENOSPC if too few descriptors are free.
 */
int virtq_add(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, void *request);

/* After one or more virtq_add(). */
void virtq_kick(struct virtq *vq);

/* The device has given something back that was not taken yet. */
bool virtq_pending(const struct virtq *vq);

/* Sleep until virtq_pending(). 0, or -EIO if the device has failed and nothing will come. */
int virtq_wait(struct virtq *vq);

/* The next request that the device is done with, NULL if there is none. *len is how many bytes it
 * has written, from the first writable buffer on; what lies behind is not to be relied on. */
void *virtq_take(struct virtq *vq, uint32_t *len);

/* Ask the device for no interrupts, for who looks by himself anyway. It may send some all the same
 * (virtio 2.7.7). */
void virtq_interrupts_off(struct virtq *vq);

#endif
