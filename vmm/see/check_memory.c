/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The referee: loads and stores of CPUs, where the engine shows them. Each is looked at when it has
 * been made, so in their order; a CPU that reorders them, as hardware may, is not needed to find
 * what only works as long as none does.
 */
#include "see/check_parts.h"
#include "see/check_say.h"

/* An access, and the queue that it is to. */
struct look {
	struct check *check;
	const struct event *event; /* with device and number */
	unsigned number;           /* of the queue */
	const struct virtq *vq;
	struct check_queue *queue;
	struct check_area areas[CHECK_AREAS];
};

static bool is_at(const struct look *look, gpa_t at, uint64_t len)
{
	const struct event_access *access = look->event->access;

	return access->gpa < at + len && at < access->gpa + access->len;
}

static bool is_in(const struct look *look, unsigned area)
{
	return is_at(look, look->areas[area].at, look->areas[area].len);
}

static unsigned *orders_of(const struct look *look)
{
	int cpu = look->event->cpu;

	return &look->check->orders[cpu < CHECK_CPUS ? cpu : CHECK_CPUS - 1];
}

/* --- making available, and the look whether to kick ------------------------------------------- */

static void published(const struct look *look)
{
	look->queue->published_by = look->event->cpu;
	look->queue->orders = *orders_of(look);
}

/* Each side stores, then loads what the other one stores: without a full barrier both may load what
 * was before. */
static void looked(const struct look *look, enum check_rule rule)
{
	struct check_queue *queue = look->queue;

	if (queue->published_by != look->event->cpu)
		return;
	if (queue->orders == *orders_of(look))
		check_broken(look->check, look->event, rule, (int)look->number,
			"load of what the device says of kicks");
	queue->published_by = EVENT_NO_CPU;
}

/* --- split queues ----------------------------------------------------------------------------- */

/* Whether a descriptor is part of a chain. */
static bool is_part(const struct virtq *vq, uint16_t head, unsigned descriptor)
{
	uint16_t index = head;

	for (unsigned steps = 0; steps < vq->size && index < vq->size; steps++) {
		struct virtq_desc desc;

		if (index == descriptor)
			return true;
		gmem_copy_in(&desc, &vq->split.table[index], sizeof desc);
		if (!(le16_to_cpu(desc.flags) & VIRTQ_DESC_F_NEXT))
			return false;
		index = le16_to_cpu(desc.next);
	}
	return false;
}

static uint16_t head_at(const struct virtq *vq, uint16_t position)
{
	le16 head;

	gmem_copy_in(&head, &vq->split.avail->ring[position % vq->size], sizeof head);
	return le16_to_cpu(head);
}

/* A store to a descriptor, which the device may own. */
static void descriptor_stored(const struct look *look, unsigned descriptor)
{
	const struct virtq *vq = look->vq;
	uint16_t index = check_load(&vq->split.avail->idx);

	check_chain_seen(look->check, look->event, look->number);
	if (look->queue->owners[descriptor]) {
		check_broken(look->check, look->event, CHECK_DESCRIPTOR_CHANGED, (int)look->number,
			"descriptor %u at 0x%" PRIx64, descriptor,
			vq->desc + descriptor * sizeof(struct virtq_desc));
		return;
	}
	for (uint16_t at = vq->split.avail_next; at != index; at++) {
		if ((uint16_t)(index - at) > vq->size)
			return; /* which the device will report */
		if (is_part(vq, head_at(vq, at), descriptor))
			check_broken(look->check, look->event, CHECK_PUBLISHED_EARLY,
				(int)look->number, "descriptor %u", descriptor);
	}
}

/* A store to an entry of the available ring, which the index may have published already. */
static void entry_stored(const struct look *look, unsigned entry)
{
	const struct virtq *vq = look->vq;
	uint16_t distance = (uint16_t)(entry - vq->split.avail_next) % vq->size;
	uint16_t available = check_load(&vq->split.avail->idx) - vq->split.avail_next;

	if (distance < available && available <= vq->size)
		check_broken(look->check, look->event, CHECK_PUBLISHED_EARLY, (int)look->number,
			"entry %u of the available ring", entry);
}

/* Calls a function for each element of an array that the access is to. */
static void each(const struct look *look, gpa_t at, unsigned size, unsigned count,
	void (*stored)(const struct look *look, unsigned element))
{
	const struct event_access *access = look->event->access;
	gpa_t end = access->gpa + access->len, byte = access->gpa < at ? at : access->gpa;

	while (byte < end && byte - at < (uint64_t)size * count) {
		unsigned element = (unsigned)((byte - at) / size);

		stored(look, element);
		byte = at + (element + 1) * (uint64_t)size;
	}
}

static void split_stored(const struct look *look)
{
	const struct virtq *vq = look->vq;

	if (is_in(look, CHECK_DEVICE_AREA))
		check_broken(look->check, look->event, CHECK_USED_RING, (int)look->number,
			"store of %u byte%s at +0x%" PRIx64, look->event->access->len,
			PLURAL(look->event->access->len), look->event->access->gpa - vq->device);
	if (is_in(look, CHECK_DESCRIPTORS))
		each(look, vq->desc, sizeof(struct virtq_desc), vq->size, descriptor_stored);
	if (!is_in(look, CHECK_DRIVER_AREA))
		return;
	if (is_at(look, vq->driver + offsetof(struct virtq_avail, idx), 2)) {
		check_ring_look(look->check, look->event, look->number);
		published(look);
	}
	each(look, vq->driver + offsetof(struct virtq_avail, ring), 2, vq->size, entry_stored);
}

static void split_loaded(const struct look *look)
{
	const struct virtq *vq = look->vq;
	gpa_t at = vq->device;

	if (vq->event_idx)
		at += VIRTQ_AVAIL_EVENT(vq->size);
	if (is_at(look, at, 2))
		looked(look, CHECK_KICK_BARRIER);
	if (is_at(look, vq->device + offsetof(struct virtq_used, idx), 2))
		look->queue->loaded_used = vq->split.used_shown;
}

/* --- packed queues ---------------------------------------------------------------------------- */

/* Whether the device would find this slot available now, and has not taken it yet. */
static bool is_exposed(const struct virtq *vq, unsigned slot)
{
	struct virtq_position at = vq->packed.avail;

	for (unsigned i = vq->packed.outstanding; i < vq->size; i++) {
		uint16_t flags = check_load(&vq->packed.ring[at.slot].flags);

		if (!(flags & VIRTQ_DESC_F_AVAIL) != !at.wrap ||
			!(flags & VIRTQ_DESC_F_USED) == !at.wrap)
			return false;
		if (at.slot == slot)
			return true;
		if (++at.slot == vq->size)
			at = (struct virtq_position){0, !at.wrap};
	}
	return false;
}

static void slot_stored(const struct look *look, unsigned slot)
{
	gpa_t at = look->vq->desc + slot * sizeof(struct virtq_packed_desc);

	if (is_at(look, at + offsetof(struct virtq_packed_desc, flags), 2))
		published(look);
	else if (is_exposed(look->vq, slot))
		check_broken(look->check, look->event, CHECK_PACKED_EARLY, (int)look->number,
			"descriptor in slot %u", slot);
}

static void packed_accessed(const struct look *look)
{
	bool is_write = look->event->access->is_write;

	if (is_write && is_in(look, CHECK_DESCRIPTORS))
		each(look, look->vq->desc, sizeof(struct virtq_packed_desc), look->vq->size,
			slot_stored);
	if (!is_write && is_in(look, CHECK_DEVICE_AREA))
		looked(look, CHECK_PACKED_BARRIER);
}

/* --- accesses --------------------------------------------------------------------------------- */

static void look_at_queue(struct check *check, const struct event *event, unsigned number)
{
	struct look look = {
		.check = check,
		.event = event,
		.number = number,
		.vq = &event->device->queues[number],
		.queue = &check_device(check, event)->queues[number],
	};

	if (!look.vq->ready)
		return;
	check_areas(event->device, look.vq, look.areas);
	if (virtio_has_feature(event->device, VIRTIO_F_RING_PACKED))
		packed_accessed(&look);
	else if (event->access->is_write)
		split_stored(&look);
	else
		split_loaded(&look);
}

void check_memory_access(struct check *check, const struct event *event)
{
	int cpu = event->cpu < CHECK_CPUS ? event->cpu : CHECK_CPUS - 1;
	struct event own = *event;

	check->orders[cpu] += event->access->is_ordered;
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		own.device = check->devices[i].device;
		own.number = i;
		for (unsigned j = 0; own.device && j < own.device->queue_count; j++)
			look_at_queue(check, &own, j);
	}
}
