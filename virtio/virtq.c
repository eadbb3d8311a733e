/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <assert.h>

#include <vole/virtio_config.h>

#include "chaos.h"
#include "packed.h"
#include "ring.h"
#include "split.h"

void virtq_reset(struct virtq *vq)
{
	*vq = (struct virtq){.chaos = vq->chaos};
}

int virtq_enable(struct virtq *vq, const struct gmem *gmem, unsigned size_max, uint64_t features)
{
	int error;

	assert(size_max <= VIRTQ_SIZE_MAX);
	vq->gmem = gmem;
	vq->ring = features >> VIRTIO_F_RING_PACKED & 1 ? &virtq_packed_ops : &virtq_split_ops;
	vq->indirect = features >> VIRTIO_F_INDIRECT_DESC & 1;
	vq->event_idx = features >> VIRTIO_F_EVENT_IDX & 1;
	vq->ran_dry = false;
	vq->quiet = VIRTQ_HEARD;
	error = vq->ring->enable(vq, size_max);
	vq->ready = error == 0;
	if (vq->chaos && vq->ready)
		chaos_begin(vq, features);
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
	if (got > 0 && vq->quiet == VIRTQ_UNHEARD)
		vq->quiet = VIRTQ_POLLED;
	return got;
}

/*
 * Before the device writes to the ring, for the observer of guest memory. The pointers to the areas
 * are as old as the queue, and code may be in the same pages. Which bytes of an area come next
 * makes no difference, so this is done here, and the formats know nothing of it.
 */
static inline void announce(const struct virtq *vq)
{
	if (__builtin_expect(vq->gmem->written != NULL, 0))
		vq->ring->announce(vq);
}

void virtq_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	announce(vq);
	vq->ring->push(vq, chain, len);
}

bool virtq_publish(struct virtq *vq)
{
	announce(vq);
	return vq->ring->publish(vq);
}

void virtq_silence(struct virtq *vq)
{
	announce(vq);
	vq->ring->silence(vq);
	vq->ran_dry = !vq->ring->available(vq);
}

bool virtq_waits(const struct virtq *vq)
{
	return vq->ring->available(vq);
}

bool virtq_listen(struct virtq *vq)
{
	announce(vq);
	vq->ring->listen(vq);

	/* Pairs with the driver, which makes a buffer available, then looks whether to kick: either
	 * it sees that it is to, or we see the buffer. */
	full_barrier();
	return (vq->ran_dry && vq->ring->available(vq)) ||
	       (__builtin_expect(vq->chaos != NULL, 0) && chaos_is_busy(vq));
}
