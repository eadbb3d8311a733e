/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vole/virtio_mmio.h>

#include "coarse_time.h"

/* The bits of Status that a driver may set; DEVICE_NEEDS_RESET is the device's own (virtio 2.1). */
#define DRIVER_STATUS                                                                 \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK | \
		VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)

int virtio_init(struct virtio_device *dev, const struct virtio_ops *ops, uint64_t features,
	unsigned queue_count, const struct gmem *gmem, const struct virtio_host_ops *host,
	void *ctx)
{
	int ret;

	assert(queue_count <= VIRTIO_QUEUES_MAX && ops->config_len <= VIRTIO_CONFIG_MAX);
	*dev = (struct virtio_device){
		.ops = ops,
		.host = host,
		.ctx = ctx,
		.gmem = gmem,
		.features = ops->features | features | VIRTIO_QUEUE_DEFAULT |
			    VIRTIO_BIT(VIRTIO_F_VERSION_1),
		.queue_count = queue_count,
		.queues = calloc(queue_count, sizeof *dev->queues),
	};
	if (!dev->queues)
		return -ENOMEM;
	ret = -pthread_mutex_init(&dev->lock, NULL);
	if (ret == 0) {
		ret = -pthread_cond_init(&dev->returned, NULL);
		if (ret < 0)
			pthread_mutex_destroy(&dev->lock);
	}
	if (ret < 0)
		free(dev->queues);
	return ret;
}

void virtio_offer(struct virtio_device *dev, uint64_t features)
{
	assert(!(features & ~VIRTIO_QUEUE_FEATURES));
	dev->features = (dev->features & ~VIRTIO_QUEUE_FEATURES) | features;
}

void virtio_watch(struct virtio_device *dev)
{
	dev->watched = true;
}

void virtio_free(struct virtio_device *dev)
{
	pthread_cond_destroy(&dev->returned);
	pthread_mutex_destroy(&dev->lock);
	free(dev->queues);
}

unsigned virtio_queue_count(const struct virtio_device *dev)
{
	return dev->ops->queue_count ? dev->ops->queue_count(dev) : dev->queue_count;
}

bool virtio_has_feature(const struct virtio_device *dev, unsigned feature)
{
	return dev->driver_features & VIRTIO_BIT(feature);
}

static bool device_live(const struct virtio_device *dev)
{
	const uint8_t broken = VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED;

	return (dev->status & (VIRTIO_STATUS_DRIVER_OK | broken)) == VIRTIO_STATUS_DRIVER_OK;
}

bool virtio_queue_live(const struct virtio_device *dev, unsigned queue)
{
	return queue < dev->queue_count && dev->queues[queue].ready && device_live(dev);
}

/* --- while the host works --------------------------------------------------------------------- */

void virtio_host_begin(struct virtio_device *dev)
{
	virtio_tell_queue(dev, VIRTIO_EVENT_HOST_BEGIN, EVENT_NO_QUEUE, 0);
	dev->at_host = true;
	dev->served_ms = coarse_ms();
	pthread_mutex_unlock(&dev->lock);
}

bool virtio_host_end(struct virtio_device *dev)
{
	pthread_mutex_lock(&dev->lock);
	dev->at_host = false;
	virtio_tell_queue(dev, VIRTIO_EVENT_HOST_END, EVENT_NO_QUEUE, 0);
	if (dev->stops == 0)
		return true;
	pthread_cond_broadcast(&dev->returned);
	return false;
}

static void wait_for_tick(struct virtio_device *dev)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += VIRTIO_TICK_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_clockwait(&dev->returned, &dev->lock, CLOCK_MONOTONIC, &until);
}

bool virtio_await_host(struct virtio_device *dev, unsigned ticks)
{
	const void *accessor = dev->accessor;

	dev->accessor = NULL; /* what others report meanwhile is not of this access */
	dev->stops++;
	while (dev->at_host && ticks-- > 0 && !(dev->host->ending && dev->host->ending(dev->ctx)))
		wait_for_tick(dev);
	dev->stops--;
	dev->accessor = accessor;
	return !dev->at_host;
}

/* Waits until the host does not work for a request. Returns false if the machine is ending before
 * that. Others may have written registers meanwhile. */
static bool host_has_returned(struct virtio_device *dev)
{
	return virtio_await_host(dev, UINT_MAX);
}

/* --- interrupts and kicks --------------------------------------------------------------------- */

/*
 * The bit shows before the driver can look (virtio 4.2.2.1). The interrupt is raised even if the
 * bit was set already: the interrupt pin is edge-triggered, and an edge that met a masked pin is
 * gone.
 */
void virtio_interrupt(struct virtio_device *dev, int queue, unsigned bit)
{
	virtio_tell_queue(dev, VIRTIO_EVENT_INTERRUPT, queue, bit);
	atomic_fetch_add(&dev->notifications, 1);
	atomic_fetch_or(&dev->interrupt_status, bit);
	dev->host->raise(dev->ctx);
}

uint32_t virtio_read_interrupt_status(struct virtio_device *dev)
{
	uint32_t bits = atomic_load(&dev->interrupt_status);

	/* Afterwards: what comes in between is not told of, rather than told of wrongly. */
	atomic_store(&dev->status_read, atomic_load(&dev->notifications));
	atomic_store(&dev->status_is_read, true);
	return bits;
}

/* For reports: does this acknowledgement take away what its driver has not seen? One that clears
 * nothing changes nothing. */
static void note_acknowledgement(struct virtio_device *dev, uint32_t cleared)
{
	bool was_read = atomic_exchange(&dev->status_is_read, false);

	if (cleared)
		atomic_store(&dev->taken_away,
			was_read &&
				atomic_load(&dev->status_read) != atomic_load(&dev->notifications));
}

void virtio_ack_interrupt(struct virtio_device *dev, uint32_t bits)
{
	uint32_t before = atomic_fetch_and(&dev->interrupt_status, ~bits);

	note_acknowledgement(dev, before & bits);
	if (!(before & ~bits))
		return;
	/* The line stays asserted while a bit is left (virtio 4.2.3.4), which an edge-triggered pin
	 * sees as one more edge; but a reset may come first, after which all is silent (2.4.1). */
	pthread_mutex_lock(&dev->lock);
	if (atomic_load(&dev->interrupt_status))
		dev->host->raise(dev->ctx);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_kick(struct virtio_device *dev, unsigned queue)
{
	if (queue < virtio_queue_count(dev))
		dev->host->kick(dev->ctx, queue);
}

void virtio_renew_config(struct virtio_device *dev)
{
	dev->config_generation++;
	if (device_live(dev))
		virtio_interrupt(dev, EVENT_NO_QUEUE, VIRTIO_MMIO_INT_CONFIG);
}

void virtio_config_changed(struct virtio_device *dev)
{
	pthread_mutex_lock(&dev->lock);
	if (dev->ops->config_changed)
		dev->ops->config_changed(dev);
	virtio_renew_config(dev);
	pthread_mutex_unlock(&dev->lock);
}

/* --- faults ----------------------------------------------------------------------------------- */

void virtio_fail(struct virtio_device *dev, const char *format, ...)
{
	va_list arguments;

	if (dev->status & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
		return;

	va_start(arguments, format);
	virtio_report_fault(dev, format, arguments);
	va_end(arguments);
	dev->status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
	virtio_tell_status(dev, dev->status & ~VIRTIO_STATUS_DEVICE_NEEDS_RESET);
	if (dev->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_interrupt(dev, EVENT_NO_QUEUE, VIRTIO_MMIO_INT_CONFIG);
}

/* --- status ----------------------------------------------------------------------------------- */

static void device_reset(struct virtio_device *dev)
{
	uint8_t before = dev->status;

	if (dev->live)
		dev->host->live(dev->ctx, false);
	dev->live = false;
	dev->status = 0;
	virtio_tell_status(dev, before);
	dev->driver_features = 0;
	for (unsigned i = 0; i < dev->queue_count; i++)
		virtq_reset(&dev->queues[i]);
	if (dev->ops->reset)
		dev->ops->reset(dev);
	atomic_store(&dev->interrupt_status, 0);
	atomic_store(&dev->status_is_read, false);
	atomic_store(&dev->taken_away, false);
}

static void tell_queues_changed(const struct virtio_device *dev)
{
	if (dev->live && dev->host->queues_changed)
		dev->host->queues_changed(dev->ctx);
}

/* DRIVER_OK is set. */
static void device_start(struct virtio_device *dev)
{
	int error;

	/* Failed before, for instance at a queue: now the driver may be told (virtio 2.1.2). */
	if (dev->status & VIRTIO_STATUS_DEVICE_NEEDS_RESET) {
		virtio_interrupt(dev, EVENT_NO_QUEUE, VIRTIO_MMIO_INT_CONFIG);
		return;
	}
	error = dev->host->live(dev->ctx, true);
	if (error < 0) {
		virtio_fail(dev, "cannot start: %s", strerror(-error));
		return;
	}
	dev->live = true;

	/* Buffers may be available since before, and no kick is owed for them. */
	for (unsigned i = 0; i < dev->queue_count; i++) {
		if (virtio_queue_live(dev, i))
			virtio_kick(dev, i);
	}
}

/* Reports that a write of value to Status breaks a rule. The format says what the driver did. */
#define status_mistake(dev, rule_, value_, ...)                \
	virtio_mistake(dev,                                    \
		&(const struct virtio_report){.rule = (rule_), \
			.reg = "Status",                       \
			.queue = REPORT_NO_QUEUE,              \
			.value = (value_)},                    \
		__VA_ARGS__)

/* The device can work with exactly what it offered, and only as a modern device (virtio 2.2.2). */
static bool features_acceptable(const struct virtio_device *dev)
{
	return !(dev->driver_features & ~dev->features) &&
	       virtio_has_feature(dev, VIRTIO_F_VERSION_1);
}

/* Reports why FEATURES_OK is refused. */
static void refuse_features(struct virtio_device *dev, uint32_t value)
{
	uint64_t unknown = dev->driver_features & ~dev->features;

	if (unknown)
		status_mistake(dev, RULE_FEATURE_OFFERED, value,
			"FEATURES_OK refused: feature bit %d", __builtin_ctzll(unknown));
	if (!virtio_has_feature(dev, VIRTIO_F_VERSION_1))
		status_mistake(dev, RULE_VERSION_1, value, "FEATURES_OK refused:");
}

/* Reports bits of a write to Status that have no effect. DEVICE_NEEDS_RESET may be written back as
 * it was read. */
static void report_lost_bits(struct virtio_device *dev, uint32_t value)
{
	uint32_t cleared = dev->status & DRIVER_STATUS & ~value;
	uint32_t foreign = value & ~DRIVER_STATUS & ~dev->status;

	if (cleared)
		status_mistake(dev, RULE_STATUS_CLEARED, value, "Status 0x%x without 0x%x, which",
			value, cleared);
	if (foreign)
		status_mistake(dev, RULE_STATUS_BITS, value, "Status 0x%x: 0x%x", value, foreign);
}

void virtio_set_status(struct virtio_device *dev, uint32_t value)
{
	uint8_t gained = value & DRIVER_STATUS & ~dev->status, before = dev->status;

	if (value == 0) {
		if (host_has_returned(dev))
			device_reset(dev);
		return;
	}
	report_lost_bits(dev, value);
	if (gained & VIRTIO_STATUS_FEATURES_OK && !features_acceptable(dev)) {
		gained &= ~VIRTIO_STATUS_FEATURES_OK;
		refuse_features(dev, value);
	}
	if (gained & VIRTIO_STATUS_DRIVER_OK &&
		!((dev->status | gained) & VIRTIO_STATUS_FEATURES_OK)) {
		gained &= ~VIRTIO_STATUS_DRIVER_OK;
		status_mistake(dev, RULE_START, value, "DRIVER_OK refused:");
	}
	dev->status |= gained;
	virtio_tell_status(dev, before);
	if (gained & VIRTIO_STATUS_DRIVER_OK)
		device_start(dev);
	if (gained & VIRTIO_STATUS_FAILED)
		tell_queues_changed(dev);
}

/* --- queues ----------------------------------------------------------------------------------- */

void virtio_set_queue_ready(struct virtio_device *dev, unsigned queue, bool ready)
{
	struct virtq *vq = &dev->queues[queue];

	if (ready == vq->ready)
		return;
	if (!ready) {
		if (!host_has_returned(dev))
			return;
		virtq_disable(vq);
		tell_queues_changed(dev);
		virtio_tell_queue(dev, VIRTIO_EVENT_QUEUE_READY, (int)queue, 0);
		if (dev->ops->queue_stopped)
			dev->ops->queue_stopped(dev, queue);
		return;
	}
	if (virtq_enable(vq, dev->gmem, virtio_queue_size_max(dev, queue), dev->driver_features) <
		0) {
		virtio_fail(dev, "queue %u: %s", queue, vq->fault);
		return;
	}
	tell_queues_changed(dev);
	virtio_tell_queue(dev, VIRTIO_EVENT_QUEUE_READY, (int)queue, 1);
	if (virtio_queue_live(dev, queue))
		virtio_kick(dev, queue); /* as at DRIVER_OK */
}

void virtio_reset_queue(struct virtio_device *dev, unsigned queue)
{
	/* Once, and before the look whether the queue is ready: another CPU may make it so while
	 * this one waits, and then it has to be stopped, or the device keeps a request of the queue
	 * that was, to give it back to the queue that comes. */
	if (!host_has_returned(dev))
		return;
	virtio_set_queue_ready(dev, queue, false);
	virtq_reset(&dev->queues[queue]);
}
