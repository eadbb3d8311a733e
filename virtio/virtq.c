/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <assert.h>

#include <vole/virtio_config.h>

#include "packed.h"
#include "ring.h"
#include "split.h"

void virtq_reset(struct virtq *vq)
{
	*vq = (struct virtq){0};
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
