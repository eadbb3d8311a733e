/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_VIRTQ_STATE_H
#define VIRTIO_VIRTQ_STATE_H

/*
 * The state of a virtqueue on the device's side, for both formats, split and packed (virtio 2.6).
 * virtq.h has the functions that work on it. The device's lock guards it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <vole/virtio_ring.h>

#include "gmem.h"

/* Largest length of a chain in bytes (virtio 2.7.5.2). It holds for packed queues as well, since
 * the used length has 32 bits. */
#define VIRTQ_CHAIN_LEN_MAX (UINT64_C(1) << 32)

/* State of a split virtqueue while it is ready (virtio 2.7). */
struct virtq_split {
	const struct virtq_desc *table;
	const struct virtq_avail *avail;
	struct virtq_used *used;
	const le16_atomic *used_event;
	le16_atomic *avail_event;
	uint16_t avail_next; /* next available position to take */
	uint16_t used_next;  /* next used position to fill */
	uint16_t used_shown; /* used.idx as the driver sees it */
};

/* A position in a packed ring: the slot, and the wrap counter there (virtio 2.8.1). */
struct virtq_position {
	uint16_t slot;
	bool wrap;
};

/* State of a packed virtqueue while it is ready (virtio 2.8). */
struct virtq_packed {
	struct virtq_packed_desc *ring;
	const struct virtq_event *driver;
	struct virtq_event *device;
	struct virtq_position avail;      /* next slot to take from */
	struct virtq_position used;       /* next slot to give back in */
	uint16_t outstanding;             /* slots taken, and not yet published as used */
	uint16_t batch;                   /* slots given back since the last virtq_publish() ... */
	uint16_t batch_slot, batch_flags; /* ... and the first one's flags, which will show them */
};

/* What became of chains that were given back without an interrupt, as the driver asked for none. It
 * is not saved: a queue that is restored begins with VIRTQ_HEARD. */
enum virtq_quiet {
	VIRTQ_HEARD,   /* there were none since the last interrupt */
	VIRTQ_UNHEARD, /* there were some, and the device has taken no chain since */
	VIRTQ_POLLED,  /* there were some, and it has: the driver goes on without interrupts */
};

struct chaos_queue;
struct virtq_ring_ops;

struct virtq {
	/* Written by the transport while the queue is not ready (virtio 4.2.2), as the driver gave
	 * them; validated by virtq_enable(). */
	uint32_t size;
	gpa_t desc, driver, device;
	bool ready;

	struct chaos_queue *chaos; /* NULL: none; constant. Not owned */

	/* Valid while ready. */
	const struct gmem *gmem;
	const struct virtq_ring_ops *ring; /* of its format: ring.h */
	bool indirect, event_idx;          /* INDIRECT_DESC, EVENT_IDX were negotiated */
	bool ran_dry;                      /* the device looked for a buffer and found none */
	bool suppressed;                   /* virtq_publish() showed something to the driver, which
					    * did not ask for an interrupt ... */
	uint32_t suppression;              /* ... by this: used_event if event_idx, else flags, of a
					    * split queue (virtio 2.7.7); of a packed one the
					    * driver's event suppression structure (2.8.10) */
	enum virtq_quiet quiet;
	union {
		struct virtq_split split;
		struct virtq_packed packed;
	};

	char fault[128]; /* after -EINVAL or -EPROTO: what was wrong, its value, the clause */

	struct iovec segments[VIRTQ_SIZE_MAX]; /* of the chain that was popped last */
};

#endif
