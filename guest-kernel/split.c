/* SPDX-License-Identifier: BSD-2-Clause */
#include "split.h"

#include <stdatomic.h>

/* --- what the device sees, or writes: the orders are explained in ring.h ---------------------- */

/* Release, pairs with the device's acquire of avail->idx. */
static void store_avail_idx(struct virtq *vq, uint16_t idx)
{
	atomic_store_explicit(
		&vq->split.avail->idx.raw, cpu_to_le16(idx).raw, memory_order_release);
}

/* Acquire, pairs with the device's release of used->idx. */
static uint16_t load_used_idx(const struct virtq *vq)
{
	le16 idx = {atomic_load_explicit(&vq->split.used->idx.raw, memory_order_acquire)};

	return le16_to_cpu(idx);
}

/* Flags and event fields: the barriers around them are virtq.c's. */
static uint16_t load(const le16_atomic *from)
{
	le16 value = {atomic_load_explicit(&from->raw, memory_order_relaxed)};

	return le16_to_cpu(value);
}

static void store(le16_atomic *to, uint16_t value)
{
	atomic_store_explicit(&to->raw, cpu_to_le16(value).raw, memory_order_relaxed);
}

static void split_init(struct virtq *vq)
{
	struct virtq_split *split = &vq->split;

	vq->desc = split->desc;
	vq->driver = split->avail_memory;
	vq->device = split->used_memory;
	split->avail = vq->driver;
	split->used = vq->device;
	split->used_event = (le16_atomic *)(split->avail_memory + VIRTQ_USED_EVENT(vq->size));
	split->avail_event = (le16_atomic *)(split->used_memory + VIRTQ_AVAIL_EVENT(vq->size));

	/* All are free, linked in a circle. */
	split->free_last = vq->size - 1;
	for (uint16_t i = 0; i < vq->size; i++)
		split->desc[i].next = cpu_to_le16((i + 1) % vq->size);
}

/* --- making available ------------------------------------------------------------------------- */

static void describe(struct virtq_desc *desc, const void *data, uint32_t len, uint16_t flags)
{
	desc->addr = cpu_to_le64((uintptr_t)data);
	desc->len = cpu_to_le32(len);
	desc->flags = cpu_to_le16(flags);
}

/* Descriptors of the queue for the list, from head on; free ones are linked, as those of a chain
 * are. The last one. */
static struct virtq_desc *describe_chain(struct virtq *vq, uint16_t head, const struct list *list)
{
	struct virtq_desc *desc = NULL;

	for (unsigned n = 0; n < list->count; n++) {
		desc = &vq->split.desc[head];
		describe(desc, list->buffers[n].data, list->buffers[n].len, list_flags(list, n));
		head = le16_to_cpu(desc->next);
	}
	return desc;
}

/* One descriptor of the queue, and the others in its table. */
static struct virtq_desc *describe_table(struct virtq *vq, uint16_t head, const struct list *list)
{
	struct virtq_desc *table = vq->tables[head].split;

	for (unsigned n = 0; n < list->count; n++) {
		describe(&table[n], list->buffers[n].data, list->buffers[n].len,
			list_flags(list, n));
		table[n].next = cpu_to_le16(n + 1);
	}
	describe(
		&vq->split.desc[head], table, VIRTQ_DESC_BYTES(list->count), VIRTQ_DESC_F_INDIRECT);
	return &vq->split.desc[head];
}

static uint16_t split_add(struct virtq *vq, const struct list *list)
{
	struct virtq_split *split = &vq->split;
	uint16_t head = split->free_first;
	const struct virtq_desc *last =
		list->indirect ? describe_table(vq, head, list) : describe_chain(vq, head, list);

	split->free_first = le16_to_cpu(last->next);

	/* The chain goes into the ring's next place, which the device looks at only when idx is
	 * past it. idx counts on forever; the place is idx modulo size. */
	split->avail->ring[vq->added % vq->size] = cpu_to_le16(head);
	store_avail_idx(vq, vq->added + 1);
	return head;
}

static bool split_wants_kick(struct virtq *vq)
{
	struct virtq_split *split = &vq->split;
	uint16_t old = split->kicked, new = vq->added;

	/* With EVENT_IDX the device names the place whose filling it wants to hear of: one of old
	 * to new - 1? All modulo 65536. */
	split->kicked = new;
	if (vq->event_idx)
		return (uint16_t)(new - load(split->avail_event) - 1) < (uint16_t)(new - old);
	return !(load(&split->used->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

static uint16_t split_position(const struct virtq *vq)
{
	return vq->added;
}

/* --- taking back ------------------------------------------------------------------------------ */

static bool split_pending(const struct virtq *vq)
{
	return load_used_idx(vq) != vq->taken;
}

static struct virtq_used_request split_used(const struct virtq *vq)
{
	struct virtq_used_elem elem = vq->split.used->ring[vq->taken % vq->size];

	return (struct virtq_used_request){le32_to_cpu(elem.id), le32_to_cpu(elem.len)};
}

/* To the end of the free descriptors. So if chains come back in the order in which they went, their
 * descriptors are always taken in turn, as IN_ORDER wants it (virtio 2.7.5.2). */
static void split_release(struct virtq *vq, uint16_t id)
{
	struct virtq_split *split = &vq->split;

	if (vq->free_count)
		split->desc[split->free_last].next = cpu_to_le16(id);
	else
		split->free_first = id;
	split->free_last = id;
	while (le16_to_cpu(split->desc[split->free_last].flags) & VIRTQ_DESC_F_NEXT)
		split->free_last = le16_to_cpu(split->desc[split->free_last].next);
}

static void split_interrupts(struct virtq *vq, bool wanted)
{
	/* With EVENT_IDX an interrupt comes for the place that we name, and for no other: the next,
	 * or the one that is as far away as can be, which is the one just passed. */
	if (vq->event_idx)
		store(vq->split.used_event, wanted ? vq->taken : vq->taken - 1);
	else
		store(&vq->split.avail->flags, wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
}

const struct virtq_ring_ops virtq_split_format = {
	.init = split_init,
	.add = split_add,
	.wants_kick = split_wants_kick,
	.position = split_position,
	.pending = split_pending,
	.used = split_used,
	.release = split_release,
	.interrupts = split_interrupts,
};
