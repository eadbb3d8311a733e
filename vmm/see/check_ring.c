/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: what drivers write to rings besides chains. */
#include <string.h>

#include "see/check_parts.h"
#include "see/check_say.h"

static bool is_packed(const struct event *event)
{
	return virtio_has_feature(event->device, VIRTIO_F_RING_PACKED);
}

/* --- a queue that has become ready ------------------------------------------------------------ */

static void split_ready(struct check *check, const struct event *event)
{
	unsigned number = (unsigned)event->virtio->queue;
	const struct virtq *vq = &event->device->queues[number];
	struct check_queue *queue = &check_device(check, event)->queues[number];
	uint16_t used = check_load(&vq->split.used->idx);
	uint16_t flags = check_load(&vq->split.used->flags);

	queue->index = check_load(&vq->split.avail->idx);
	queue->used_event_first = check_load(vq->split.used_event);
	if ((used || flags) && !event->virtio->before)
		check_broken(check, event, CHECK_QUEUE_ZERO, (int)number,
			"QueueReady 1, where the used ring's index is %u and its flags are %u",
			used, flags);
}

static void packed_ready(struct check *check, const struct event *event)
{
	unsigned number = (unsigned)event->virtio->queue;
	const struct virtq *vq = &event->device->queues[number];

	for (unsigned i = 0; i < vq->size; i++) {
		uint16_t flags = check_load(&vq->packed.ring[i].flags);

		/* Descriptors may be available already. */
		if (flags & VIRTQ_DESC_F_USED)
			check_broken(check, event, CHECK_QUEUE_ZERO, (int)number,
				"QueueReady 1, where slot %u has the flags 0x%x", i, flags);
	}
}

void check_ring_ready(struct check *check, const struct event *event)
{
	if (!is_packed(event))
		split_ready(check, event);
	else if (!event->virtio->before)
		packed_ready(check, event);
}

/* --- a queue that is in use ------------------------------------------------------------------- */

static void look_at_available(struct check *check, const struct event *event, unsigned number)
{
	struct check_queue *queue = &check_device(check, event)->queues[number];
	const struct virtq *vq = &event->device->queues[number];
	uint16_t index = check_load(&vq->split.avail->idx);
	uint16_t flags = check_load(&vq->split.avail->flags);
	uint16_t used_event = check_load(vq->split.used_event);

	if ((int16_t)(index - queue->index) < 0)
		check_broken(check, event, CHECK_INDEX_BACK, (int)number,
			"available index %u after %u", index, queue->index);
	queue->index = index;
	if (vq->event_idx ? flags : flags & ~VIRTQ_AVAIL_F_NO_INTERRUPT)
		check_broken(check, event, CHECK_AVAILABLE_FLAGS, (int)number, "flags 0x%x%s",
			flags, vq->event_idx ? " with EVENT_IDX" : "");
	/* Nothing forbids it, and Linux does it: virtqueue_enable_cb_prepare_split(). */
	if (!vq->event_idx && used_event != queue->used_event_first)
		check_broken(
			check, event, CHECK_EVENT_IDX, (int)number, "used_event %u", used_event);
}

/* The device alone writes there. What it has left there is compared, if it gave nothing back since:
 * --chaos has it do so at any time. */
static void look_at_used(struct check *check, const struct event *event, unsigned number)
{
	struct check_queue *queue = &check_device(check, event)->queues[number];
	const struct virtq *vq = &event->device->queues[number];
	uint16_t used = check_load(&vq->split.used->idx);

	if (used != vq->split.used_shown)
		check_broken(check, event, CHECK_USED_RING, (int)number,
			"the used ring's index is %u, where the device has stored %u", used,
			vq->split.used_shown);
	if (!queue->has_copy || queue->copy_used != vq->split.used_next)
		return;
	for (unsigned i = 0; i < vq->size; i++)
		if (memcmp(&queue->copy[i], &vq->split.used->ring[i], sizeof queue->copy[i]) != 0)
			check_broken(check, event, CHECK_USED_RING, (int)number,
				"element %u of the used ring", i);
}

/* The mode and the reserved bits of the driver's structure (virtio 2.8.14). */
static void look_at_event(struct check *check, const struct event *event, unsigned number)
{
	const struct virtq *vq = &event->device->queues[number];
	uint32_t word = VOLE_SWAP32(
		atomic_load_explicit(&vq->packed.driver->word.raw, memory_order_relaxed));
	unsigned mode = word >> 16 & 3;

	if (word >> 18 || mode == 3 || (mode == VIRTQ_EVENT_DESC && !vq->event_idx))
		check_broken(check, event, CHECK_EVENT_FLAGS, (int)number, "flags 0x%x%s",
			word >> 16, vq->event_idx ? "" : " without EVENT_IDX");
}

void check_ring_look(struct check *check, const struct event *event, unsigned number)
{
	if (is_packed(event)) {
		look_at_event(check, event, number);
	} else {
		look_at_available(check, event, number);
		look_at_used(check, event, number);
	}
}

void check_ring_left(struct check *check, const struct event *event, unsigned number)
{
	struct check_queue *queue = &check_device(check, event)->queues[number];
	const struct virtq *vq = &event->device->queues[number];

	if (!vq->ready)
		return;
	check_chain_seen(check, event, number);
	if (is_packed(event))
		return;
	if (queue->has_copy && queue->copy_used == vq->split.used_next)
		return; /* it is still what the device left, or the driver's change of it */
	memcpy(queue->copy, vq->split.used->ring, vq->size * sizeof *queue->copy);
	queue->copy_used = vq->split.used_next;
	queue->has_copy = true;
}
