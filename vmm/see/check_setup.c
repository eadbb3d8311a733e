/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: how queues are set up and stopped, and kicks. */
#include <inttypes.h>

#include "see/check_parts.h"
#include "see/check_say.h"

#define NO_QUEUE EVENT_NO_QUEUE

/* --- the registers of a queue (virtio 4.2.3.2) ------------------------------------------------ */

/* The queue that an access is about, or NULL if there is none. */
static struct check_queue *selected_queue(struct check *check, const struct event *event)
{
	uint32_t queue = event->virtio->selected;

	if (queue >= virtio_queue_count(event->device))
		return NULL;
	return &check_device(check, event)->queues[queue];
}

/* A queue that was stopped, or reset, is touched again. */
static void look_at_stop(
	struct check *check, const struct event *event, const struct check_queue *queue)
{
	const struct virtio_event *access = event->virtio;

	if (queue->done & CHECK_OWES_STOP)
		check_broken(check, event, CHECK_QUEUE_STOP, (int)access->selected, "%s 0x%" PRIx64,
			access->reg, access->value);
	if (queue->done & CHECK_OWES_RESET)
		check_broken(check, event, CHECK_QUEUE_RESET, (int)access->selected,
			"%s 0x%" PRIx64, access->reg, access->value);
}

static void made_ready(struct check *check, const struct event *event, struct check_queue *queue)
{
	int number = (int)event->virtio->selected;

	look_at_stop(check, event, queue);
	if (!(queue->done & CHECK_DONE_SIZE_MAX))
		check_broken(check, event, CHECK_QUEUE_SIZE_MAX, number, "QueueReady 1");
	if (!(queue->done & CHECK_DONE_READY))
		check_broken(check, event, CHECK_QUEUE_IN_USE, number, "QueueReady 1");
	if ((queue->done & CHECK_ADDRESSES) != CHECK_ADDRESSES)
		check_broken(check, event, CHECK_QUEUE_ADDRESS, number, "QueueReady 1");
	if (event->device->status & VIRTIO_STATUS_DRIVER_OK && !(queue->done & CHECK_WAS_RESET))
		check_broken(
			check, event, CHECK_QUEUE_LATE, number, "QueueReady 1 after DRIVER_OK");
}

static void queue_written(struct check *check, const struct event *event, struct check_queue *queue)
{
	const struct virtio_event *access = event->virtio;
	bool is_ready = event->device->queues[access->selected].ready;

	switch (access->offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		if (access->value == 1 && !is_ready)
			made_ready(check, event, queue);
		else if (access->value == 0 && is_ready)
			queue->done |= CHECK_OWES_STOP;
		break;
	case VIRTIO_MMIO_QUEUE_RESET:
		if (access->value == 1 && virtio_has_feature(event->device, VIRTIO_F_RING_RESET))
			queue->done = CHECK_OWES_RESET | CHECK_WAS_RESET;
		break;
	case VIRTIO_MMIO_QUEUE_SIZE:
		look_at_stop(check, event, queue);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW ... VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
		look_at_stop(check, event, queue);
		/* Two registers each, 16 bytes apart. */
		queue->done |= CHECK_DONE_ADDRESS
			       << ((access->offset - VIRTIO_MMIO_QUEUE_DESC_LOW) / 16 * 2 +
					  access->offset / 4 % 2);
		break;
	default:
		break;
	}
}

static void queue_read(const struct virtio_event *access, struct check_queue *queue)
{
	switch (access->offset) {
	case VIRTIO_MMIO_QUEUE_SIZE_MAX:
		queue->done |= CHECK_DONE_SIZE_MAX;
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		queue->done |= CHECK_DONE_READY;
		queue->done &= ~CHECK_OWES_STOP;
		break;
	case VIRTIO_MMIO_QUEUE_RESET:
		queue->done &= ~CHECK_OWES_RESET;
		break;
	default:
		break;
	}
}

/* --- kicks ------------------------------------------------------------------------------------ */

/* So many kicks are looked at before they are called too many. */
#define KICKS_MIN 32

/* Whether a split queue's driver says with a kick that it is further than its ring is (virtio 2.9).
 * It may have gone on since. */
static bool is_ahead(const struct virtq *vq, uint16_t position)
{
	uint16_t distance = position - check_load(&vq->split.avail->idx);

	return distance != 0 && distance < 0x8000;
}

static void look_at_data(struct check *check, const struct event *event, unsigned number)
{
	const struct virtq *vq = &event->device->queues[number];
	uint32_t value = (uint32_t)event->virtio->value;
	uint16_t position = value >> 16;

	if (!virtio_has_feature(event->device, VIRTIO_F_NOTIFICATION_DATA))
		return;
	if (virtio_has_feature(event->device, VIRTIO_F_RING_PACKED)
			? (position & 0x7fff) >= vq->size
			: is_ahead(vq, position))
		check_broken(check, event, CHECK_KICK_DATA, (int)number, "QueueNotify 0x%x", value);
}

/* Counts kicks of a split queue that tell of nothing new, or that the device did not ask for. Some
 * are due to races. */
static void look_at_need(struct check *check, const struct event *event, unsigned number)
{
	struct check_queue *queue = &check_device(check, event)->queues[number];
	const struct virtq *vq = &event->device->queues[number];
	uint16_t index;

	if (virtio_has_feature(event->device, VIRTIO_F_RING_PACKED))
		return;
	index = check_load(&vq->split.avail->idx);
	queue->unasked +=
		(queue->kicks > 0 && index == queue->kicked_index) ||
		(!vq->event_idx && check_load(&vq->split.used->flags) & VIRTQ_USED_F_NO_NOTIFY);
	queue->kicks++;
	queue->kicked_index = index;
	if (queue->kicks >= KICKS_MIN && queue->unasked > queue->kicks / 2)
		check_broken(check, event, CHECK_KICK_UNASKED, (int)number, "%u of %u kicks",
			queue->unasked, queue->kicks);
}

static void kicked(struct check *check, const struct event *event)
{
	const struct views *views = check->view.views;
	const struct virtio_device *device = event->device;
	uint32_t number = (uint32_t)event->virtio->value;

	if (virtio_has_feature(device, VIRTIO_F_NOTIFICATION_DATA))
		number &= 0xffff;
	if (!virtio_queue_live(device, number))
		return; /* which the device reports */
	views->machine->place(
		views->ctx, event, &check_device(check, event)->queues[number].kicked_from);
	check_device(check, event)->queues[number].owes_look = true;
	look_at_data(check, event, number);
	look_at_need(check, event, number);
	check_ring_look(check, event, number);
}

/* --- accesses --------------------------------------------------------------------------------- */

void check_setup_access(struct check *check, const struct event *event)
{
	const struct virtio_event *access = event->virtio;
	struct check_queue *queue;

	if (access->offset % 4 != 0 || access->len != 4)
		return;
	if (access->offset == VIRTIO_MMIO_QUEUE_NOTIFY) {
		if (access->kind == VIRTIO_EVENT_WRITE)
			kicked(check, event);
		return;
	}
	queue = selected_queue(check, event);
	if (!queue)
		return;
	if (access->kind == VIRTIO_EVENT_READ)
		queue_read(access, queue);
	else if (event->device->status & VIRTIO_STATUS_FEATURES_OK)
		queue_written(check, event, queue);
}
