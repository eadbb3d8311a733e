/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <stdarg.h>
#include <stdio.h>

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
	const unsigned count_max = VIRTQ_SIZE_MAX - chain->readable_count - chain->writable_count;

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
	if (table->count > count_max)
		return virtq_fault(vq, -EPROTO,
			"indirect table of %u descriptors, of at most %u (virtio %s)", table->count,
			count_max, clauses->indirect);
	table->bytes = gmem_ptr(vq->gmem, d->addr, d->len, GMEM_READ);
	if (!table->bytes)
		return virtq_fault(vq, -EPROTO,
			"indirect table at 0x%" PRIx64 ", %" PRIu32
			" bytes, is not in RAM (virtio %s)",
			d->addr, d->len, clauses->table);
	return 0;
}
