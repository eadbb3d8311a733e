/* SPDX-License-Identifier: BSD-2-Clause */
#include "save.h"

#include <assert.h>
#include <errno.h>

#include <vole/virtio_mmio.h>

#include "ring.h"
#include "virtio.h"

static_assert(VIRTIO_SAVED_QUEUES == VIRTIO_QUEUES_MAX, "all queues are saved");

/* All bits of Status (virtio 2.1), and of InterruptStatus (4.2.2). */
#define STATUS_BITS                                                                   \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK | \
		VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DEVICE_NEEDS_RESET |        \
		VIRTIO_STATUS_FAILED)
#define INTERRUPT_BITS (VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG)

/* --- being at rest ---------------------------------------------------------------------------- */

int virtio_freeze(struct virtio_device *dev)
{
	pthread_mutex_lock(&dev->lock);
	dev->frozen = virtio_await_host(dev, VIRTIO_FREEZE_MS / VIRTIO_TICK_MS);
	dev->missed = false;
	pthread_mutex_unlock(&dev->lock);
	return dev->frozen ? 0 : -EBUSY;
}

void virtio_thaw(struct virtio_device *dev)
{
	pthread_mutex_lock(&dev->lock);
	dev->frozen = false;
	for (unsigned i = 0; dev->missed && i < dev->queue_count; i++)
		if (virtio_queue_live(dev, i))
			virtio_kick(dev, i);
	pthread_mutex_unlock(&dev->lock);
}

/* --- saving ----------------------------------------------------------------------------------- */

static void save_queue(struct virtio_device *dev, unsigned queue, struct virtio_saved_queue *saved)
{
	const struct virtq *vq = &dev->queues[queue];
	const struct chain *held = NULL;

	*saved = (struct virtio_saved_queue){
		.size = vq->size,
		.desc = vq->desc,
		.driver = vq->driver,
		.device = vq->device,
		.ready = vq->ready,
		.ran_dry = vq->ready && vq->ran_dry,
	};
	if (!vq->ready)
		return;
	/* What a device that failed holds is not looked at again. */
	if (dev->ops->held && virtio_queue_live(dev, queue))
		held = dev->ops->held(dev, queue, saved);
	saved->is_held = held != NULL;
	vq->ring->save(vq, saved);
}

void virtio_save(struct virtio_device *dev, struct virtio_saved *saved)
{
	pthread_mutex_lock(&dev->lock);
	assert(!dev->at_host && !dev->chaos);
	*saved = (struct virtio_saved){
		.status = dev->status,
		.live = dev->live,
		.features = dev->features,
		.driver_features = dev->driver_features,
		.config_generation = dev->config_generation,
		.interrupt_status = atomic_load(&dev->interrupt_status),
		.queue_count = dev->queue_count,
	};
	for (unsigned i = 0; i < dev->queue_count; i++)
		save_queue(dev, i, &saved->queues[i]);
	if (dev->ops->save)
		dev->ops->save(dev, saved);
	pthread_mutex_unlock(&dev->lock);
}

/* --- restoring -------------------------------------------------------------------------------- */

/* Returns what is wrong with the state apart from queues, or NULL. */
static const char *find_fault(const struct virtio_device *dev, const struct virtio_saved *saved)
{
	const uint8_t needed = VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK;

	if (saved->features != dev->features)
		return "it offered other features";
	if (saved->queue_count != dev->queue_count)
		return "it had another number of queues";
	if (saved->status & ~STATUS_BITS || saved->interrupt_status & ~INTERRUPT_BITS)
		return "Status or InterruptStatus has bits that do not exist";
	if (saved->status & VIRTIO_STATUS_FEATURES_OK &&
		(saved->driver_features & ~dev->features ||
			!(saved->driver_features & VIRTIO_BIT(VIRTIO_F_VERSION_1))))
		return "the driver accepted features that were not offered";
	if ((saved->status & VIRTIO_STATUS_DRIVER_OK || saved->live) &&
		(saved->status & needed) != needed)
		return "a driver is at work without FEATURES_OK";
	return NULL;
}

static int restore_queue(
	struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved)
{
	struct virtq *vq = &dev->queues[queue];
	int ret;

	vq->size = saved->size;
	vq->desc = saved->desc;
	vq->driver = saved->driver;
	vq->device = saved->device;
	if (!saved->ready)
		return saved->is_held ? -EINVAL : 0;
	if (queue >= virtio_queue_count(dev))
		return -EINVAL;
	ret = virtq_enable(vq, dev->gmem, virtio_queue_size_max(dev, queue), dev->driver_features);
	if (ret < 0)
		return ret;
	vq->ran_dry = saved->ran_dry;
	return vq->ring->restore(vq, saved);
}

/* Takes the chain again that the device held. */
static int take_held(
	struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved)
{
	if (!saved->is_held)
		return 0;
	if (!dev->ops->take_held || !virtio_queue_live(dev, queue))
		return -EINVAL;
	return dev->ops->take_held(dev, queue, saved);
}

static int restore_queues(
	struct virtio_device *dev, const struct virtio_saved *saved, const char **why)
{
	for (unsigned i = 0; i < dev->queue_count; i++) {
		*why = "a queue's size, addresses or position are not valid";
		if (restore_queue(dev, i, &saved->queues[i]) < 0)
			return -EINVAL;
		*why = "a request that it had taken is not in its queue";
		if (take_held(dev, i, &saved->queues[i]) < 0)
			return -EINVAL;
	}
	*why = NULL;
	return 0;
}

static int restore(struct virtio_device *dev, const struct virtio_saved *saved, const char **why)
{
	int ret;

	*why = find_fault(dev, saved);
	if (*why)
		return -EINVAL;
	virtio_set_status(dev, 0);
	dev->status = saved->status;
	dev->driver_features = saved->driver_features;
	dev->config_generation = saved->config_generation;
	atomic_store(&dev->interrupt_status, saved->interrupt_status);
	if (dev->ops->restore && dev->ops->restore(dev, saved) < 0) {
		*why = "its configuration is not valid";
		return -EINVAL;
	}
	ret = restore_queues(dev, saved, why);
	if (ret == 0 && saved->live) {
		ret = dev->host->live(dev->ctx, true);
		dev->live = ret == 0;
	}
	return ret;
}

static void tell_restored(const struct virtio_device *dev)
{
	virtio_tell_queue(dev, VIRTIO_EVENT_RESTORED, EVENT_NO_QUEUE, 0);
	virtio_tell_status(dev, 0);
	for (int i = 0; virtio_is_watched(dev) && i < (int)dev->queue_count; i++)
		if (dev->queues[i].ready)
			virtio_tell(
				dev, &(const struct virtio_event){.kind = VIRTIO_EVENT_QUEUE_READY,
					     .queue = i,
					     .value = 1,
					     .before = 1});
}

int virtio_restore(struct virtio_device *dev, const struct virtio_saved *saved, const char **why)
{
	int ret;

	pthread_mutex_lock(&dev->lock);
	ret = restore(dev, saved, why);
	if (ret == 0)
		tell_restored(dev);
	pthread_mutex_unlock(&dev->lock);
	return ret;
}
