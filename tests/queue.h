/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_QUEUE_H
#define TESTS_QUEUE_H

/*
 * A virtqueue with both its halves and no device around it, for tests of the rings themselves.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "driver_ring.h"
#include "virtq.h"

struct queue {
	struct ram ram;
	struct ring ring; /* the driver's half */
	struct virtq vq;  /* the device's */
	gpa_t page;       /* one for buffers */
	gpa_t ring_begin, ring_end;
	uint64_t features;
};

/* Enabled and empty. Freed by queue_free(). */
struct queue *queue_new(uint16_t size, uint64_t features);
void queue_free(struct queue *queue);

/* Tell the device where the driver has its ring now: what virtq_enable() says. */
int queue_enable(struct queue *queue);

/* Start over with an empty ring, in the same place. */
void queue_again(struct queue *queue);

/* Is the next thing in the ring a fault that is told with this word? */
bool queue_faults(struct queue *queue, const char *word);

/* Is a queue of this size, at most 64, with its areas there, refused by the ring's section of the
 * specification? The queue is enabled so if not. */
bool queue_refuses(struct queue *queue, uint32_t size, gpa_t desc, gpa_t driver, gpa_t device);

/* Do the segments of what was popped last, of this chain, lie in RAM? */
bool queue_sane(const struct queue *queue, const struct chain *chain);

/* Have this many writable buffers go through it, one chain each, in one batch. Whether the driver
 * is to be notified of it. */
bool queue_use(struct queue *queue, unsigned batch);

/* A device: a thread that gives each chain back, the first 4 bytes of the readable part copied to
 * the writable part, and as its used length, until it is to stop. */
struct queue_server {
	struct queue *queue;
	atomic_bool stop;
};

void *queue_serve(void *server);

#endif
