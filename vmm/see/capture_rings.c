/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include <vole/virtio_config.h>

#include "error_text.h"
#include "log.h"
#include "see/capture_parts.h"

/* Ids of chains that a queue can have in flight: all that 16 bits hold. */
#define CHAIN_IDS 65536

/* The event after which a queue's ring is looked at. */
struct ring_event {
	struct capture_view *capture;
	const struct event *event;
	int queue;
};

/* Begins a record of bytes at this place of an area. */
static struct bytes *begin_record(const struct ring_event *ring_event, enum capture_kind kind,
	enum ring_area area, size_t offset)
{
	struct bytes *record = capture_begin_record(
		ring_event->capture, ring_event->event, kind, ring_event->queue, PCAPNG_INBOUND);

	bytes_u8(record, (uint8_t)area);
	bytes_add(record, (const uint8_t[3]){0}, 3);
	bytes_u32(record, (uint32_t)offset);
	return record;
}

static void capture_change(
	void *ctx, enum ring_area area, size_t offset, const uint8_t *bytes, size_t len)
{
	const struct ring_event *ring_event = ctx;
	struct bytes *record = begin_record(ring_event, CAPTURE_RING, area, offset);

	bytes_add(record, bytes, len);
	capture_end_record(ring_event->capture);
}

static void capture_stored(
	void *ctx, enum ring_area area, size_t offset, const uint8_t *bytes, size_t len)
{
	const struct ring_event *ring_event = ctx;
	struct bytes *record = begin_record(ring_event, CAPTURE_STORE, area, offset);

	capture_add_place(ring_event->capture, record, ring_event->event);
	bytes_add(record, bytes, len);
	capture_end_record(ring_event->capture);
}

void capture_store(struct capture_view *capture, const struct event *event)
{
	struct event own = *event;

	for (unsigned i = 0; event->access->is_write && i < DEVICE_COUNT; i++) {
		struct captured_device *device = &capture->devices[i];

		own.device = device->virtio;
		own.number = i;
		for (unsigned j = 0; own.device && j < own.device->queue_count; j++) {
			struct ring_event ring_event = {capture, &own, (int)j};

			if (own.device->queues[j].ready)
				ring_copy_store(&device->queues[j].ring, &own.device->queues[j],
					event->access->gpa, event->access->len, capture_stored,
					&ring_event);
		}
	}
}

static void watch_stores(
	struct capture_view *capture, const struct virtq *vq, const struct ring_copy *ring)
{
	const struct views *views = capture->view.views;

	views->machine->watch(views->ctx, vq->desc, ring->len[RING_DESCRIPTOR]);
	views->machine->watch(views->ctx, vq->driver, ring->len[RING_DRIVER]);
}

void capture_look_at_ring(struct capture_view *capture, const struct event *event, int queue)
{
	const struct virtq *vq;

	if (queue < 0 || (unsigned)queue >= event->device->queue_count)
		return;
	vq = &event->device->queues[queue];
	if (vq->ready)
		ring_copy_look(&captured_queue(capture, event, queue)->ring, vq, capture_change,
			&(struct ring_event){capture, event, queue});
}

void capture_queue_ready(struct capture_view *capture, const struct event *event)
{
	int number = event->virtio->queue;
	const struct virtq *vq = &event->device->queues[number];
	struct captured_queue *queue = captured_queue(capture, event, number);
	struct bytes *record;
	int ret;

	capture_name(capture, event, vq->desc);
	capture_name(capture, event, vq->driver);
	capture_name(capture, event, vq->device);
	record = capture_begin_record(capture, event, CAPTURE_QUEUE_READY, number, PCAPNG_INBOUND);
	bytes_u32(record, event->virtio->value ? vq->size : 0);
	bytes_u32(record, 0);
	bytes_u64(record, vq->desc);
	bytes_u64(record, vq->driver);
	bytes_u64(record, vq->device);
	capture_end_record(capture);

	ring_copy_free(&queue->ring);
	if (!event->virtio->value)
		return;
	capture->devices[event->number].virtio = event->device;
	if (!queue->numbers)
		queue->numbers = calloc(CHAIN_IDS, sizeof *queue->numbers);
	ret = ring_copy_begin(
		&queue->ring, vq, virtio_has_feature(event->device, VIRTIO_F_RING_PACKED));
	if (!queue->numbers || ret < 0)
		say("--capture: %s: device %u, queue %d: %s; its rings, or which chain a used "
		    "element is of, are not captured",
			capture->name, event->number, number, error_text(ENOMEM));
	if (ret < 0)
		return;
	capture_look_at_ring(capture, event, number);
	if (capture->stores)
		watch_stores(capture, vq, &queue->ring);
}

void capture_free_rings(struct capture_view *capture)
{
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++) {
			free(capture->devices[i].queues[j].numbers);
			ring_copy_free(&capture->devices[i].queues[j].ring);
		}
	}
}
