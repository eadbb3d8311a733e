/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_VIRTQ_FIXTURE_H
#define TESTS_VIRTQ_FIXTURE_H

/* A split virtqueue and the driver half of it. */

#include "queue.h"
#include "tap.h"
#include "virtio.h"
#include "virtq.h"

#define SIZE 8

/* Pop, push and publish one. Whether the driver is to be notified. */
static inline bool one(struct queue *q)
{
	struct chain chain;

	ring_add_one(&q->ring, q->page, 8, true);
	return virtq_pop(&q->vq, &chain) == 1 && (virtq_push(&q->vq, &chain, 1), true) &&
	       virtq_publish(&q->vq);
}

#endif
