/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_VIRTQ_STATE_H
#define GUEST_VIRTQ_STATE_H

/*
 * A virtqueue on the driver's side, of both formats, split and packed (virtio 2.6): its state, and
 * the memory that it shares with the device. virtq.h has the functions on it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#define VIRTQ_SIZE 64 /* entries at most: enough for twenty block requests at once */

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

/* A split virtqueue (virtio 2.7). Its id of a request is the head of the chain. */
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

/* A position in a packed ring: the slot, and the wrap counter there (virtio 2.8.1). */
struct virtq_position {
	uint16_t slot;
	bool wrap;
};

/* A packed virtqueue (virtio 2.8). */
struct virtq_packed {
	struct virtq_position add, take; /* next slot to fill, to look at */
	uint16_t unkicked;               /* slots filled since the last virtq_kick() */

	/* The three areas, shared with the device. */
	struct virtq_packed_desc ring[VIRTQ_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
	struct virtq_event driver, device;
};

struct mmio;
struct virtq_ring_ops;

struct virtq {
	struct mmio *dev;
	unsigned index; /* among the device's queues */
	uint16_t size;  /* entries; a power of two */

	const struct virtq_ring_ops *ring;  /* of its format: ring.h */
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

#endif
