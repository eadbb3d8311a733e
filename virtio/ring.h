/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_RING_H
#define VIRTIO_RING_H

/*
 * The interface that each virtqueue format implements for virtq.c, and what the formats share: the
 * validation of a queue's areas and of the descriptors of a chain. For virtq.c, split.c and
 * packed.c alone. All functions: the device's lock held.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "chain.h"
#include "gmem.h"
#include "report.h"
#include "saved.h"
#include "virtq_state.h"
#include "virtq_view.h"

/* The clauses that messages name: each format states these requirements in its own chapter. */
struct ring_clauses {
	const char *areas, *alignment;       /* of a queue */
	const char *order, *length, *buffer; /* of a chain's elements */
	const char *indirect, *table;        /* the flag, and what it leads to */
};

/* A virtqueue format; constant. The functions have the contracts of their namesakes in virtq.h. */
struct virtq_ring_ops {
	struct ring_clauses clauses;

	/* Validates size and areas, and starts at the first position. 0, or -EINVAL with vq->fault
	 * set. */
	int (*enable)(struct virtq *vq, unsigned size_max);

	/* Calls gmem_announce() for the areas that the device writes. */
	void (*announce)(const struct virtq *vq);

	int (*pop)(struct virtq *vq, struct chain *chain);
	void (*push)(struct virtq *vq, const struct chain *chain, uint32_t len);
	bool (*publish)(struct virtq *vq);

	/* Tell the driver not to kick, or to kick from the next buffer on. */
	void (*silence)(struct virtq *vq);
	void (*listen)(struct virtq *vq);

	/* Returns whether there is a chain to pop. */
	bool (*available)(const struct virtq *vq);

	/* Sets what is the format's own in *view: waiting, positions, addresses and what the driver
	 * says of interrupts. Loads each word of guest memory once. */
	void (*view)(const struct virtq *vq, struct virtq_view *view);

	/* Sets the position in *saved: chains are used in the order in which they are taken, so it
	 * is that of the first one which is not used yet. */
	void (*save)(const struct virtq *vq, struct virtio_saved_queue *saved);

	/* Takes and uses from the saved position on; the queue has just been enabled. 0, or -EINVAL
	 * if there is no such position. */
	int (*restore)(struct virtq *vq, const struct virtio_saved_queue *saved);
};

/* A descriptor in host order: a copy, since the guest may change the original at any time. */
struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next; /* split only */
};

/* Descriptors in guest memory: the queue's own, or an indirect table (virtio 2.7.5.3). */
struct table {
	const uint8_t *bytes; /* an indirect table may be at any address */
	unsigned count;
};

/* Sets vq->fault to the formatted message and returns error. */
int virtq_fault(struct virtq *vq, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the host memory of an area of the queue, len bytes, or NULL with vq->fault set, if gpa is
 * not a multiple of align or the area is not in RAM that permits access. */
void *virtq_area(struct virtq *vq, const char *name, gpa_t gpa, uint32_t len, unsigned align,
	enum gmem_access access);

/* Validates a descriptor with INDIRECT, which comes after the chain so far, and sets *table to the
 * table that it points to. 0, or -EPROTO with vq->fault set. */
int virtq_indirect(
	struct virtq *vq, const struct chain *chain, const struct desc *d, struct table *table);

/* Validates the descriptor and adds its buffer to the chain. 0, or -EPROTO with vq->fault set.
 * Inline, because it runs once for each descriptor. */
static inline int virtq_chain_add(struct virtq *vq, struct chain *chain, const struct desc *d)
{
	const struct ring_clauses *clauses = &vq->ring->clauses;
	bool write = d->flags & VIRTQ_DESC_F_WRITE;
	unsigned count = chain->readable_count + chain->writable_count;
	void *host;

	if (!write && chain->writable)
		return virtq_fault(vq, -EPROTO,
			"device-readable descriptor after a device-writable one (virtio %s)",
			clauses->order);
	if (write && !chain->writable)
		chain->writable = &vq->segments[count];

	/* An empty buffer is an element like others, but points at nothing. */
	if (d->len == 0)
		return 0;
	if (d->len > VIRTQ_CHAIN_LEN_MAX - chain->readable_len - chain->writable_len)
		return virtq_fault(vq, -EPROTO, "chain is longer than 2^32 bytes (virtio %s)",
			clauses->length);
	host = gmem_ptr(vq->gmem, d->addr, d->len, write ? GMEM_WRITE : GMEM_READ);
	if (!host)
		return virtq_fault(vq, -EPROTO,
			"buffer at 0x%" PRIx64 ", %" PRIu32 " byte%s, is not in %sRAM (virtio %s)",
			d->addr, d->len, PLURAL(d->len), write ? "writable " : "", clauses->buffer);

	vq->segments[count] = (struct iovec){.iov_base = host, .iov_len = d->len};
	if (write) {
		chain->writable_count++;
		chain->writable_len += d->len;
	} else {
		chain->readable_count++;
		chain->readable_len += d->len;
	}
	return 0;
}

/* Notes whether the driver wants an interrupt for the chains that it has just been shown. */
static inline void virtq_note_interrupt(struct virtq *vq, bool wanted)
{
	vq->suppressed = !wanted;
	if (wanted)
		vq->quiet = VIRTQ_HEARD;
	else if (vq->quiet == VIRTQ_HEARD)
		vq->quiet = VIRTQ_UNHEARD;
}

/*
 * Orders the stores before it before the loads after it. Device and driver each store, then load
 * what the other one stores; without the barrier both could load too early, and each would miss the
 * other's store. It is atomic_thread_fence(memory_order_seq_cst), in a spelling that gcc's thread
 * sanitizer accepts.
 */
static inline void full_barrier(void)
{
	__sync_synchronize();
}

#endif
