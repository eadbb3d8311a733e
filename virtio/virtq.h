/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_VIRTQ_H
#define VIRTIO_VIRTQ_H

/*
 * The device side of a virtqueue, in either of its formats: split (virtio 2.7) or packed (2.8),
 * which include/vole/virtio_ring.h draws. A device does not see which it is. The driver's half,
 * written for a guest, is guest-kernel/virtq.c: the two share the ABI, nothing else.
 *
 *	virtq.c		the functions that devices and transports call
 *	split.c		a split virtqueue
 *	packed.c	a packed virtqueue
 *	ring.c		what both formats share: the validation of areas and descriptors
 *	virtq_state.h	the structure that all of them work on
 *
 * A request's life: virtq_pop() takes the next chain the driver made available, as host segments;
 * the device does its work; virtq_push() puts it in the used ring; virtq_publish() lets the driver
 * see all that was pushed, once per batch, and says whether the driver wants to hear of it.
 *
 * While a device serves a queue it needs no kicks: virtq_silence() before and virtq_listen() after
 * save the driver from sending them, and listen says if something came in between.
 *
 * The queue trusts nothing in guest memory. Indices, descriptors and lengths are loaded once and
 * validated as copies; a chain is bounded in steps (the queue's size, and VIRTQ_SIZE_MAX for an
 * indirect table) and in bytes (2^32). Anything else is -EPROTO: the ring cannot be trusted any
 * more and the caller fails the device.
 *
 * All functions are called with the device's lock held.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chain.h"
#include "gmem.h"
#include "virtq_state.h"

/* Sets the state after device reset. */
void virtq_reset(struct virtq *vq);

/*
 * Makes the queue ready, because the driver wrote 1 to QueueReady. Validates size, alignment and
 * that all three areas are RAM with the right access (virtio 2.7, 2.7.1, 2.8, 2.8.11), and starts
 * at position 0. size_max is at most VIRTQ_SIZE_MAX; features are those that the driver accepted:
 * RING_PACKED, INDIRECT_DESC and EVENT_IDX matter here.
 *   0        ready
 *   -EINVAL  refused, vq->fault says why; the queue stays off
 */
int virtq_enable(struct virtq *vq, const struct gmem *gmem, unsigned size_max, uint64_t features);

/* Stops the queue, because the driver wrote 0 to QueueReady. It does not access guest memory from
 * here on. */
void virtq_disable(struct virtq *vq);

/*
 * Takes the next available chain (virtio 2.7.5, 2.7.6, 2.8.5). Between two calls of virtq_publish()
 * it returns 1 at most as often as the queue has entries, so a loop that runs until 0 ends.
 *
 *   1        *chain is filled; the caller owes one virtq_push(); the segments are valid until the
 *            next virtq_pop()
 *   0        nothing is available
 *   -EPROTO  ring or chain malformed, vq->fault says how; the caller must fail the device
 */
int virtq_pop(struct virtq *vq, struct chain *chain);

/* Returns a chain to the driver as used; len bytes were written from the start of its writable part
 * (virtio 2.7.8, 2.8.4). The driver sees it after virtq_publish(). */
void virtq_push(struct virtq *vq, const struct chain *chain, uint32_t len);

/* Makes all pushed chains visible to the driver. Returns true if the driver has to be notified
 * (virtio 2.7.7, 2.8.10). */
bool virtq_publish(struct virtq *vq);

/* Asks the driver for no kicks while the queue is served (virtio 2.7.10, 2.8.10). */
void virtq_silence(struct virtq *vq);

/* Returns whether the driver has made something available that was not popped. */
bool virtq_waits(const struct virtq *vq);

/* Asks for kicks again. Returns true if the device last found the queue empty and a buffer has come
 * since, or chaos has something late: the caller must serve the queue once more. A device that left
 * buffers in the queue knows itself when to continue. */
bool virtq_listen(struct virtq *vq);

#endif
