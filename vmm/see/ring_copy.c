/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/ring_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The largest area: the descriptors of VIRTQ_SIZE_MAX entries. */
#define AREA_MAX VIRTQ_DESC_BYTES(VIRTQ_SIZE_MAX)

/* What is told of begins and ends where a field or a descriptor does. */
static size_t unit_of(enum ring_area area)
{
	return area == RING_DESCRIPTOR ? sizeof(struct virtq_desc) : sizeof(le32);
}

static gpa_t address_of(const struct virtq *vq, enum ring_area area)
{
	return area == RING_DESCRIPTOR ? vq->desc : area == RING_DRIVER ? vq->driver : vq->device;
}

int ring_copy_begin(struct ring_copy *copy, const struct virtq *vq, bool is_packed)
{
	copy->len[RING_DESCRIPTOR] = VIRTQ_DESC_BYTES(vq->size);
	copy->len[RING_DRIVER] =
		is_packed ? sizeof(struct virtq_event) : VIRTQ_AVAIL_BYTES(vq->size);
	copy->len[RING_DEVICE] =
		is_packed ? sizeof(struct virtq_event) : VIRTQ_USED_BYTES(vq->size);
	for (unsigned area = 0; area < RING_AREAS; area++) {
		copy->bytes[area] = malloc(copy->len[area]);
		if (!copy->bytes[area]) {
			ring_copy_free(copy);
			return -ENOMEM;
		}
	}
	copy->is_new = true;
	return 0;
}

void ring_copy_free(struct ring_copy *copy)
{
	for (unsigned area = 0; area < RING_AREAS; area++) {
		free(copy->bytes[area]);
		copy->bytes[area] = NULL;
	}
}

static void look_at_area(struct ring_copy *copy, enum ring_area area, const uint8_t *now,
	ring_copy_changed *changed, void *ctx)
{
	uint8_t *before = copy->bytes[area];
	size_t len = copy->len[area], unit = unit_of(area), start = 0;
	bool in_run = false;

	for (size_t at = 0; at < len; at += unit) {
		size_t part = len - at < unit ? len - at : unit;
		bool differs = copy->is_new || memcmp(before + at, now + at, part) != 0;

		if (differs && !in_run)
			start = at;
		if (!differs && in_run)
			changed(ctx, area, start, now + start, at - start);
		in_run = differs;
	}
	if (in_run)
		changed(ctx, area, start, now + start, len - start);
	memcpy(before, now, len);
}

void ring_copy_look(
	struct ring_copy *copy, const struct virtq *vq, ring_copy_changed *changed, void *ctx)
{
	uint8_t now[AREA_MAX];

	if (!copy->bytes[0])
		return;
	for (unsigned area = 0; area < RING_AREAS; area++) {
		const void *host =
			gmem_ptr(vq->gmem, address_of(vq, area), copy->len[area], GMEM_READ);

		gmem_copy_in(now, host, copy->len[area]);
		look_at_area(copy, area, now, changed, ctx);
	}
	copy->is_new = false;
}

void ring_copy_store(struct ring_copy *copy, const struct virtq *vq, gpa_t gpa, size_t len,
	ring_copy_changed *stored, void *ctx)
{
	for (unsigned area = 0; copy->bytes[0] && area < RING_AREAS; area++) {
		gpa_t at = address_of(vq, area), end = at + copy->len[area];
		gpa_t start = gpa > at ? gpa : at, stop = gpa + len < end ? gpa + len : end;
		uint8_t *bytes = copy->bytes[area] + (start - at);

		if (start >= stop)
			continue;
		gmem_copy_in(
			bytes, gmem_ptr(vq->gmem, start, stop - start, GMEM_READ), stop - start);
		stored(ctx, area, start - at, bytes, stop - start);
	}
}
