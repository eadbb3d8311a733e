/* SPDX-License-Identifier: BSD-2-Clause */
/* Serving a device's queues, and what its type calls for that. */
#include "virtio.h"

#include <vole/virtio_mmio.h>

#include "coarse_time.h"
#include "guest_order.h"

int virtio_pop(struct virtio_device *dev, unsigned queue, struct chain *chain)
{
	struct virtq *vq = &dev->queues[queue];
	int got;

	/* Before the descriptors are read, and again since what they name may be newer. */
	guest_order_acquire(dev->gmem);
	got = virtq_pop(vq, chain);
	guest_order_acquire(dev->gmem);
	if (got > 0)
		virtio_tell_chain(dev, VIRTIO_EVENT_CHAIN, queue, chain, 0);
	if (got >= 0)
		return got;
	virtio_fail(dev, "queue %u: %s", queue, vq->fault);
	return 0;
}

void virtio_push(struct virtio_device *dev, unsigned queue, const struct chain *chain, uint32_t len)
{
	virtq_push(&dev->queues[queue], chain, len);
	if (__builtin_expect(dev->chaos == NULL, 1))
		virtio_tell_chain(dev, VIRTIO_EVENT_USED, queue, chain, len);
}

/* Tells of the chains that chaos has just given back. */
static void tell_given(const struct virtio_device *dev, unsigned queue)
{
	const struct chain_used *used;

	for (unsigned i = 0; (used = chaos_given(&dev->queues[queue], i)) != NULL; i++)
		virtio_tell_chain(dev, VIRTIO_EVENT_USED, queue, &used->chain, used->len);
}

void virtio_publish(struct virtio_device *dev, unsigned queue)
{
	struct virtq *vq = &dev->queues[queue];
	bool wanted;

	guest_order_release(dev->gmem);
	if (!virtio_queue_live(dev, queue))
		return;
	vq->suppressed = false;
	wanted = virtq_publish(vq);
	if (__builtin_expect(dev->chaos != NULL, 0))
		tell_given(dev, queue);
	if (wanted)
		virtio_interrupt(dev, (int)queue, VIRTIO_MMIO_INT_VRING);
	else if (vq->suppressed)
		virtio_tell_queue(dev, VIRTIO_EVENT_NO_INTERRUPT, (int)queue, vq->suppression);
}

/* Does what chaos has the device do besides serving a queue. */
static void surprise(struct virtio_device *dev, unsigned queue)
{
	switch (chaos_surprise(&dev->queues[queue], dev->features & dev->ops->hint)) {
	case CHAOS_NOTHING:
		break;
	case CHAOS_RESET:
		virtio_fail(dev, "--chaos: the device asks for a reset (virtio 2.1.2)");
		break;
	case CHAOS_CONFIG:
		dev->config_hint++;
		virtio_renew_config(dev);
		break;
	}
}

/* Serves a queue that is live. Returns whether its type has more to do. */
static bool serve(struct virtio_device *dev, unsigned queue)
{
	bool more;

	dev->served_ms = coarse_ms();
	virtio_tell_queue(dev, VIRTIO_EVENT_SERVE, (int)queue, 0);
	virtq_silence(&dev->queues[queue]);
	more = dev->ops->notified(dev, queue);
	if (__builtin_expect(dev->chaos != NULL, 0) && virtio_queue_live(dev, queue))
		surprise(dev, queue);
	return more;
}

bool virtio_serve(struct virtio_device *dev, unsigned queue)
{
	bool more = false;

	pthread_mutex_lock(&dev->lock);
	if (__builtin_expect(dev->frozen, 0)) {
		dev->missed = true;
		pthread_mutex_unlock(&dev->lock);
		return false;
	}
	if (virtio_queue_live(dev, queue))
		more = serve(dev, queue);
	/* If it failed meanwhile, the queue is left alone and there is nothing to come back for. */
	if (!virtio_queue_live(dev, queue))
		more = false;
	else if (virtq_listen(&dev->queues[queue]))
		more = true;
	virtio_tell_queue(dev, VIRTIO_EVENT_SERVED, (int)queue, more);
	pthread_mutex_unlock(&dev->lock);
	return more;
}

void virtio_silence(struct virtio_device *dev, unsigned queue)
{
	pthread_mutex_lock(&dev->lock);
	if (!dev->frozen && virtio_queue_live(dev, queue))
		virtq_silence(&dev->queues[queue]);
	pthread_mutex_unlock(&dev->lock);
}

bool virtio_poll(struct virtio_device *dev, unsigned queue, bool *more)
{
	bool served = false;

	pthread_mutex_lock(&dev->lock);
	if (!dev->frozen && virtio_queue_live(dev, queue) && virtq_waits(&dev->queues[queue])) {
		bool again = serve(dev, queue) && virtio_queue_live(dev, queue);

		virtio_tell_queue(dev, VIRTIO_EVENT_SERVED, (int)queue, again);
		*more |= again;
		/* A type that leaves what it found would be called again and again. */
		served = !virtio_queue_live(dev, queue) || !virtq_waits(&dev->queues[queue]);
	}
	pthread_mutex_unlock(&dev->lock);
	return served;
}

void virtio_backend_ready(struct virtio_device *dev, unsigned backend)
{
	if (!dev->ops->backend_ready)
		return;
	/* No queue is silenced: which ones the type looks at is its own affair, and a buffer that
	 * came without a kick to one that it leaves alone would be forgotten. */
	pthread_mutex_lock(&dev->lock);
	if (!dev->frozen)
		dev->ops->backend_ready(dev, backend);
	for (unsigned i = 0; !dev->frozen && i < virtio_queue_count(dev); i++) {
		if (virtio_queue_live(dev, i) && virtq_listen(&dev->queues[i]))
			virtio_kick(dev, i);
	}
	pthread_mutex_unlock(&dev->lock);
}
