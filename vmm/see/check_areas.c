/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: where the areas of queues are. */
#include "see/check_parts.h"
#include "see/check_say.h"

void check_areas(const struct virtio_device *device, const struct virtq *vq,
	struct check_area areas[CHECK_AREAS])
{
	bool is_packed = virtio_has_feature(device, VIRTIO_F_RING_PACKED);
	uint32_t n = vq->size;

	areas[0] = (struct check_area){
		vq->desc, VIRTQ_DESC_BYTES(n), is_packed ? "descriptor ring" : "descriptor table"};
	if (is_packed) {
		areas[1] = (struct check_area){
			vq->driver, sizeof(struct virtq_event), "driver event suppression"};
		areas[2] = (struct check_area){
			vq->device, sizeof(struct virtq_event), "device event suppression"};
	} else {
		areas[1] = (struct check_area){vq->driver, VIRTQ_AVAIL_BYTES(n), "available ring"};
		areas[2] = (struct check_area){vq->device, VIRTQ_USED_BYTES(n), "used ring"};
	}
}

static bool areas_overlap(const struct check_area *a, const struct check_area *b)
{
	return a->at < b->at + b->len && b->at < a->at + a->len;
}

static void compare_areas(struct check *check, const struct event *event,
	const struct check_area own[CHECK_AREAS], unsigned number,
	const struct check_area others[CHECK_AREAS], unsigned other)
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = other == number ? i + 1 : 0; j < 3; j++)
			if (areas_overlap(&own[i], &others[j]))
				check_broken(check, event, CHECK_QUEUE_AREAS, (int)number,
					"%s at 0x%" PRIx64 ", %s of queue %u at 0x%" PRIx64,
					own[i].name, own[i].at, others[j].name, other,
					others[j].at);
}

void check_areas_ready(struct check *check, const struct event *event)
{
	const struct virtio_device *device = event->device;
	unsigned number = (unsigned)event->virtio->queue;
	struct check_area own[CHECK_AREAS], others[CHECK_AREAS];

	check_areas(device, &device->queues[number], own);
	for (unsigned i = 0; check->sees_stores && i < CHECK_AREAS; i++)
		check->view.views->machine->watch(check->view.views->ctx, own[i].at, own[i].len);
	for (unsigned i = 0; i < device->queue_count; i++) {
		if (!device->queues[i].ready)
			continue;
		check_areas(device, &device->queues[i], others);
		compare_areas(check, event, own, number, others, i);
	}
}

bool check_is_in_areas(const struct virtio_device *device, gpa_t at, uint64_t len)
{
	const struct check_area buffer = {at, len, NULL};
	struct check_area areas[CHECK_AREAS];

	for (unsigned i = 0; i < device->queue_count; i++) {
		if (!device->queues[i].ready)
			continue;
		check_areas(device, &device->queues[i], areas);
		for (unsigned j = 0; j < 3; j++)
			if (areas_overlap(&areas[j], &buffer))
				return true;
	}
	return false;
}
