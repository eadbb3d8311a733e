/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_RING_H
#define VIRTIO_RING_H

/*
 * What lies behind the verbs of virtq.h: for each form of virtqueue its own functions, and what the
 * forms have in common, which is how a chain is judged. For virtq.c, split.c and packed.c alone.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "virtq.h"

/* What messages name: of virtio, where the form says the same in its own chapter. */
struct ring_clauses {
	const char *areas, *alignment;       /* of a queue */
	const char *order, *length, *buffer; /* of a chain's elements */
	const char *indirect, *table;        /* the flag, and what it leads to */
};

/* A form of virtqueue. The functions have the contracts of their namesakes in virtq.h. */
struct virtq_ring_ops {
	struct ring_clauses clauses;

	/* Size and areas are to be judged, and state to be set up for the first position. */
	int (*enable)(struct virtq *vq, unsigned size_max);

	int (*pop)(struct virtq *vq, struct chain *chain);
	void (*push)(struct virtq *vq, const struct chain *chain, uint32_t len);
	bool (*publish)(struct virtq *vq);

	/* Tell the driver that kicks are not needed, or that they are from the next buffer on. */
	void (*silence)(struct virtq *vq);
	void (*listen)(struct virtq *vq);

	/* Whether there is something to pop. */
	bool (*available)(const struct virtq *vq);
};

extern const struct virtq_ring_ops split_ops, packed_ops;

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

/* Say what is wrong; the value is error. */
int virtq_fault(struct virtq *vq, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One of the areas that a ring is made of, checked. NULL, with vq->fault set, if the driver
 * misplaced it. */
void *virtq_area(struct virtq *vq, const char *name, gpa_t gpa, uint32_t len, unsigned align,
	enum gmem_access access);

/* Judge a descriptor with INDIRECT, as the last one of the chain so far: *table is what it points
 * to. 0 or -EPROTO. */
int virtq_indirect(
	struct virtq *vq, const struct chain *chain, const struct desc *d, struct table *table);

/* Judge the descriptor and add its buffer to the chain. 0 or -EPROTO. Inline: nothing is done more
 * often. */
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
			"buffer at 0x%" PRIx64 ", %" PRIu32 " bytes, is not in %sRAM (virtio %s)",
			d->addr, d->len, write ? "writable " : "", clauses->buffer);

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

/*
 * Stores before it are visible before loads after it look. Each side stores, then looks at what the
 * other one stores; without the barrier both can look too early, and both miss the other's news.
 *
 * It is atomic_thread_fence(memory_order_seq_cst), in a spelling that gcc's thread sanitizer takes.
 */
static inline void full_barrier(void)
{
	__sync_synchronize();
}

#endif
