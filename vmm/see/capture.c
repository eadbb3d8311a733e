/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_mmio.h>

#include "container.h"
#include "log.h"
#include "see/capture_parts.h"

/* --- records ---------------------------------------------------------------------------------- */

static void capture_access(struct capture_view *capture, const struct event *event)
{
	const struct virtio_event *access = event->virtio;
	struct bytes *record = capture_begin_record(capture, event,
		access->kind == VIRTIO_EVENT_READ ? CAPTURE_READ : CAPTURE_WRITE, EVENT_NO_QUEUE,
		PCAPNG_INBOUND);

	bytes_u32(record, access->offset);
	bytes_u32(record, access->len);
	bytes_u64(record, access->value);
	bytes_u32(record, access->selected);
	capture_add_place(capture, record, event);
	capture_end_record(capture);
}

static void capture_status(struct capture_view *capture, const struct event *event)
{
	struct bytes *record = capture_begin_record(
		capture, event, CAPTURE_STATUS, EVENT_NO_QUEUE, PCAPNG_OUTBOUND);

	bytes_u8(record, (uint8_t)event->virtio->before);
	bytes_u8(record, (uint8_t)event->virtio->value);
	capture_end_record(capture);
}

static void capture_interrupt(struct capture_view *capture, const struct event *event)
{
	const struct ioapic_pin *route = event->route;
	struct bytes *record = capture_begin_record(
		capture, event, CAPTURE_INTERRUPT, event->virtio->queue, PCAPNG_OUTBOUND);

	bytes_u32(record, (uint32_t)event->virtio->value);
	bytes_u32(record, event->pin);
	bytes_u32(record, route ? route->vector : CAPTURE_NOT_KNOWN);
	bytes_u32(record, route ? route->destination : 0);
	bytes_u32(record, route ? route->obstacle : 0);
	capture_end_record(capture);
}

static void capture_no_interrupt(struct capture_view *capture, const struct event *event)
{
	struct bytes *record = capture_begin_record(
		capture, event, CAPTURE_NO_INTERRUPT, event->virtio->queue, PCAPNG_OUTBOUND);

	bytes_u32(record, (uint32_t)event->virtio->value);
	capture_end_record(capture);
}

/* A record that has nothing but its head. */
static void capture_plain(
	struct capture_view *capture, const struct event *event, enum capture_kind kind)
{
	capture_begin_record(capture, event, kind, event->virtio->queue, PCAPNG_OUTBOUND);
	capture_end_record(capture);
}

static void capture_report(struct capture_view *capture, const struct event *event)
{
	struct bytes *record = capture_begin_record(
		capture, event, CAPTURE_REPORT, EVENT_NO_QUEUE, PCAPNG_OUTBOUND);

	bytes_u32(record, 0);
	bytes_add(record, event->report->text, strlen(event->report->text));
	capture->packet.comment = event->report->text;
	capture_end_record(capture);
}

static void capture_mark(struct capture_view *capture, const struct event *event)
{
	struct bytes *record =
		capture_begin_record(capture, event, CAPTURE_MARK, EVENT_NO_QUEUE, PCAPNG_INBOUND);

	bytes_u32(record, event->mark);
	capture_end_record(capture);
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

static void name_segments(struct capture_view *capture, const struct event *event,
	const struct iovec *segments, unsigned count)
{
	const struct chain *chain = event->virtio->chain;

	for (unsigned i = 0; i < count; i++)
		capture_name(capture, event, gmem_address(chain->gmem, segments[i].iov_base));
}

static void capture_chain(struct capture_view *capture, const struct event *event)
{
	const struct chain *chain = event->virtio->chain;
	struct captured_queue *queue = captured_queue(capture, event, event->virtio->queue);
	struct bytes *record;

	name_segments(capture, event, chain->readable, chain->readable_count);
	name_segments(capture, event, chain->writable, chain->writable_count);
	record = capture_begin_record(
		capture, event, CAPTURE_CHAIN, event->virtio->queue, PCAPNG_INBOUND);
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
	capture_end_record(capture);
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
	struct bytes *record = capture_begin_record(
		capture, event, CAPTURE_USED, event->virtio->queue, PCAPNG_OUTBOUND);

	capture->packet.id = queue->numbers ? queue->numbers[chain->id] : 0;
	bytes_u16(record, chain->id);
	bytes_u16(record, 0);
	bytes_u32(record, (uint32_t)event->virtio->value);
	bytes_u64(record, len);
	add_payload(capture, record, chain->writable, chain->writable_count, len);
	capture_end_record(capture);
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
		capture_look_at_ring(capture, event, queue_of(event->virtio));
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
	case VIRTIO_EVENT_RESTORED:
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
		break;
	case EVENT_ACCESS:
		if (capture->stores)
			capture_store(capture, event);
		break;
	}
}

static bool capture_close(struct view *view)
{
	struct capture_view *capture = container_of(view, struct capture_view, view);
	struct sink_end end = pcapng_close(&capture->file);

	sink_report(&end, "--capture", capture->name, "packet");
	if (end.is_stuck)
		return false;
	capture_free_rings(capture);
	free(capture);
	return true;
}

int capture_open(struct views *views, const char *path, int fd, uint32_t snap, bool stores)
{
	struct capture_view *capture = calloc(1, sizeof *capture);
	const char *name = path ? path : "standard output";
	int ret = capture ? pcapng_open(&capture->file, path, views->wait, fd) : -ENOMEM;

	if (ret < 0) {
		sink_say_unopened(ret, "--capture ", name);
		free(capture);
		return ret;
	}
	capture->view = (struct view){.event = capture_event, .close = capture_close};
	capture->name = name;
	capture->snap = snap;
	capture->stores = stores;
	views_add(views, &capture->view);
	return 0;
}
