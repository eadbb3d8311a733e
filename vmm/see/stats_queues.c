/* SPDX-License-Identifier: BSD-2-Clause */
/* What passes through the queues of devices, and how long it takes. */
#include <stdlib.h>

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#include "chain.h"
#include "see/stats_parts.h"

/* Ids of chains that a queue can have in flight: all that 16 bits hold. */
#define CHAIN_IDS 65536

static struct stats_device *device_of(struct stats *stats, const struct event *event)
{
	struct stats_device *device = &stats->devices[event->number];

	device->name = event->device->ops->name;
	device->queue_count = event->device->queue_count;
	return device;
}

/* The event is about a queue. */
static struct stats_queue *queue_of(struct stats *stats, const struct event *event)
{
	struct stats_queue *queue = &device_of(stats, event)->queues[event->virtio->queue];

	queue->is_used = true;
	return queue;
}

static struct stats_spans *spans_of(struct stats *stats, const struct event *event)
{
	return &stats->devices[event->number].spans[event->virtio->queue];
}

/* The time that is over since *begun_ns, if it has begun. */
static void end_span(struct histogram *histogram, uint64_t *begun_ns, uint64_t ns)
{
	if (*begun_ns)
		histogram_add(histogram, ns - *begun_ns);
	*begun_ns = 0;
}

static void forget_queue(struct stats_queue *queue)
{
	free(queue->taken_ns);
	queue->taken_ns = NULL;
	queue->kicked_ns = queue->interrupted_ns = queue->unanswered_ns = 0;
}

/* --- registers -------------------------------------------------------------------------------- */

/* Of several kicks before the device takes a request, the first one began the wait. */
static void kicked(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_device *device = device_of(stats, event);
	unsigned number = (unsigned)(event->virtio->value & 0xffff);
	struct stats_queue *queue;

	if (number >= device->queue_count) {
		device->lost_kicks++;
		return;
	}
	queue = &device->queues[number];
	queue->is_used = true;
	queue->kicks++;
	if (!queue->kicked_ns)
		queue->kicked_ns = ns;
	if (!queue->unanswered_ns)
		queue->unanswered_ns = ns;
}

static void acknowledged(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_device *device = device_of(stats, event);

	device->acknowledgements++;
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		end_span(&device->spans[i].acknowledge, &device->queues[i].interrupted_ns, ns);
}

static void accessed(struct stats *stats, const struct event *event, uint64_t ns)
{
	const struct virtio_event *access = event->virtio;

	stats_name_register(stats, event);
	if (access->kind != VIRTIO_EVENT_WRITE || access->len != 4)
		return;
	if (access->offset == VIRTIO_MMIO_QUEUE_NOTIFY)
		kicked(stats, event, ns);
	else if (access->offset == VIRTIO_MMIO_INTERRUPT_ACK)
		acknowledged(stats, event, ns);
}

/* --- requests --------------------------------------------------------------------------------- */

static void taken(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_queue *queue = queue_of(stats, event);
	const struct chain *chain = event->virtio->chain;

	queue->requests++;
	queue->bytes_read += chain->readable_len;
	end_span(&spans_of(stats, event)->notify, &queue->kicked_ns, ns);
	if (!queue->taken_ns)
		queue->taken_ns = calloc(CHAIN_IDS, sizeof *queue->taken_ns);
	if (queue->taken_ns)
		queue->taken_ns[chain->id] = ns;
}

static void used(struct stats *stats, const struct event *event, uint64_t ns)
{
	const struct views *views = stats->view.views;
	struct stats_queue *queue = queue_of(stats, event);
	uint64_t instructions = views->machine->instructions(views->ctx, EVENT_NO_CPU);

	queue->completed++;
	queue->bytes_written += event->virtio->value;
	if (queue->taken_ns)
		end_span(&spans_of(stats, event)->serve, &queue->taken_ns[event->virtio->chain->id],
			ns);
	if (queue->has_completed)
		histogram_add(&spans_of(stats, event)->instructions,
			instructions - queue->instructions_then);
	queue->has_completed = true;
	queue->instructions_then = instructions;
}

/* A kick that has led to no request is over. A queue that nobody uses is served as well, when the
 * machine ends. */
static void served(struct stats *stats, const struct event *event)
{
	struct stats_queue *queue = &stats->devices[event->number].queues[event->virtio->queue];

	if (!event->virtio->value)
		queue->kicked_ns = queue->unanswered_ns = 0;
}

static void suppressed(struct stats *stats, const struct event *event)
{
	struct stats_queue *queue = queue_of(stats, event);

	queue->suppressed++;
	queue->unanswered_ns = 0;
}

static void interrupted(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_queue *queue;

	if (event->virtio->queue < 0) {
		device_of(stats, event)->config_interrupts++;
		return;
	}
	queue = queue_of(stats, event);
	queue->interrupts++;
	end_span(&spans_of(stats, event)->respond, &queue->unanswered_ns, ns);
	if (!queue->interrupted_ns)
		queue->interrupted_ns = ns;
}

static void status_changed(struct stats *stats, const struct event *event)
{
	struct stats_device *device = device_of(stats, event);

	for (unsigned i = 0; event->virtio->value == 0 && i < VIRTIO_QUEUES_MAX; i++)
		forget_queue(&device->queues[i]);
}

void stats_step(struct stats *stats, const struct event *event, uint64_t ns)
{
	struct stats_device *device = &stats->devices[event->number];

	switch (event->virtio->kind) {
	case VIRTIO_EVENT_READ:
	case VIRTIO_EVENT_WRITE:
		accessed(stats, event, ns);
		break;
	case VIRTIO_EVENT_STATUS:
		status_changed(stats, event);
		break;
	case VIRTIO_EVENT_QUEUE_READY:
		forget_queue(queue_of(stats, event));
		break;
	case VIRTIO_EVENT_SERVE:
		break;
	case VIRTIO_EVENT_SERVED:
		served(stats, event);
		break;
	case VIRTIO_EVENT_CHAIN:
		taken(stats, event, ns);
		break;
	case VIRTIO_EVENT_USED:
		used(stats, event, ns);
		break;
	case VIRTIO_EVENT_INTERRUPT:
		interrupted(stats, event, ns);
		break;
	case VIRTIO_EVENT_NO_INTERRUPT:
		suppressed(stats, event);
		break;
	case VIRTIO_EVENT_HOST_BEGIN:
		device->host_begun_ns = ns;
		break;
	case VIRTIO_EVENT_HOST_END:
		end_span(&device->host, &device->host_begun_ns, ns);
		break;
	case VIRTIO_EVENT_RESTORED:
		break;
	}
}

void stats_free_queues(struct stats *stats)
{
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++)
			forget_queue(&stats->devices[i].queues[j]);
}
