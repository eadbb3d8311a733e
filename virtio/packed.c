/* SPDX-License-Identifier: BSD-2-Clause */
#include "packed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>

/* --- positions -------------------------------------------------------------------------------- */

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

/* Whether flags found at this position are those of an available descriptor. Both bits count: slots
 * that were never used, or not since the lap before, are not available (virtio 2.8.15). */
static bool is_available(uint16_t flags, const struct virtq_position *at)
{
	bool avail = flags & VIRTQ_DESC_F_AVAIL, used = flags & VIRTQ_DESC_F_USED;

	return avail == at->wrap && used != at->wrap;
}

/* --- guest memory --------------------------------------------------------------------------------
 *
 * The loads and stores whose order matters (virtio 2.8.2, 2.8.21), and no others, are the next
 * three functions, and virtq_listen(). "Driver" in the comments is guest-kernel/packed.c, or Linux'
 * virtio_ring.c.
 */

/* Acquire, pairs with the driver's release of the flags of a list's first descriptor: the rest of
 * the list, and what it points to, are visible to the loads that follow. */
static uint16_t flags_load(const struct virtq *vq, unsigned slot)
{
	const le16_atomic *flags = &vq->packed.ring[slot].flags;

	return VOLE_SWAP16(atomic_load_explicit(&flags->raw, memory_order_acquire));
}

/* Release, pairs with the driver's acquire: who sees the descriptor used sees id, length and
 * payload, and all that was used in the same batch. */
static void flags_store(struct virtq *vq, unsigned slot, uint16_t flags)
{
	le16_atomic *to = &vq->packed.ring[slot].flags;

	atomic_store_explicit(&to->raw, VOLE_SWAP16(flags), memory_order_release);
}

/* The last slots of the ring, as many as batch, were given back, and the driver said word of when
 * it wants to be interrupted. */
static bool asked_for(const struct virtq *vq, uint32_t word, unsigned batch)
{
	const struct virtq_position *used = &vq->packed.used;
	unsigned mode = word >> 16 & 3, event, ago;
	bool wrap;

	if (mode != VIRTQ_EVENT_DESC || !vq->event_idx)
		return mode != VIRTQ_EVENT_DISABLE;

	/* How many slots ago it was: 1 is the last of the batch. */
	event = word & (VIRTQ_EVENT_WRAP - 1);
	wrap = word & VIRTQ_EVENT_WRAP;
	ago = used->slot - event;
	if (wrap != used->wrap)
		ago += vq->size;
	return ago >= 1 && ago <= batch;
}

/*
 * After the flags_store() that showed a batch of this many slots. Pairs with the driver, which says
 * that it wants an interrupt, then looks at the ring: either it sees the used descriptors, or we
 * see that it wants one: always, or for one slot if that is in the batch (virtio 2.8.10).
 */
static bool interrupt_wanted(struct virtq *vq, unsigned batch)
{
	uint32_t word;
	bool wanted;

	full_barrier();
	word = atomic_load_explicit(&vq->packed.driver->word.raw, memory_order_relaxed);
	vq->suppression = VOLE_SWAP32(word);
	wanted = asked_for(vq, vq->suppression, batch);
	virtq_note_interrupt(vq, wanted);
	return wanted;
}

/* What else a descriptor says, whose flags said that it is available. */
static struct desc desc_load(const struct virtq *vq, unsigned slot, uint16_t flags, uint16_t *id)
{
	const struct virtq_packed_desc *d = &vq->packed.ring[slot];
	le64 addr = {__atomic_load_n(&d->addr.raw, __ATOMIC_RELAXED)};
	le32 len = {__atomic_load_n(&d->len.raw, __ATOMIC_RELAXED)};

	*id = le16_to_cpu((le16){__atomic_load_n(&d->id.raw, __ATOMIC_RELAXED)});
	return (struct desc){.addr = le64_to_cpu(addr), .len = le32_to_cpu(len), .flags = flags};
}

/* A descriptor of an indirect table. Of its flags only WRITE has a meaning (virtio 2.8.7). */
static struct desc table_load(const struct table *table, unsigned index)
{
	struct virtq_packed_desc d;

	gmem_copy_in(&d, table->bytes + index * sizeof d, sizeof d);
	return (struct desc){
		.addr = le64_to_cpu(d.addr),
		.len = le32_to_cpu(d.len),
		.flags = VOLE_SWAP16(d.flags.raw) & VIRTQ_DESC_F_WRITE,
	};
}

/* --- enabling --------------------------------------------------------------------------------- */

static int packed_enable(struct virtq *vq, unsigned size_max)
{
	struct virtq_packed *packed = &vq->packed;
	uint32_t size = vq->size;

	if (size == 0 || size > size_max)
		return virtq_fault(vq, -EINVAL,
			"queue size %" PRIu32 " is not a number from 1 to %u (virtio 2.8)", size,
			size_max);

	*packed = (struct virtq_packed){.avail = {0, true}, .used = {0, true}};
	packed->ring = virtq_area(vq, "descriptor ring", vq->desc, VIRTQ_DESC_BYTES(size),
		VIRTQ_DESC_ALIGN, GMEM_WRITE);
	if (!packed->ring)
		return -EINVAL;
	packed->driver = virtq_area(vq, "driver event suppression", vq->driver,
		sizeof *packed->driver, VIRTQ_EVENT_ALIGN, GMEM_READ);
	if (!packed->driver)
		return -EINVAL;
	packed->device = virtq_area(vq, "device event suppression", vq->device,
		sizeof *packed->device, VIRTQ_EVENT_ALIGN, GMEM_WRITE);
	if (!packed->device)
		return -EINVAL;
	return 0;
}

static void packed_announce(const struct virtq *vq)
{
	gmem_announce(vq->gmem, vq->packed.ring, VIRTQ_DESC_BYTES(vq->size));
	gmem_announce(vq->gmem, vq->packed.device, sizeof *vq->packed.device);
}

/* --- from available to used ------------------------------------------------------------------- */

static bool packed_available(const struct virtq *vq)
{
	const struct virtq_position *at = &vq->packed.avail;

	return is_available(flags_load(vq, at->slot), at);
}

/* Add the elements of an indirect table, in sequence (virtio 2.8.7). 0 or -EPROTO. */
static int table_walk(struct virtq *vq, struct chain *chain, const struct desc *indirect)
{
	struct table table;
	int error = virtq_indirect(vq, chain, indirect, &table);

	for (unsigned i = 0; error == 0 && i < table.count; i++) {
		struct desc d = table_load(&table, i);

		error = virtq_chain_add(vq, chain, &d);
	}
	return error;
}

/* Add what the next descriptor of a list says. 0 or -EPROTO. */
static int element_add(struct virtq *vq, struct chain *chain, const struct desc *d)
{
	if (!(d->flags & VIRTQ_DESC_F_INDIRECT))
		return virtq_chain_add(vq, chain, d);
	if (chain->slots > 0)
		return virtq_fault(vq, -EPROTO, "indirect descriptor in a list (virtio 2.8.19)");
	return table_walk(vq, chain, d);
}

/*
 * All descriptors of a list are copied now. They are not looked at again: until the list comes
 * back, others that come back before it may overwrite them (virtio 2.8.6).
 */
static int packed_pop(struct virtq *vq, struct chain *chain)
{
	struct virtq_packed *packed = &vq->packed;
	struct virtq_position at = packed->avail;
	unsigned free_slots = vq->size - packed->outstanding;
	uint16_t flags = flags_load(vq, at.slot);

	if (!is_available(flags, &at))
		return 0;
	*chain = (struct chain){.gmem = vq->gmem, .readable = vq->segments};
	for (;;) {
		struct desc d;
		int error;

		if (chain->slots == free_slots)
			return virtq_fault(vq, -EPROTO,
				"list from slot %u needs more than the %u slots that are free "
				"(virtio 2.8.17)",
				packed->avail.slot, free_slots);
		d = desc_load(vq, at.slot, flags, &chain->id); /* of the last one in the end */
		error = element_add(vq, chain, &d);
		if (error < 0)
			return error;
		chain->slots++;
		advance(vq, &at, 1);
		if (!(flags & VIRTQ_DESC_F_NEXT))
			break;

		flags = flags_load(vq, at.slot);
		if (!is_available(flags, &at))
			return virtq_fault(vq, -EPROTO,
				"list from slot %u goes on in slot %u, which is not available "
				"(virtio 2.8.17)",
				packed->avail.slot, at.slot);
	}
	packed->avail = at;
	packed->outstanding += chain->slots;
	return 1;
}

static void packed_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	struct virtq_packed *packed = &vq->packed;
	struct virtq_packed_desc *d = &packed->ring[packed->used.slot];
	uint16_t flags = packed->used.wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;

	/* Some of it was written, a status if nothing else (virtio 2.8.3). */
	if (chain->writable)
		flags |= VIRTQ_DESC_F_WRITE;
	d->id = cpu_to_le16(chain->id);
	d->len = cpu_to_le32(len);

	/* The driver looks at the first of a batch before it looks at the others, so the flags of
	 * the first, stored last, show all of them. */
	if (packed->batch == 0) {
		packed->batch_slot = packed->used.slot;
		packed->batch_flags = flags;
	} else {
		flags_store(vq, packed->used.slot, flags);
	}
	packed->batch += chain->slots;
	advance(vq, &packed->used, chain->slots);
}

static bool packed_publish(struct virtq *vq)
{
	struct virtq_packed *packed = &vq->packed;
	unsigned batch = packed->batch;

	if (batch == 0)
		return false;
	flags_store(vq, packed->batch_slot, packed->batch_flags);
	packed->batch = 0;
	packed->outstanding -= batch;
	return interrupt_wanted(vq, batch);
}

static void event_store(struct virtq *vq, uint32_t mode, uint32_t position)
{
	uint32_t word = VOLE_SWAP32(mode << 16 | position);

	atomic_store_explicit(&vq->packed.device->word.raw, word, memory_order_relaxed);
}

static void packed_silence(struct virtq *vq)
{
	event_store(vq, VIRTQ_EVENT_DISABLE, 0);
}

static void packed_listen(struct virtq *vq)
{
	const struct virtq_position *next = &vq->packed.avail;

	if (vq->event_idx)
		event_store(vq, VIRTQ_EVENT_DESC, next->slot | (next->wrap ? VIRTQ_EVENT_WRAP : 0));
	else
		event_store(vq, VIRTQ_EVENT_ENABLE, 0);
}

/* The driver makes slots available in their order, so the first one that is not ends the count. */
static void packed_view(const struct virtq *vq, struct virtq_view *view)
{
	const struct virtq_packed *packed = &vq->packed;
	struct virtq_position at = packed->avail;

	view->packed = true;
	view->taken = packed->avail.slot;
	view->used = packed->used.slot;
	for (unsigned i = packed->outstanding; i < vq->size; i++) {
		uint16_t flags = flags_load(vq, at.slot);

		if (!is_available(flags, &at))
			break;
		view->waiting += !(flags & VIRTQ_DESC_F_NEXT);
		advance(vq, &at, 1);
	}
	view->all_used = packed->outstanding == 0 && view->waiting == 0;
	view->suppression =
		VOLE_SWAP32(atomic_load_explicit(&packed->driver->word.raw, memory_order_relaxed));
}

static void packed_save(const struct virtq *vq, struct virtio_saved_queue *saved)
{
	saved->position = vq->packed.used.slot;
	saved->wrap = vq->packed.used.wrap;
}

static int packed_restore(struct virtq *vq, const struct virtio_saved_queue *saved)
{
	if (saved->position >= vq->size)
		return -EINVAL;
	vq->packed.used = (struct virtq_position){saved->position, saved->wrap};
	vq->packed.avail = vq->packed.used;
	return 0;
}

const struct virtq_ring_ops virtq_packed_ops = {
	.clauses =
		{
			.areas = "2.8",
			.alignment = "2.8.11",
			.order = "2.8.17",
			.length = "2.8.18",
			.buffer = "2.8.4",
			.indirect = "2.8.19",
			.table = "2.8.7",
		},
	.enable = packed_enable,
	.announce = packed_announce,
	.pop = packed_pop,
	.push = packed_push,
	.publish = packed_publish,
	.silence = packed_silence,
	.listen = packed_listen,
	.available = packed_available,
	.view = packed_view,
	.save = packed_save,
	.restore = packed_restore,
};
