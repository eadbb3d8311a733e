/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/queues.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_mmio.h>

struct story_queue *story_queue_of(struct story_devices *devices, const struct record *record)
{
	if (record->device >= DEVICE_COUNT || record->queue >= VIRTIO_QUEUES_MAX)
		return NULL;
	return &devices->device[record->device].queues[record->queue];
}

static void forget(struct story_queue *queue)
{
	for (unsigned i = 0; i < AREAS; i++)
		free(queue->bytes[i]);
	*queue = (struct story_queue){.size = 0};
}

/* Returns 0, or -ENOMEM: then the queue is not ready. */
static int make_ready(struct story_queue *queue, const struct record *record)
{
	uint32_t size = record->ready.size;

	forget(queue);
	queue->is_packed = record->flags & CAPTURE_FLAG_PACKED;
	queue->has_event_idx = record->flags & CAPTURE_FLAG_EVENT_IDX;
	queue->len[AREA_DESCRIPTOR] = VIRTQ_DESC_BYTES(size);
	queue->len[AREA_DRIVER] =
		queue->is_packed ? sizeof(struct virtq_event) : VIRTQ_AVAIL_BYTES(size);
	queue->len[AREA_DEVICE] =
		queue->is_packed ? sizeof(struct virtq_event) : VIRTQ_USED_BYTES(size);
	for (unsigned i = 0; size > 0 && i < AREAS; i++) {
		queue->at[i] = record->ready.areas[i];
		queue->bytes[i] = calloc(1, queue->len[i]);
		if (!queue->bytes[i])
			return -ENOMEM;
	}
	queue->size = size;
	return 0;
}

/* A queue that is not ready has no areas, so that not even a change of no bytes has a place. */
static bool has_place(const struct story_queue *queue, const struct record_ring *ring)
{
	size_t len = queue->len[ring->area];

	return queue->size > 0 && ring->offset <= len && ring->bytes.len <= len - ring->offset;
}

static void accept_features(struct story_device *device, const struct record_access *access)
{
	unsigned shift = 32 * access->selected;

	if (access->offset != VIRTIO_MMIO_DRIVER_FEATURES || access->selected > 1)
		return;
	device->features &= ~((uint64_t)UINT32_MAX << shift);
	device->features |= (access->value & UINT32_MAX) << shift;
}

/* What the registers of a device that a page shows are after an access to them. */
static void note_access(struct story_device *device, const struct record *record)
{
	const struct record_access *access = &record->access;

	if (record->kind == CAPTURE_READ && access->offset == VIRTIO_MMIO_STATUS)
		device->status = (uint8_t)access->value;
	else if (record->kind == CAPTURE_WRITE && access->offset == VIRTIO_MMIO_INTERRUPT_ACK)
		device->interrupt_status &= ~(uint32_t)access->value;
	else if (record->kind == CAPTURE_WRITE)
		accept_features(device, access);
}

/* Returns the bound that a record is beyond. A queue that has too many entries is known as such
 * from here on: its chains are shown, its rings are not. */
static enum story_bound bound_of(struct story_queue *queue, const struct record *record)
{
	if (record->device >= DEVICE_COUNT)
		return BOUND_DEVICE;
	if (record->queue != CAPTURE_NO_QUEUE && !queue)
		return BOUND_QUEUE;
	if (record->kind == CAPTURE_QUEUE_READY && record->ready.size > STORY_QUEUE_SIZE_MAX) {
		forget(queue);
		queue->beyond = record->ready.size;
		return BOUND_SIZE;
	}
	if ((record->kind == CAPTURE_RING || record->kind == CAPTURE_STORE) && queue->beyond > 0)
		return BOUND_SIZE;
	return BOUND_NONE;
}

enum record_fault story_check(
	struct story_devices *devices, const struct record *record, struct story_beyond *beyond)
{
	struct story_queue *queue = story_queue_of(devices, record);

	if (record->device == CAPTURE_NO_DEVICE)
		return record->kind == CAPTURE_MARK ? RECORD_FINE : RECORD_DAMAGED;
	beyond->bound = bound_of(queue, record);
	beyond->device = record->device;
	beyond->queue = record->queue;
	beyond->size = queue ? queue->beyond : 0;
	if (beyond->bound != BOUND_NONE)
		return RECORD_BEYOND;
	if (record->kind == CAPTURE_RING || record->kind == CAPTURE_STORE)
		return has_place(queue, &record->ring) ? RECORD_FINE : RECORD_DAMAGED;
	return RECORD_FINE;
}

int story_apply(struct story_devices *devices, const struct record *record)
{
	struct story_queue *queue = story_queue_of(devices, record);
	struct story_device *device;

	if (record->device == CAPTURE_NO_DEVICE)
		return 0;
	device = &devices->device[record->device];
	device->id = record->device_id;
	device->is_known = true;
	if (record->kind == CAPTURE_QUEUE_READY)
		return make_ready(queue, record);
	if (record->kind == CAPTURE_RING || record->kind == CAPTURE_STORE)
		memcpy(queue->bytes[record->ring.area] + record->ring.offset, record->ring.bytes.at,
			record->ring.bytes.len);
	else if (record->kind == CAPTURE_STATUS)
		device->status = record->status.now;
	else if (record->kind == CAPTURE_INTERRUPT)
		device->interrupt_status |= record->interrupt.bit;
	else if (record->kind == CAPTURE_READ || record->kind == CAPTURE_WRITE)
		note_access(device, record);
	return 0;
}

void story_free(struct story_devices *devices)
{
	for (unsigned i = 0; i < DEVICE_COUNT; i++)
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++)
			forget(&devices->device[i].queues[j]);
}
