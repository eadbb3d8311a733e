/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: live queues at which nothing has happened from one look to the next, a second later,
 * although something waits there. */
#include "see/check_parts.h"
#include "see/check_say.h"
#include "see/state.h"

static bool is_at_rest(const struct virtio_view *view)
{
	const uint8_t broken = VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_FAILED;

	return !view->is_busy && !view->at_host && !view->served_lately &&
	       (view->status & (VIRTIO_STATUS_DRIVER_OK | broken)) == VIRTIO_STATUS_DRIVER_OK;
}

static void look_at_queue(struct check *check, const struct event *event,
	const struct virtq_view *queue, unsigned number)
{
	const struct check_hang *before = &check_device(check, event)->hang;

	if (!queue->ready || queue->available != before->available[number] ||
		queue->taken != before->taken[number])
		return;
	if (queue->unnoticed)
		check_broken(check, event, CHECK_KICK_MISSING, (int)number, "%u chain%s available",
			queue->waiting, queue->waiting == 1 ? " is" : "s are");
}

/* Whether the driver has not looked at the used ring since the device gave a chain back there. */
static bool is_unseen(
	const struct check *check, const struct event *event, const struct virtio_view *view)
{
	const struct check_device *device = &check->devices[event->number];

	for (unsigned i = 0; check->sees_stores && i < view->queue_count; i++)
		if (view->queues[i].ready && !view->queues[i].packed &&
			device->queues[i].loaded_used != view->queues[i].used)
			return true;
	return false;
}

static void look_at_device(
	struct check *check, const struct event *event, const struct virtio_view *view)
{
	struct check_hang *before = &check_device(check, event)->hang;
	struct check_hang now = {.was_at_rest = is_at_rest(view),
		.taken_away = view->taken_away && is_unseen(check, event, view)};

	for (unsigned i = 0; i < view->queue_count; i++) {
		now.available[i] = view->queues[i].available;
		now.taken[i] = view->queues[i].taken;
		if (now.was_at_rest && before->was_at_rest)
			look_at_queue(check, event, &view->queues[i], i);
	}
	if (now.was_at_rest && before->was_at_rest && now.taken_away && before->taken_away)
		check_broken(
			check, event, CHECK_ACK_LATE, EVENT_NO_QUEUE, "the last acknowledgement");
	*before = now;
}

void check_hang_look(struct check *check, const struct event *event)
{
	struct event own = *event;

	for (unsigned i = 0; i < event->state->device_count; i++) {
		own.device = check->devices[i].device;
		own.number = i;
		if (own.device)
			look_at_device(check, &own, &event->state->devices[i].view);
	}
}
