/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_VIRTQ_H
#define GUEST_VIRTQ_H

/*
 * The driver's half of a virtqueue, in either of its forms: split (virtio 2.7) or packed (2.8),
 * which vole/virtio_ring.h draws. A driver does not see which it is. The device's half is
 * virtio/virtq.c: the two share the layout, nothing else.
 *
 * A request's life: virtq_add() describes its buffers in a chain of descriptors and makes
 * the chain available; virtq_kick() tells the device, if the device wants to be told; the
 * device gives the chain back as used, and usually interrupts; virtq_take() finds it there
 * and frees the descriptors.
 *
 *	virtq_add(vq, buffers, 1, 1, &request);
 *	virtq_kick(vq);
 *	virtq_wait(vq);
 *	request = virtq_take(vq, &len);
 *
 * Features of queues are used where a device offers them and mmio.declined does not say otherwise
 * (VIRTQ_FEATURES):
 *
 *	RING_PACKED	one ring that both sides write, instead of one for each
 *	INDIRECT_DESC	a request of several buffers takes only one descriptor of the queue, which
 *			points to a table of the others (virtio 2.7.5.3, 2.8.7)
 *	EVENT_IDX	notifications are asked for by position, not switched on and off (2.7.7,
 *			2.7.10, 2.8.10)
 *	IN_ORDER	the device gives back in the order in which it was given, and then may
 *			report many requests as one (2.7.9, 2.8.8)
 *
 * A queue is for one CPU at a time, outside of interrupt handlers.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#include "mmio.h"

#define VIRTQ_SIZE 64 /* entries at most: enough for twenty block requests at once */

/* Of these features the queues make use. */
#define VIRTQ_FEATURES                                                     \
	(FEATURE(VIRTIO_F_RING_PACKED) | FEATURE(VIRTIO_F_INDIRECT_DESC) | \
		FEATURE(VIRTIO_F_EVENT_IDX) | FEATURE(VIRTIO_F_IN_ORDER))

#define VIRTQ_TABLE_SIZE 4 /* descriptors of an indirect table */

/* A piece of memory that the device is to read or to write. */
struct virtq_buffer {
	void *data;
	uint32_t len; /* bytes */
};

/* A request under way. */
struct virtq_request {
	void *request;     /* what virtq_take() gives back; NULL: none */
	uint16_t count;    /* entries of the queue that it takes */
	uint32_t writable; /* bytes */
};

/* What the device says about one that it is done with. */
struct virtq_used_request {
	uint32_t id, len;
};

/* A queue of the split form. Its id of a request is the head of the chain. */
struct virtq_split {
	uint16_t free_first, free_last; /* the free descriptors, which are linked by next */
	uint16_t kicked;                /* avail->idx at the last virtq_kick() */

	/* The three areas, shared with the device. */
	struct virtq_desc desc[VIRTQ_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
	struct virtq_avail *avail;
	struct virtq_used *used;
	le16_atomic *used_event, *avail_event; /* at the end of avail and of used */
	uint8_t avail_memory[VIRTQ_AVAIL_BYTES(VIRTQ_SIZE)]
		__attribute__((aligned(VIRTQ_AVAIL_ALIGN)));
	uint8_t used_memory[VIRTQ_USED_BYTES(VIRTQ_SIZE)]
		__attribute__((aligned(VIRTQ_USED_ALIGN)));
};

/* A place in a packed ring: slot, and wrap counter in this lap. */
struct virtq_position {
	uint16_t slot;
	bool wrap;
};

/* A queue of the packed form. */
struct virtq_packed {
	struct virtq_position add, take; /* next slot to fill, to look at */
	uint16_t unkicked;               /* slots filled since the last virtq_kick() */

	/* The three areas, shared with the device. */
	struct virtq_packed_desc ring[VIRTQ_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
	struct virtq_event driver, device;
};

struct virtq_ring_ops;

struct virtq {
	struct mmio *dev;
	unsigned index; /* among the device's queues */
	uint16_t size;  /* entries; a power of two */

	const struct virtq_ring_ops *ring;  /* by the form; of ring.h */
	bool indirect, event_idx, in_order; /* features agreed on */
	void *desc, *driver, *device;       /* where the three areas are */

	uint16_t free_count;                       /* entries that no request takes */
	uint16_t added, taken;                     /* requests so far, modulo 65536 */
	struct virtq_request requests[VIRTQ_SIZE]; /* by id */

	/* A ring of ids. From taken on those under way, oldest first, if they come back in order;
	 * from added on those that are free. */
	uint16_t ids[VIRTQ_SIZE];

	/* IN_ORDER: there are more to take before the one that the device named last. */
	bool in_batch;
	struct virtq_used_request used;

	union {
		struct virtq_split split;
		struct virtq_packed packed;
	};

	/* Indirect tables, by id. The only thing that need not be zero at first. */
	union {
		struct virtq_desc split[VIRTQ_TABLE_SIZE];
		struct virtq_packed_desc packed[VIRTQ_TABLE_SIZE];
	} tables[VIRTQ_SIZE];
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
 * has written, from the first writable buffer on, at most what these have room for; what lies
 * behind is not to be relied on. A device that gives back nonsense has failed: NULL. */
void *virtq_take(struct virtq *vq, uint32_t *len);

/*
 * A whole request, on a queue that has no other under way: make it available, kick, sleep until it
 * is back. *len as of virtq_take(). 0, or what virtq_add() and virtq_wait() say, or -EIO if what
 * came back was nonsense.
 */
int virtq_exchange(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, uint32_t *len);

/*
 * Ask the device for an interrupt with what it gives back next. True if that is there already: then
 * perhaps none will come. virtq_wait() does it by itself. Until then, or after
 * virtq_interrupts_off(), the device may send some all the same (virtio 2.7.7).
 */
bool virtq_interrupts_on(struct virtq *vq);
void virtq_interrupts_off(struct virtq *vq);

#endif
