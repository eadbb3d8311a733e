/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vole/virtio_config.h>

#include "see/capture_parts.h"

/* --- interfaces ------------------------------------------------------------------------------- */

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

struct bytes *capture_begin_record(struct capture_view *capture, const struct event *event,
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

void capture_end_record(struct capture_view *capture)
{
	pcapng_end(&capture->file, &capture->packet);
}

void capture_add_place(
	struct capture_view *capture, struct bytes *record, const struct event *event)
{
	const struct views *views = capture->view.views;
	struct place place = {.text = ""};
	size_t len;

	views->machine->place(views->ctx, event, &place);
	len = strlen(place.text);
	bytes_u16(record, (uint16_t)len);
	bytes_add(record, place.text, len);
}

void capture_name(struct capture_view *capture, const struct event *event, uint64_t address)
{
	const struct views *views = capture->view.views;
	uint64_t *named = &capture->named[(address ^ address >> 10) % CAPTURE_NAMED];
	uint32_t offset;
	const char *symbol;
	struct bytes *record;
	char text[128];
	int len;

	if (*named == address)
		return;
	symbol = views->machine->symbol(views->ctx, address, &offset);
	if (!symbol)
		return;
	*named = address;
	len = snprintf(text, sizeof text, offset ? "%s+0x%" PRIx32 : "%s", symbol, offset);
	record = capture_begin_record(capture, event, CAPTURE_NAME, EVENT_NO_QUEUE, PCAPNG_INBOUND);
	bytes_u64(record, address);
	bytes_add(record, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
	capture_end_record(capture);
}
