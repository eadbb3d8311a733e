/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/log_virtio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/virtio_mmio.h>

#include "container.h"
#include "io/sink.h"
#include "layout.h"
#include "log.h"
#include "see/views.h"
#include "see/words.h"

/* Segments of a chain that are shown. */
#define SEGMENTS_SHOWN 16

struct log_view {
	struct view view;
	const char *path; /* of the file; NULL: standard error */
	struct sink sink;
	struct text text;              /* the line that is being made */
	uint64_t wanted[DEVICE_COUNT]; /* what was last written to the Status of each device */
};

/* --- pieces of a line ------------------------------------------------------------------------- */

/* "vole: 0.001234567 " */
static void add_time(struct log_view *log, const struct event *event)
{
	text_add(&log->text, "%s%" PRIu64 ".%09u ",
		log->path ? "" : "vole: ", event->ns / 1000000000,
		(unsigned)(event->ns % 1000000000));
}

/* "vole: 0.001234567 device 2, block, queue 0: " */
static void begin_line(struct log_view *log, const struct event *event, int queue)
{
	struct text *text = &log->text;

	text_begin(text);
	add_time(log, event);
	text_add(text, "device %u, %s", event->number, event->device->ops->name);
	if (queue != EVENT_NO_QUEUE)
		text_add(text, ", queue %d", queue);
	text_add(text, ": ");
}

/* "0x00103000 (request+0x10)" */
static void add_address(struct log_view *log, uint64_t address)
{
	const struct views *views = log->view.views;
	uint32_t offset;
	const char *symbol = views->machine->symbol(views->ctx, address, &offset);

	text_add(&log->text, " at 0x%08" PRIx64, address);
	if (symbol && offset)
		text_add(&log->text, " (%s+0x%x)", symbol, offset);
	else if (symbol)
		text_add(&log->text, " (%s)", symbol);
}

static void add_segments(struct log_view *log, const struct chain *chain, const char *verb,
	const struct iovec *segments, unsigned count)
{
	for (unsigned i = 0; i < count && i < SEGMENTS_SHOWN; i++) {
		text_add(&log->text, "; %s %zu", verb, segments[i].iov_len);
		add_address(log, gmem_address(chain->gmem, segments[i].iov_base));
	}
	if (count > SEGMENTS_SHOWN)
		text_add(&log->text, "; and %u more", count - SEGMENTS_SHOWN);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void log_access(struct log_view *log, const struct event *event)
{
	const struct virtio_event *access = event->virtio;
	const struct views *views = log->view.views;
	bool is_write = access->kind == VIRTIO_EVENT_WRITE;
	struct place place;

	if (is_write && access->offset == VIRTIO_MMIO_STATUS)
		log->wanted[event->number] = access->value;
	begin_line(log, event, EVENT_NO_QUEUE);
	if (is_write && access->offset == VIRTIO_MMIO_QUEUE_NOTIFY && access->len == 4) {
		text_add(&log->text, "kick: ");
		words_access(&log->text, event->device->ops->id, access);
	} else {
		text_add(&log->text, is_write ? "write " : "read ");
		words_access(&log->text, event->device->ops->id, access);
	}
	if (views->machine->place(views->ctx, event, &place))
		text_add(&log->text, ", CPU %d at %s", event->cpu, place.text);
}

static void log_queue_ready(struct log_view *log, const struct event *event)
{
	const struct virtq *vq = &event->device->queues[event->virtio->queue];

	begin_line(log, event, event->virtio->queue);
	if (!event->virtio->value) {
		text_add(&log->text, "stopped");
		return;
	}
	text_add(&log->text, "ready, %s, %u entries: descriptors",
		virtio_has_feature(event->device, VIRTIO_F_RING_PACKED) ? "packed" : "split",
		vq->size);
	add_address(log, vq->desc);
	text_add(&log->text, ", driver area");
	add_address(log, vq->driver);
	text_add(&log->text, ", device area");
	add_address(log, vq->device);
}

static void log_chain(struct log_view *log, const struct event *event)
{
	const struct chain *chain = event->virtio->chain;
	unsigned queue = (unsigned)event->virtio->queue;

	begin_line(log, event, (int)queue);
	text_add(&log->text, "chain %u: ", chain->id);
	words_chain(&log->text, event->device, queue, chain);
	add_segments(log, chain, "the device reads", chain->readable, chain->readable_count);
	add_segments(log, chain, "it writes", chain->writable, chain->writable_count);
}

static void log_used(struct log_view *log, const struct event *event)
{
	uint64_t len = event->virtio->value;

	begin_line(log, event, event->virtio->queue);
	text_add(&log->text, "chain %u used, %" PRIu64 " byte%s written", event->virtio->chain->id,
		len, PLURAL(len));
	words_result(&log->text, event->device, event->virtio->chain);
}

static void add_route(struct text *text, const struct event *event)
{
	const struct ioapic_pin *route = event->route;

	text_add(text, ": pin %u", event->pin);
	if (!route)
		return;
	switch (route->obstacle) {
	case IOAPIC_OPEN:
		text_add(text, ", vector 0x%02x, to %s %u", route->vector,
			route->is_logical ? "logical destination" : "CPU", route->destination);
		break;
	case IOAPIC_MASKED:
		text_add(text, ", which is masked: it is lost");
		break;
	case IOAPIC_VECTOR:
		text_add(text, ", whose vector 0x%02x is below 0x10: it is lost", route->vector);
		break;
	case IOAPIC_DELIVERY:
		text_add(text, ", whose delivery mode this machine has not: it is lost");
		break;
	}
}

static void log_interrupt(struct log_view *log, const struct event *event)
{
	begin_line(log, event, event->virtio->queue);
	text_add(&log->text, "interrupt, %s",
		event->virtio->value == VIRTIO_MMIO_INT_VRING ? "used buffer"
							      : "configuration change");
	add_route(&log->text, event);
}

static void log_no_interrupt(struct log_view *log, const struct event *event)
{
	const struct virtq *vq = &event->device->queues[event->virtio->queue];

	begin_line(log, event, event->virtio->queue);
	text_add(&log->text, "no interrupt: ");
	words_suppression(&log->text, virtio_has_feature(event->device, VIRTIO_F_RING_PACKED),
		vq->event_idx, (uint32_t)event->virtio->value);
}

/* Says what Status has become, unless that is what the driver wrote. */
static bool log_status(struct log_view *log, const struct event *event)
{
	if (event->virtio->value == log->wanted[event->number])
		return false;
	begin_line(log, event, EVENT_NO_QUEUE);
	text_add(&log->text, "Status is now ");
	words_status(&log->text, (uint8_t)event->virtio->value);
	return true;
}

static void log_mark(struct log_view *log, const struct event *event)
{
	text_begin(&log->text);
	add_time(log, event);
	text_add(&log->text, "CPU %d: mark 0x%" PRIx32, event->cpu, event->mark);
}

/* Fills the line. Returns false if this step has none. */
static bool log_step(struct log_view *log, const struct event *event)
{
	const struct virtio_event *step = event->virtio;

	switch (step->kind) {
	case VIRTIO_EVENT_READ:
	case VIRTIO_EVENT_WRITE:
		log_access(log, event);
		return true;
	case VIRTIO_EVENT_STATUS:
		return log_status(log, event);
	case VIRTIO_EVENT_QUEUE_READY:
		log_queue_ready(log, event);
		return true;
	case VIRTIO_EVENT_CHAIN:
		log_chain(log, event);
		return true;
	case VIRTIO_EVENT_USED:
		log_used(log, event);
		return true;
	case VIRTIO_EVENT_INTERRUPT:
		log_interrupt(log, event);
		return true;
	case VIRTIO_EVENT_NO_INTERRUPT:
		log_no_interrupt(log, event);
		return true;
	case VIRTIO_EVENT_SERVE:
		begin_line(log, event, step->queue);
		text_add(&log->text, "the device looks at it");
		return true;
	case VIRTIO_EVENT_HOST_BEGIN:
		begin_line(log, event, EVENT_NO_QUEUE);
		text_add(&log->text, "the host works");
		return true;
	case VIRTIO_EVENT_HOST_END:
		begin_line(log, event, EVENT_NO_QUEUE);
		text_add(&log->text, "the host has returned");
		return true;
	case VIRTIO_EVENT_RESTORED:
	case VIRTIO_EVENT_SERVED:
		return false;
	}
	return false;
}

/* --- the view --------------------------------------------------------------------------------- */

static void log_event(struct view *view, const struct event *event)
{
	struct log_view *log = container_of(view, struct log_view, view);
	const char *line;

	if (event->kind == EVENT_MARK)
		log_mark(log, event);
	else if (event->kind != EVENT_VIRTIO || !log_step(log, event))
		return;
	text_line(&log->text, "%s", "");
	line = text_lines(&log->text);
	sink_write(&log->sink, line, strlen(line));
}

static void log_flush(struct view *view)
{
	struct log_view *log = container_of(view, struct log_view, view);

	if (!log->path)
		sink_flush(&log->sink);
}

static bool log_close(struct view *view)
{
	struct log_view *log = container_of(view, struct log_view, view);
	struct sink_end end = sink_close(&log->sink);

	sink_report(&end, "--log virtio", log->path ? log->path : "standard error", "line");
	if (end.is_stuck)
		return false;
	free(log);
	return true;
}

int log_virtio_open(struct views *views, const char *path)
{
	struct log_view *log = calloc(1, sizeof *log);
	int ret = log ? 0 : -ENOMEM;

	if (log)
		ret = path ? sink_open(&log->sink, path, views->wait) : sink_open_log(&log->sink);
	if (ret < 0) {
		sink_say_unopened(ret, "--log virtio: ", path);
		free(log);
		return ret;
	}
	log->view = (struct view){.event = log_event, .flush = log_flush, .close = log_close};
	log->path = path;
	views_add(views, &log->view);
	return 0;
}
