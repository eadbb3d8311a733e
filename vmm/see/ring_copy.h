/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RING_COPY_H
#define VMM_RING_COPY_H

/*
 * A copy of a queue's three areas in guest memory, by which a view finds out what has changed in
 * them since it looked last. The device's lock is held.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtq.h"

enum ring_area { RING_DESCRIPTOR, RING_DRIVER, RING_DEVICE, RING_AREAS };

struct ring_copy {
	uint8_t *bytes[RING_AREAS]; /* owned; NULL: the queue is not watched */
	size_t len[RING_AREAS];
	bool is_new; /* nothing of it is known */
};

typedef void ring_copy_changed(
	void *ctx, enum ring_area area, size_t offset, const uint8_t *bytes, size_t len);

/* Begins with a queue that has just become ready. Returns 0 or -ENOMEM. The caller calls
 * ring_copy_free(), also before it begins anew. */
int ring_copy_begin(struct ring_copy *copy, const struct virtq *vq, bool is_packed);
void ring_copy_free(struct ring_copy *copy);

/* Calls changed() for each run of bytes of an area that are not as they were at the last look, and
 * at the first look for all of them. The queue is ready. */
void ring_copy_look(
	struct ring_copy *copy, const struct virtq *vq, ring_copy_changed *changed, void *ctx);

/* A CPU has written to guest memory, up to a page: calls stored() for what of that is in the areas,
 * be it something else or what was there before. The next look says nothing of it. */
void ring_copy_store(struct ring_copy *copy, const struct virtq *vq, gpa_t gpa, size_t len,
	ring_copy_changed *stored, void *ctx);

#endif
