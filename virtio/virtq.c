/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <vole/virtio_config.h>

#include "ring.h"

/* --- verbs ------------------------------------------------------------------------------------ */

void virtq_reset(struct virtq *vq)
{
	*vq = (struct virtq){0};
}

int virtq_enable(struct virtq *vq, const struct gmem *gmem, unsigned size_max, uint64_t features)
{
	int error;

	assert(size_max <= VIRTQ_SIZE_MAX);
	vq->gmem = gmem;
	vq->ring = features >> VIRTIO_F_RING_PACKED & 1 ? &packed_ops : &split_ops;
	vq->indirect = features >> VIRTIO_F_INDIRECT_DESC & 1;
	vq->event_idx = features >> VIRTIO_F_EVENT_IDX & 1;
	vq->ran_dry = false;
	error = vq->ring->enable(vq, size_max);
	vq->ready = error == 0;
	return error;
}

void virtq_disable(struct virtq *vq)
{
	vq->ready = false;
}

int virtq_pop(struct virtq *vq, struct chain *chain)
{
	int got = vq->ring->pop(vq, chain);

	vq->ran_dry = got == 0;
	return got;
}

void virtq_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	vq->ring->push(vq, chain, len);
}

bool virtq_publish(struct virtq *vq)
{
	return vq->ring->publish(vq);
}

void virtq_silence(struct virtq *vq)
{
	vq->ring->silence(vq);
	vq->ran_dry = !vq->ring->available(vq);
}

bool virtq_listen(struct virtq *vq)
{
	vq->ring->listen(vq);

	/* Pairs with the driver, which makes a buffer available, then looks whether to kick: either
	 * it sees that it is to, or we see the buffer. */
	full_barrier();
	return vq->ran_dry && vq->ring->available(vq);
}

/* --- judging what the driver says ------------------------------------------------------------- */

int virtq_fault(struct virtq *vq, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(vq->fault, sizeof vq->fault, format, arguments);
	va_end(arguments);
	return error;
}

void *virtq_area(struct virtq *vq, const char *name, gpa_t gpa, uint32_t len, unsigned align,
	enum gmem_access access)
{
	const struct ring_clauses *clauses = &vq->ring->clauses;
	void *host;

	if (gpa % align != 0) {
		virtq_fault(vq, -EINVAL, "%s at 0x%" PRIx64 " is not aligned to %u (virtio %s)",
			name, gpa, align, clauses->alignment);
		return NULL;
	}
	host = gmem_ptr(vq->gmem, gpa, len, access);
	if (!host)
		virtq_fault(vq, -EINVAL,
			"%s at 0x%" PRIx64 ", %" PRIu32 " bytes, is not in %sRAM (virtio %s)", name,
			gpa, len, access == GMEM_WRITE ? "writable " : "", clauses->areas);
	return host;
}

int virtq_indirect(
	struct virtq *vq, const struct chain *chain, const struct desc *d, struct table *table)
{
	const struct ring_clauses *clauses = &vq->ring->clauses;
	const unsigned room = VIRTQ_SIZE_MAX - chain->readable_count - chain->writable_count;

	if (!vq->indirect)
		return virtq_fault(vq, -EPROTO,
			"indirect descriptor, but INDIRECT_DESC was not negotiated (virtio %s)",
			clauses->indirect);
	if (d->flags & VIRTQ_DESC_F_NEXT)
		return virtq_fault(vq, -EPROTO,
			"descriptor with both INDIRECT and NEXT (virtio %s)", clauses->indirect);
	if (d->len == 0 || d->len % sizeof(struct virtq_desc) != 0)
		return virtq_fault(vq, -EPROTO,
			"indirect table of %" PRIu32 " bytes, not a multiple of 16 (virtio %s)",
			d->len, clauses->table);
	table->count = d->len / sizeof(struct virtq_desc);
	if (table->count > room)
		return virtq_fault(vq, -EPROTO,
			"indirect table of %u descriptors, of at most %u (virtio %s)", table->count,
			room, clauses->indirect);
	table->bytes = gmem_ptr(vq->gmem, d->addr, d->len, GMEM_READ);
	if (!table->bytes)
		return virtq_fault(vq, -EPROTO,
			"indirect table at 0x%" PRIx64 ", %" PRIu32
			" bytes, is not in RAM (virtio %s)",
			d->addr, d->len, clauses->table);
	return 0;
}
