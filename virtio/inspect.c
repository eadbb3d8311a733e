/* SPDX-License-Identifier: BSD-2-Clause */
#include "inspect.h"

#include <time.h>

#include "coarse_time.h"
#include "ring.h"

static void view_queue(const struct virtq *vq, struct virtq_view *view)
{
	*view = (struct virtq_view){.exists = true, .ready = vq->ready};
	if (!vq->ready)
		return;
	view->size = vq->size;
	vq->ring->view(vq, view);
	view->unnoticed = vq->ran_dry && view->waiting > 0;
	view->event_idx = vq->event_idx;
	view->unheard = vq->quiet == VIRTQ_UNHEARD && view->all_used &&
			view->suppression == vq->suppression;
}

#define LATELY_MS 100

static bool served_lately(const struct virtio_device *dev)
{
	return dev->served_ms != 0 && coarse_ms() - dev->served_ms < LATELY_MS;
}

/* Tries to take the lock, and nanoseconds between two of them: 200 milliseconds in all. */
#define TRIES      200
#define BETWEEN_NS 1000000

/* Takes the lock. Returns whether it was to be had in time. pthread_mutex_clocklock() would do, but
 * the thread sanitizer of GCC 12 does not see it, and reports the unlock. */
static bool lock_in_time(pthread_mutex_t *lock)
{
	const struct timespec between = {.tv_nsec = BETWEEN_NS};

	for (unsigned i = 0; i < TRIES; i++) {
		if (pthread_mutex_trylock(lock) == 0)
			return true;
		nanosleep(&between, NULL);
	}
	return false;
}

void virtio_inspect(struct virtio_device *dev, struct virtio_view *view)
{
	unsigned existing;

	*view = (struct virtio_view){.name = dev->ops->name, .is_busy = true};
	if (!lock_in_time(&dev->lock))
		return;
	*view = (struct virtio_view){
		.name = dev->ops->name,
		.status = dev->status,
		.offered = dev->features,
		.accepted = dev->driver_features,
		.interrupt_status = atomic_load(&dev->interrupt_status),
		.taken_away = atomic_load(&dev->taken_away),
		.served_lately = served_lately(dev),
		.at_host = dev->at_host && !served_lately(dev),
		.queue_count = dev->queue_count,
	};
	/* A bit that is set again is the notification that the driver still gets. */
	if (view->interrupt_status)
		view->taken_away = false;
	existing = virtio_queue_count(dev);
	for (unsigned i = 0; i < dev->queue_count && i < existing; i++)
		view_queue(&dev->queues[i], &view->queues[i]);
	pthread_mutex_unlock(&dev->lock);
}
