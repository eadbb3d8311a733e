/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#include "container.h"
#include "layout.h"
#include "log.h"
#include "see/capture_format.h"
#include "see/pcapng.h"
#include "see/ring_copy.h"
#include "see/views.h"

/* Ids of chains that a queue can have in flight: all that 16 bits hold. */
#define CHAIN_IDS 65536

struct captured_queue {
	unsigned interface; /* number + 1; 0: it has none yet */
	struct ring_copy ring;
	uint64_t *numbers; /* epb_packetid of chains by their id; owned, NULL: none */
};

struct captured_device {
	unsigned interface; /* number + 1; 0: it has none yet */
	struct captured_queue queues[VIRTIO_QUEUES_MAX];
};

struct capture_view {
	struct view view;
	const char *name; /* of the file, for messages */
	struct pcapng file;
	uint32_t snap;
	uint64_t chains;            /* how many were numbered */
	unsigned machine_interface; /* number + 1, for what is of no device; 0: it has none yet */
	struct captured_device devices[DEVICE_COUNT];

	/* The record that is being made. */
	const struct event *event;
	struct captured_queue *queue;
	struct pcapng_packet packet;
};

/* --- interfaces ------------------------------------------------------------------------------- */

static struct captured_queue *captured_queue(
	struct capture_view *capture, const struct event *event, int queue)
{
	return &capture->devices[event->number].queues[queue];
}

static void name_interface(char *name, size_t size, const struct event *event, int queue)
{
	int len;

	if (!event->device) {
		snprintf(name, size, "CPUs");
		return;
	}
	len = snprintf(name, size, "device %u, %s", event->number, event->device->ops->name);
	if (queue >= 0)
		snprintf(name + len, size - (size_t)len, ", queue %d", queue);
}

/* Returns the number of the interface of the queue, of the device if queue is EVENT_NO_QUEUE, or of
 * the CPUs if the event is of no device. It is described now if this is the first packet there. */
static unsigned interface_of(struct capture_view *capture, const struct event *event, int queue)
{
	unsigned *interface = &capture->machine_interface;
	char name[64];

	if (event->device)
		interface = queue < 0 ? &capture->devices[event->number].interface
				      : &captured_queue(capture, event, queue)->interface;
	if (*interface == 0) {
		name_interface(name, sizeof name, event, queue);
		*interface = pcapng_interface(&capture->file, name) + 1;
	}
	return *interface - 1;
}

/* --- records ---------------------------------------------------------------------------------- */

static uint8_t flags_of(const struct virtio_device *dev)
{
	return (virtio_has_feature(dev, VIRTIO_F_RING_PACKED) ? CAPTURE_FLAG_PACKED : 0) |
	       (virtio_has_feature(dev, VIRTIO_F_EVENT_IDX) ? CAPTURE_FLAG_EVENT_IDX : 0);
}

static struct bytes *begin_record(struct capture_view *capture, const struct event *event,
	enum capture_kind kind, int queue, uint32_t direction)
{
	const struct virtio_device *dev = event->device;
	struct bytes *record;

	capture->packet = (struct pcapng_packet){
		.interface = interface_of(capture, event, queue),
		.ns = event->ns,
		.flags = direction,
		.queue = queue,
	};
	record = pcapng_begin(&capture->file);
	bytes_u8(record, CAPTURE_VERSION);
	bytes_u8(record, (uint8_t)kind);
	bytes_u16(record, dev ? (uint16_t)event->number : UINT16_MAX);
	bytes_u32(record, dev ? dev->ops->id : VIRTIO_ID_NONE);
	bytes_u16(record, (uint16_t)queue);
	bytes_u16(record, (uint16_t)event->cpu);
	bytes_u8(record, dev ? flags_of(dev) : 0);
	bytes_add(record, (const uint8_t[3]){0}, 3);
	return record;
}

static void end_record(struct capture_view *capture)
{
	pcapng_end(&capture->file, &capture->packet);
}

static void capture_access(struct capture_view *capture, const struct event *event)
{
	const struct virtio_event *access = event->virtio;
	const struct views *views = capture->view.views;
	struct bytes *record = begin_record(capture, event,
		access->kind == VIRTIO_EVENT_READ ? CAPTURE_READ : CAPTURE_WRITE, EVENT_NO_QUEUE,
		PCAPNG_INBOUND);
	struct place place = {.text = ""};
	size_t len;

	views->machine->place(views->ctx, event, &place);
	len = strlen(place.text);
	bytes_u32(record, access->offset);
	bytes_u32(record, access->len);
	bytes_u64(record, access->value);
	bytes_u32(record, access->selected);
	bytes_u16(record, (uint16_t)len);
	bytes_add(record, place.text, len);
	end_record(capture);
}

static void capture_status(struct capture_view *capture, const struct event *event)
{
	struct bytes *record =
		begin_record(capture, event, CAPTURE_STATUS, EVENT_NO_QUEUE, PCAPNG_OUTBOUND);

	bytes_u8(record, (uint8_t)event->virtio->before);
	bytes_u8(record, (uint8_t)event->virtio->value);
	end_record(capture);
}

static void capture_interrupt(struct capture_view *capture, const struct event *event)
{
	const struct ioapic_pin *route = event->route;
	struct bytes *record = begin_record(
		capture, event, CAPTURE_INTERRUPT, event->virtio->queue, PCAPNG_OUTBOUND);

	bytes_u32(record, (uint32_t)event->virtio->value);
	bytes_u32(record, event->pin);
	bytes_u32(record, route ? route->vector : CAPTURE_NOT_KNOWN);
	bytes_u32(record, route ? route->destination : 0);
	bytes_u32(record, route ? route->obstacle : 0);
	end_record(capture);
}

static void capture_no_interrupt(struct capture_view *capture, const struct event *event)
{
	struct bytes *record = begin_record(
		capture, event, CAPTURE_NO_INTERRUPT, event->virtio->queue, PCAPNG_OUTBOUND);

	bytes_u32(record, (uint32_t)event->virtio->value);
	end_record(capture);
}

/* A record that has nothing but its head. */
static void capture_plain(
	struct capture_view *capture, const struct event *event, enum capture_kind kind)
{
	begin_record(capture, event, kind, event->virtio->queue, PCAPNG_OUTBOUND);
	end_record(capture);
}

static void capture_report(struct capture_view *capture, const struct event *event)
{
	struct bytes *record =
		begin_record(capture, event, CAPTURE_REPORT, EVENT_NO_QUEUE, PCAPNG_OUTBOUND);

	bytes_u32(record, 0);
	bytes_add(record, event->report->text, strlen(event->report->text));
	capture->packet.comment = event->report->text;
	end_record(capture);
}

static void capture_mark(struct capture_view *capture, const struct event *event)
{
	struct bytes *record =
		begin_record(capture, event, CAPTURE_MARK, EVENT_NO_QUEUE, PCAPNG_INBOUND);

	bytes_u32(record, event->mark);
	end_record(capture);
}

/* --- chains ----------------------------------------------------------------------------------- */

static void add_segments(struct bytes *record, const struct chain *chain,
	const struct iovec *segments, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bytes_u64(record, gmem_address(chain->gmem, segments[i].iov_base));
		bytes_u64(record, segments[i].iov_len);
	}
}

/* Adds the first len bytes of a chain's stream, but no more than snap. */
static void add_payload(struct capture_view *capture, struct bytes *record,
	const struct iovec *segments, unsigned count, uint64_t len)
{
	uint64_t left = len < capture->snap ? len : capture->snap;

	capture->packet.uncut = len - left;
	for (unsigned i = 0; i < count && left > 0; i++) {
		size_t part = segments[i].iov_len < left ? segments[i].iov_len : (size_t)left;
		void *room = bytes_room(record, part);

		if (room)
			gmem_copy_in(room, segments[i].iov_base, part);
		left -= part;
	}
}

static void capture_chain(struct capture_view *capture, const struct event *event)
{
	const struct chain *chain = event->virtio->chain;
	struct captured_queue *queue = captured_queue(capture, event, event->virtio->queue);
	struct bytes *record =
		begin_record(capture, event, CAPTURE_CHAIN, event->virtio->queue, PCAPNG_INBOUND);

	capture->packet.id = ++capture->chains;
	if (queue->numbers)
		queue->numbers[chain->id] = capture->packet.id;
	bytes_u16(record, chain->id);
	bytes_u16(record, (uint16_t)(chain->readable_count + chain->writable_count));
	bytes_u32(record, chain->readable_count);
	bytes_u64(record, chain->readable_len);
	bytes_u64(record, chain->writable_len);
	add_segments(record, chain, chain->readable, chain->readable_count);
	add_segments(record, chain, chain->writable, chain->writable_count);
	add_payload(capture, record, chain->readable, chain->readable_count, chain->readable_len);
	end_record(capture);
}

/* Returns how many bytes of what the device wrote are shown: a disk's status byte is the last one
 * of all; the entropy device's are for nobody else. */
static uint64_t shown_len(const struct event *event, const struct chain *chain)
{
	switch (event->device->ops->id) {
	case VIRTIO_ID_BLOCK:
		return chain->writable_len;
	case VIRTIO_ID_ENTROPY:
		return 0;
	default:
		return event->virtio->value < chain->writable_len ? event->virtio->value
								  : chain->writable_len;
	}
}

static void capture_used(struct capture_view *capture, const struct event *event)
{
	const struct chain *chain = event->virtio->chain;
	struct captured_queue *queue = captured_queue(capture, event, event->virtio->queue);
	uint64_t len = shown_len(event, chain);
	struct bytes *record =
		begin_record(capture, event, CAPTURE_USED, event->virtio->queue, PCAPNG_OUTBOUND);

	capture->packet.id = queue->numbers ? queue->numbers[chain->id] : 0;
	bytes_u16(record, chain->id);
	bytes_u16(record, 0);
	bytes_u32(record, (uint32_t)event->virtio->value);
	bytes_u64(record, len);
	add_payload(capture, record, chain->writable, chain->writable_count, len);
	end_record(capture);
}

/* --- rings ------------------------------------------------------------------------------------ */

static void capture_change(
	void *ctx, enum ring_area area, size_t offset, const uint8_t *bytes, size_t len)
{
	struct capture_view *capture = ctx;
	int queue = (int)(capture->queue - capture->devices[capture->event->number].queues);
	struct bytes *record =
		begin_record(capture, capture->event, CAPTURE_RING, queue, PCAPNG_INBOUND);

	bytes_u8(record, (uint8_t)area);
	bytes_add(record, (const uint8_t[3]){0}, 3);
	bytes_u32(record, (uint32_t)offset);
	bytes_add(record, bytes, len);
	end_record(capture);
}

/* Captures what has changed in a queue's areas before its next step is. */
static void look_at_ring(struct capture_view *capture, const struct event *event, int queue)
{
	const struct virtq *vq;

	if (queue < 0 || (unsigned)queue >= event->device->queue_count)
		return;
	vq = &event->device->queues[queue];
	capture->event = event;
	capture->queue = captured_queue(capture, event, queue);
	if (vq->ready)
		ring_copy_look(&capture->queue->ring, vq, capture_change, capture);
}

static void capture_queue_ready(struct capture_view *capture, const struct event *event)
{
	int number = event->virtio->queue;
	const struct virtq *vq = &event->device->queues[number];
	struct captured_queue *queue = captured_queue(capture, event, number);
	struct bytes *record =
		begin_record(capture, event, CAPTURE_QUEUE_READY, number, PCAPNG_INBOUND);

	bytes_u32(record, event->virtio->value ? vq->size : 0);
	bytes_u32(record, 0);
	bytes_u64(record, vq->desc);
	bytes_u64(record, vq->driver);
	bytes_u64(record, vq->device);
	end_record(capture);

	/* Without memory the rings are not shown, and used elements have no number. */
	ring_copy_free(&queue->ring);
	if (!event->virtio->value)
		return;
	if (!queue->numbers)
		queue->numbers = calloc(CHAIN_IDS, sizeof *queue->numbers);
	if (ring_copy_begin(
		    &queue->ring, vq, virtio_has_feature(event->device, VIRTIO_F_RING_PACKED)) == 0)
		look_at_ring(capture, event, number);
}

/* --- the view --------------------------------------------------------------------------------- */

/* Returns the queue that an event is about. */
static int queue_of(const struct virtio_event *event)
{
	bool is_kick = event->kind == VIRTIO_EVENT_WRITE &&
		       event->offset == VIRTIO_MMIO_QUEUE_NOTIFY && event->len == 4;

	return is_kick ? (int)(event->value & 0xffff) : event->queue;
}

static void capture_step(struct capture_view *capture, const struct event *event)
{
	if (event->virtio->kind != VIRTIO_EVENT_QUEUE_READY)
		look_at_ring(capture, event, queue_of(event->virtio));
	switch (event->virtio->kind) {
	case VIRTIO_EVENT_READ:
	case VIRTIO_EVENT_WRITE:
		capture_access(capture, event);
		break;
	case VIRTIO_EVENT_STATUS:
		capture_status(capture, event);
		break;
	case VIRTIO_EVENT_QUEUE_READY:
		capture_queue_ready(capture, event);
		break;
	case VIRTIO_EVENT_SERVE:
		capture_plain(capture, event, CAPTURE_SERVE);
		break;
	case VIRTIO_EVENT_SERVED:
		break;
	case VIRTIO_EVENT_CHAIN:
		capture_chain(capture, event);
		break;
	case VIRTIO_EVENT_USED:
		capture_used(capture, event);
		break;
	case VIRTIO_EVENT_INTERRUPT:
		capture_interrupt(capture, event);
		break;
	case VIRTIO_EVENT_NO_INTERRUPT:
		capture_no_interrupt(capture, event);
		break;
	case VIRTIO_EVENT_HOST_BEGIN:
		capture_plain(capture, event, CAPTURE_HOST_BEGIN);
		break;
	case VIRTIO_EVENT_HOST_END:
		capture_plain(capture, event, CAPTURE_HOST_END);
		break;
	}
}

static void capture_event(struct view *view, const struct event *event)
{
	struct capture_view *capture = container_of(view, struct capture_view, view);

	switch (event->kind) {
	case EVENT_VIRTIO:
		capture_step(capture, event);
		break;
	case EVENT_REPORT:
		capture_report(capture, event);
		break;
	case EVENT_MARK:
		capture_mark(capture, event);
		break;
	case EVENT_EXIT:
	case EVENT_EXIT_END:
	case EVENT_LOOK:
	case EVENT_ACCESS:
		break;
	}
}

static void free_view(struct capture_view *capture)
{
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++) {
			free(capture->devices[i].queues[j].numbers);
			ring_copy_free(&capture->devices[i].queues[j].ring);
		}
	}
	free(capture);
}

static bool capture_close(struct view *view)
{
	struct capture_view *capture = container_of(view, struct capture_view, view);
	struct sink_end end = pcapng_close(&capture->file);

	sink_report(&end, "--capture", capture->name, "packet");
	if (end.is_stuck)
		return false;
	free_view(capture);
	return true;
}

int capture_open(struct views *views, const char *path, int fd, uint32_t snap)
{
	struct capture_view *capture = calloc(1, sizeof *capture);
	const char *name = path ? path : "standard output";
	int ret = capture ? pcapng_open(&capture->file, path, fd) : -ENOMEM;

	if (ret < 0) {
		sink_say_unopened(ret, "--capture ", name);
		free(capture);
		return ret;
	}
	capture->view = (struct view){.event = capture_event, .close = capture_close};
	capture->name = name;
	capture->snap = snap;
	views_add(views, &capture->view);
	return 0;
}
