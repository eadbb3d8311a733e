/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and their queues in a trace. */
#include <inttypes.h>
#include <stdio.h>

#include <vole/virtio_mmio.h>

#include "see/trace_parts.h"
#include "see/words.h"

/* --- tracks ----------------------------------------------------------------------------------- */

struct traced_cpu *trace_cpu(struct trace_view *trace, const struct event *event)
{
	struct traced_cpu *cpu = &trace->cpus[event->cpu];
	char name[16];

	if (!cpu->track) {
		snprintf(name, sizeof name, "CPU %d", event->cpu);
		cpu->track = trace_file_track(&trace->file, name, 0);
	}
	return cpu;
}

static struct traced_device *device_of(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = &trace->devices[event->number];
	char name[48];

	if (!device->track) {
		snprintf(name, sizeof name, "device %u, %s", event->number,
			event->device->ops->name);
		device->track = trace_file_track(&trace->file, name, 0);
	}
	return device;
}

/* Returns a lane that is free, and makes its track; NULL: more requests are in flight than a queue
 * can have, as hostile drivers pretend. */
static struct lane *take_lane(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	struct traced_queue *queue = &device->queues[event->virtio->queue];
	char name[32];

	for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++) {
		struct lane *lane = &queue->lanes[i];

		if (lane->is_taken)
			continue;
		snprintf(name, sizeof name, "queue %d, requests", event->virtio->queue);
		if (!queue->requests)
			queue->requests = trace_file_track(&trace->file, name, device->track);
		if (!lane->track)
			lane->track = trace_file_track(&trace->file, name, queue->requests);
		lane->is_taken = true;
		return lane;
	}
	return NULL;
}

/* --- flows ------------------------------------------------------------------------------------ */

static struct trace_details flow_through(uint64_t flow)
{
	return (struct trace_details){.flow_count = flow != 0, .flows = {flow}};
}

static struct trace_details flow_ends(uint64_t flow)
{
	return (struct trace_details){.ended_count = flow != 0, .ended = {flow}};
}

/* --- registers -------------------------------------------------------------------------------- */

static void trace_kick(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	unsigned number = (unsigned)(event->virtio->value & 0xffff);
	struct trace_details details = {0};
	char name[48];

	snprintf(name, sizeof name, "kick: device %u, queue %u", event->number, number);
	/* One flow at a time: a kick while the device is at work for another one has none. */
	if (number < event->device->queue_count && !device->queues[number].flow) {
		device->queues[number].flow = ++trace->flows;
		details = flow_through(trace->flows);
	}
	trace_file_instant(&trace->file, event->ns, trace_cpu(trace, event)->track, name, &details);
}

/* The acknowledgement ends the flows of all queues whose interrupt it answers. */
static void trace_acknowledgement(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	struct trace_details details = {0};
	char name[48];

	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX && details.ended_count < TRACE_FLOWS_MAX; i++) {
		struct traced_queue *queue = &device->queues[i];

		if (!queue->is_interrupted)
			continue;
		if (queue->flow)
			details.ended[details.ended_count++] = queue->flow;
		queue->flow = 0;
		queue->is_interrupted = false;
	}
	snprintf(name, sizeof name, "acknowledge: device %u", event->number);
	trace_file_instant(&trace->file, event->ns, trace_cpu(trace, event)->track, name, &details);
}

static void trace_access(struct trace_view *trace, const struct event *event)
{
	const struct virtio_event *access = event->virtio;

	if (access->kind != VIRTIO_EVENT_WRITE || access->len != 4 || event->cpu < 0)
		return;
	if (access->offset == VIRTIO_MMIO_QUEUE_NOTIFY)
		trace_kick(trace, event);
	else if (access->offset == VIRTIO_MMIO_INTERRUPT_ACK)
		trace_acknowledgement(trace, event);
}

/* --- queues ----------------------------------------------------------------------------------- */

static void trace_serve(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	struct traced_queue *queue = &device->queues[event->virtio->queue];
	struct trace_details details = flow_through(queue->flow);
	char name[32];

	snprintf(name, sizeof name, "serve queue %d", event->virtio->queue);
	trace_file_begin(&trace->file, event->ns, device->track, name, &details);
	queue->is_serving = true;
}

/* A flow that led to nothing ends where the device has found nothing to do, with its slice. */
static void trace_served(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	struct traced_queue *queue = &device->queues[event->virtio->queue];
	struct trace_details details = flow_ends(queue->flow);

	if (!queue->is_serving)
		return;
	if (queue->flow && !queue->is_interrupted && !event->virtio->value) {
		trace_file_instant(
			&trace->file, event->ns, device->track, "no more to do", &details);
		queue->flow = 0;
	}
	trace_file_end(&trace->file, event->ns, device->track);
	queue->is_serving = false;
}

static void trace_chain(struct trace_view *trace, const struct event *event)
{
	const struct virtio_event *virtio = event->virtio;
	struct traced_queue *queue = &device_of(trace, event)->queues[virtio->queue];
	struct lane *lane = take_lane(trace, event);
	struct trace_details details = flow_through(queue->flow);

	if (!lane)
		return;
	lane->id = virtio->chain->id;
	text_begin(&trace->text);
	words_chain(&trace->text, event->device, (unsigned)virtio->queue, virtio->chain);
	text_line(&trace->text, "%s", "");
	trace->text.bytes[trace->text.len - 1] = '\0'; /* a name, not a line */
	trace_file_begin(&trace->file, event->ns, lane->track, trace->text.bytes, &details);
}

static void trace_used(struct trace_view *trace, const struct event *event)
{
	const struct virtio_event *virtio = event->virtio;
	struct traced_queue *queue = &device_of(trace, event)->queues[virtio->queue];

	for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++) {
		struct lane *lane = &queue->lanes[i];

		if (!lane->is_taken || lane->id != virtio->chain->id)
			continue;
		trace_file_end(&trace->file, event->ns, lane->track);
		lane->is_taken = false;
		return;
	}
}

static void trace_interrupt(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	int number = event->virtio->queue;
	struct traced_queue *queue = number >= 0 ? &device->queues[number] : NULL;
	struct trace_details details = {0};
	char name[48];

	if (queue) {
		if (!queue->flow)
			queue->flow = ++trace->flows; /* the device began by itself */
		details = flow_through(queue->flow);
		queue->is_interrupted = true;
	}
	if (event->route && event->route->obstacle == IOAPIC_OPEN)
		snprintf(name, sizeof name, "interrupt, vector 0x%02x", event->route->vector);
	else
		snprintf(name, sizeof name, "interrupt, pin %u", event->pin);
	trace_file_instant(&trace->file, event->ns, device->track, name, &details);
}

static void trace_no_interrupt(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	struct traced_queue *queue = &device->queues[event->virtio->queue];
	struct trace_details details = flow_ends(queue->is_interrupted ? 0 : queue->flow);

	trace_file_instant(
		&trace->file, event->ns, device->track, "no interrupt asked for", &details);
	if (!queue->is_interrupted)
		queue->flow = 0;
}

static void trace_host(struct trace_view *trace, const struct event *event, bool begins)
{
	struct traced_device *device = device_of(trace, event);

	if (begins)
		trace_file_begin(&trace->file, event->ns, device->track, "host", NULL);
	else if (device->is_at_host)
		trace_file_end(&trace->file, event->ns, device->track);
	device->is_at_host = begins;
}

/* Requests that are in flight when their queue is stopped are over. */
static void end_requests(struct trace_view *trace, struct traced_queue *queue)
{
	for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++) {
		if (queue->lanes[i].is_taken)
			trace_file_end(&trace->file, trace->last_ns, queue->lanes[i].track);
		queue->lanes[i].is_taken = false;
	}
}

static void trace_status(struct trace_view *trace, const struct event *event)
{
	struct traced_device *device = device_of(trace, event);
	char name[32];

	snprintf(name, sizeof name, "Status 0x%02x", (unsigned)event->virtio->value);
	trace_file_instant(&trace->file, event->ns, device->track, name, NULL);
	for (unsigned i = 0; event->virtio->value == 0 && i < VIRTIO_QUEUES_MAX; i++)
		end_requests(trace, &device->queues[i]);
}

void trace_step(struct trace_view *trace, const struct event *event)
{
	switch (event->virtio->kind) {
	case VIRTIO_EVENT_READ:
	case VIRTIO_EVENT_WRITE:
		trace_access(trace, event);
		break;
	case VIRTIO_EVENT_STATUS:
		trace_status(trace, event);
		break;
	case VIRTIO_EVENT_QUEUE_READY:
		end_requests(trace, &device_of(trace, event)->queues[event->virtio->queue]);
		break;
	case VIRTIO_EVENT_SERVE:
		trace_serve(trace, event);
		break;
	case VIRTIO_EVENT_SERVED:
		trace_served(trace, event);
		break;
	case VIRTIO_EVENT_CHAIN:
		trace_chain(trace, event);
		break;
	case VIRTIO_EVENT_USED:
		trace_used(trace, event);
		break;
	case VIRTIO_EVENT_INTERRUPT:
		trace_interrupt(trace, event);
		break;
	case VIRTIO_EVENT_NO_INTERRUPT:
		trace_no_interrupt(trace, event);
		break;
	case VIRTIO_EVENT_HOST_BEGIN:
		trace_host(trace, event, true);
		break;
	case VIRTIO_EVENT_HOST_END:
		trace_host(trace, event, false);
		break;
	case VIRTIO_EVENT_RESTORED:
		break;
	}
}

static void end_queue(
	struct trace_view *trace, struct traced_device *device, struct traced_queue *queue)
{
	struct trace_details details = flow_ends(queue->flow);

	end_requests(trace, queue);
	if (queue->flow)
		trace_file_instant(
			&trace->file, trace->last_ns, device->track, "the machine ends", &details);
	if (queue->is_serving)
		trace_file_end(&trace->file, trace->last_ns, device->track);
}

void trace_end_devices(struct trace_view *trace)
{
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		struct traced_device *device = &trace->devices[i];

		if (device->is_at_host)
			trace_file_end(&trace->file, trace->last_ns, device->track);
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++)
			end_queue(trace, device, &device->queues[j]);
	}
}
