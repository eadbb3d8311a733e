/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_VIRTQ_H
#define GUEST_VIRTQ_H

/*
 * The driver's half of a virtqueue, in either of its formats: split (virtio 2.7) or packed (2.8),
 * which vole/virtio_ring.h draws. A driver does not see which it is. The device's half is
 * virtio/virtq.c: the two share the layout, nothing else.
 *
 *	virtq.c		the functions that drivers call
 *	split.c		a split virtqueue
 *	packed.c	a packed virtqueue
 *	ring.h		what virtq.c calls of these two
 *	virtq_state.h	the structure that all of them work on
 *
 * A request's life: virtq_add() describes its buffers in a chain of descriptors and makes
 * the chain available; virtq_kick() tells the device, if the device wants to be told; the
 * device gives the chain back as used, and usually interrupts; virtq_take() finds it there
 * and frees the descriptors.
 *
 *	virtq_add(vq, buffers, 1, 1, &request);
 *	virtq_kick(vq);
 *	virtq_wait(vq);
 *	request = virtq_take(vq, &len);
 *
 * Features of queues are used where a device offers them and mmio.declined does not say otherwise
 * (VIRTQ_FEATURES, to be passed to mmio_begin()):
 *
 *	RING_PACKED	one ring that both sides write, instead of one for each
 *	INDIRECT_DESC	a request of several buffers takes only one descriptor of the queue, which
 *			points to a table of the others (virtio 2.7.5.3, 2.8.7)
 *	EVENT_IDX	notifications are asked for by position, not switched on and off (2.7.7,
 *			2.7.10, 2.8.10)
 *	IN_ORDER	the device gives back in the order in which it was given, and then may
 *			report many requests as one (2.7.9, 2.8.8)
 *
 * A queue is for one CPU at a time, outside of interrupt handlers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mmio.h"
#include "virtq_state.h"

/* Of these features the queues make use. */
#define VIRTQ_FEATURES                                                     \
	(FEATURE(VIRTIO_F_RING_PACKED) | FEATURE(VIRTIO_F_INDIRECT_DESC) | \
		FEATURE(VIRTIO_F_EVENT_IDX) | FEATURE(VIRTIO_F_IN_ORDER))

/* Make vq queue number index of the device, empty, and have the device use it. After mmio_begin(),
 * before mmio_ready(). 0, or -ENODEV if the device has no such queue or does not accept it. */
int virtq_setup(struct virtq *vq, struct mmio *dev, unsigned index);

/* The first half of it, of which the device does not know: an empty queue with as many entries as
 * the device takes. */
void virtq_init(struct virtq *vq, struct mmio *dev, unsigned index, uint32_t size_max);

/*
 * Make a request available: first the buffers that the device reads, then those that it writes, at
 * least one in all. They belong to the device until virtq_take() gives request back, which must not
 * be NULL. 0, or -EINVAL without a buffer, or -ENOSPC if too few descriptors are free.
 */
int virtq_add(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, void *request);

/* After one or more virtq_add(). */
void virtq_kick(struct virtq *vq);

/* The device has given something back that was not taken yet. */
bool virtq_pending(const struct virtq *vq);

/* Sleep until virtq_pending(). 0, or -EIO if the device has failed and nothing will come. */
int virtq_wait(struct virtq *vq);

/* The next request that the device is done with, NULL if there is none. *len is how many bytes it
 * has written, from the first writable buffer on, at most what these have room for; what lies
 * behind is not to be relied on. A device that gives back nonsense has failed: NULL. */
void *virtq_take(struct virtq *vq, uint32_t *len);

/*
 * A whole request, on a queue that has no other under way: make it available, kick, sleep until it
 * is back. *len as of virtq_take(). 0, or what virtq_add() and virtq_wait() say, or -EIO if what
 * came back was nonsense.
 */
int virtq_exchange(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, uint32_t *len);

/*
 * Ask the device for an interrupt with what it gives back next. True if that is there already: then
 * perhaps none will come. virtq_wait() does it by itself. Until then, or after
 * virtq_interrupts_off(), the device may send some all the same (virtio 2.7.7).
 */
bool virtq_interrupts_on(struct virtq *vq);
void virtq_interrupts_off(struct virtq *vq);

#endif
