/* SPDX-License-Identifier: BSD-2-Clause */
#include "packed.h"

#include <stdatomic.h>

/* Past count slots, at most a ring's worth (virtio 2.8.1). */
static void advance(const struct virtq *vq, struct virtq_position *at, unsigned count)
{
	unsigned slot = at->slot + count;

	if (slot >= vq->size) {
		slot -= vq->size;
		at->wrap = !at->wrap;
	}
	at->slot = slot;
}

/* As event suppression and kicks name a position (virtio 2.8.14, 2.9). */
static uint16_t position_word(const struct virtq_position *at)
{
	return at->slot | (at->wrap ? VIRTQ_EVENT_WRAP : 0);
}

/* --- what the device sees, or writes: the orders are explained in ring.h ---------------------- */

/* Release, pairs with the device's acquire of the flags. For all but the first descriptor of a list
 * it need not be, since the device does not look at them before it has seen the first. */
static void store_flags(struct virtq_packed_desc *desc, uint16_t flags)
{
	atomic_store_explicit(&desc->flags.raw, cpu_to_le16(flags).raw, memory_order_release);
}

/* Acquire, pairs with the device's release of the flags. */
static uint16_t load_flags(const struct virtq_packed_desc *desc)
{
	le16 flags = {atomic_load_explicit(&desc->flags.raw, memory_order_acquire)};

	return le16_to_cpu(flags);
}

/* The words about notifications: the barriers around them are virtq.c's. */
static uint32_t load_event(const struct virtq_event *event)
{
	le32 word = {atomic_load_explicit(&event->word.raw, memory_order_relaxed)};

	return le32_to_cpu(word);
}

static void store_event(struct virtq_event *event, uint32_t mode, uint16_t position)
{
	le32 word = cpu_to_le32(mode << 16 | position);

	atomic_store_explicit(&event->word.raw, word.raw, memory_order_relaxed);
}

static void packed_init(struct virtq *vq)
{
	struct virtq_packed *packed = &vq->packed;

	/* With both wrap counters 1, a ring of zeros has nothing available and nothing used. */
	packed->add = packed->take = (struct virtq_position){0, true};
	vq->desc = packed->ring;
	vq->driver = &packed->driver;
	vq->device = &packed->device;
}

/* --- making available ------------------------------------------------------------------------- */

/* All but the flags. */
static void describe(struct virtq_packed_desc *desc, const void *data, uint32_t len, uint16_t id)
{
	desc->addr = cpu_to_le64((uintptr_t)data);
	desc->len = cpu_to_le32(len);
	desc->id = cpu_to_le16(id);
}

/* The next slot, whose flags remain to be stored: *flags has how this lap says "available". */
static struct virtq_packed_desc *next_slot(struct virtq *vq, uint16_t *flags)
{
	struct virtq_packed *packed = &vq->packed;
	struct virtq_packed_desc *desc = &packed->ring[packed->add.slot];

	*flags = packed->add.wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
	advance(vq, &packed->add, 1);
	packed->unkicked++;
	return desc;
}

static void add_indirect(struct virtq *vq, const struct list *list, uint16_t id)
{
	struct virtq_packed_desc *table = vq->tables[id].packed, *desc;
	uint16_t flags;

	/* In a table the sequence says what NEXT says elsewhere (virtio 2.8.7, 2.8.19). */
	for (unsigned n = 0; n < list->count; n++) {
		describe(&table[n], list->buffers[n].data, list->buffers[n].len, 0);
		store_flags(&table[n], list_flags(list, n) & VIRTQ_DESC_F_WRITE);
	}
	desc = next_slot(vq, &flags);
	describe(desc, table, VIRTQ_DESC_BYTES(list->count), id);
	store_flags(desc, flags | VIRTQ_DESC_F_INDIRECT);
}

static uint16_t packed_add(struct virtq *vq, const struct list *list)
{
	uint16_t id = vq->ids[vq->added % vq->size];
	struct virtq_packed_desc *first = NULL;
	uint16_t first_flags = 0;

	if (list->indirect) {
		add_indirect(vq, list, id);
		return id;
	}
	for (unsigned n = 0; n < list->count; n++) {
		uint16_t flags;
		struct virtq_packed_desc *desc = next_slot(vq, &flags);

		describe(desc, list->buffers[n].data, list->buffers[n].len, id);
		flags |= list_flags(list, n);
		if (n) {
			store_flags(desc, flags);
		} else {
			first = desc;
			first_flags = flags;
		}
	}
	/* Who sees the first descriptor takes the others for granted (virtio 2.8.6). */
	store_flags(first, first_flags);
	return id;
}

static bool packed_wants_kick(struct virtq *vq)
{
	struct virtq_packed *packed = &vq->packed;
	uint32_t word = load_event(&packed->device);
	unsigned mode = word >> 16 & 3;
	unsigned filled = packed->unkicked, ago;

	packed->unkicked = 0;
	if (mode != VIRTQ_EVENT_DESC)
		return mode != VIRTQ_EVENT_DISABLE;

	/* The device names the slot whose filling it wants to hear of. How many slots ago was that?
	 * 1 is the last that was filled; a slot of the lap before, if the wrap counters differ. */
	ago = packed->add.slot - (word & (VIRTQ_EVENT_WRAP - 1));
	if (((word & VIRTQ_EVENT_WRAP) != 0) != packed->add.wrap)
		ago += vq->size;
	return ago >= 1 && ago <= filled;
}

static uint16_t packed_position(const struct virtq *vq)
{
	return position_word(&vq->packed.add);
}

/* --- taking back ------------------------------------------------------------------------------ */

static bool packed_pending(const struct virtq *vq)
{
	const struct virtq_position *at = &vq->packed.take;
	uint16_t flags = load_flags(&vq->packed.ring[at->slot]);

	/* Both bits: a descriptor that we made available in this lap has one of them. */
	return !!(flags & VIRTQ_DESC_F_AVAIL) == at->wrap &&
	       !!(flags & VIRTQ_DESC_F_USED) == at->wrap;
}

static struct virtq_used_request packed_used(const struct virtq *vq)
{
	const struct virtq_packed_desc *desc = &vq->packed.ring[vq->packed.take.slot];
	bool written = load_flags(desc) & VIRTQ_DESC_F_WRITE;

	/* The length is valid only if something was written (virtio 2.8.4). */
	return (struct virtq_used_request){
		le16_to_cpu(desc->id), written ? le32_to_cpu(desc->len) : 0};
}

/* A list comes back as one descriptor; the device then skips what the list took (virtio 2.8.6). */
static void packed_release(struct virtq *vq, uint16_t id)
{
	advance(vq, &vq->packed.take, vq->requests[id].count);
}

static void packed_interrupts(struct virtq *vq, bool wanted)
{
	uint32_t mode = VIRTQ_EVENT_DISABLE;

	if (wanted)
		mode = vq->event_idx ? VIRTQ_EVENT_DESC : VIRTQ_EVENT_ENABLE;
	store_event(&vq->packed.driver, mode,
		mode == VIRTQ_EVENT_DESC ? position_word(&vq->packed.take) : 0);
}

const struct virtq_ring_ops virtq_packed_format = {
	.init = packed_init,
	.add = packed_add,
	.wants_kick = packed_wants_kick,
	.position = packed_position,
	.pending = packed_pending,
	.used = packed_used,
	.release = packed_release,
	.interrupts = packed_interrupts,
};
