/* SPDX-License-Identifier: BSD-2-Clause */
#include "split.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>

/* --- guest memory --------------------------------------------------------------------------------
 *
 * The loads and stores whose order matters (virtio 2.7.13), and no others, are the next three
 * functions, and virtq_listen(). "Driver" in the comments is guest-kernel/virtq.c, or Linux'
 * virtio_ring.c.
 */

static uint16_t relaxed_load(const le16_atomic *from)
{
	return VOLE_SWAP16(atomic_load_explicit(&from->raw, memory_order_relaxed));
}

static void relaxed_store(le16_atomic *to, uint16_t value)
{
	atomic_store_explicit(&to->raw, VOLE_SWAP16(value), memory_order_relaxed);
}

/* Acquire, pairs with the driver's release of avail.idx: the ring entries and descriptors that it
 * wrote before are visible to the loads that follow. */
static uint16_t avail_idx_load(const struct virtq *vq)
{
	uint16_t raw = atomic_load_explicit(&vq->split.avail->idx.raw, memory_order_acquire);

	return VOLE_SWAP16(raw);
}

/* Release, pairs with the driver's acquire of used.idx: a driver that sees the index sees the used
 * elements and the payload too (virtio 2.7.8.2). */
static void used_idx_store(struct virtq *vq, uint16_t idx)
{
	atomic_store_explicit(&vq->split.used->idx.raw, VOLE_SWAP16(idx), memory_order_release);
}

/*
 * After the used_idx_store(), which moved the index from old to new. Pairs with the driver, which
 * says that it wants an interrupt, then looks at used.idx: either it sees the index, or we see that
 * it wants one. How it says so depends on EVENT_IDX: by a flag, or by the position whose use it
 * wants to hear of, if that is one of old to new - 1 (virtio 2.7.7.2).
 */
static bool interrupt_wanted(struct virtq *vq, uint16_t old, uint16_t new)
{
	uint16_t event, flags;
	bool wanted;

	full_barrier();
	if (vq->event_idx) {
		event = relaxed_load(vq->split.used_event);
		vq->suppression = event;
		wanted = (uint16_t)(new - event - 1) < (uint16_t)(new - old);
	} else {
		flags = relaxed_load(&vq->split.avail->flags);
		vq->suppression = flags;
		wanted = !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
	}
	virtq_note_interrupt(vq, wanted);
	return wanted;
}

static struct desc desc_load(const struct table *table, unsigned index)
{
	struct virtq_desc d;

	gmem_copy_in(&d, table->bytes + index * sizeof d, sizeof d);
	return (struct desc){
		.addr = le64_to_cpu(d.addr),
		.len = le32_to_cpu(d.len),
		.flags = le16_to_cpu(d.flags),
		.next = le16_to_cpu(d.next),
	};
}

static uint16_t avail_head_load(const struct virtq *vq, uint16_t position)
{
	const le16 *entry = &vq->split.avail->ring[position % vq->size];

	return le16_to_cpu((le16){__atomic_load_n(&entry->raw, __ATOMIC_RELAXED)});
}

/* --- enabling --------------------------------------------------------------------------------- */

static int split_enable(struct virtq *vq, unsigned size_max)
{
	struct virtq_split *split = &vq->split;
	uint32_t size = vq->size;

	if (size == 0 || size > size_max || (size & (size - 1)) != 0)
		return virtq_fault(vq, -EINVAL,
			"queue size %" PRIu32 " is not a power of two from 1 to %u (virtio 2.7)",
			size, size_max);

	*split = (struct virtq_split){0};
	split->table = virtq_area(vq, "descriptor table", vq->desc, VIRTQ_DESC_BYTES(size),
		VIRTQ_DESC_ALIGN, GMEM_READ);
	if (!split->table)
		return -EINVAL;
	split->avail = virtq_area(vq, "available ring", vq->driver, VIRTQ_AVAIL_BYTES(size),
		VIRTQ_AVAIL_ALIGN, GMEM_READ);
	if (!split->avail)
		return -EINVAL;
	split->used = virtq_area(
		vq, "used ring", vq->device, VIRTQ_USED_BYTES(size), VIRTQ_USED_ALIGN, GMEM_WRITE);
	if (!split->used)
		return -EINVAL;
	split->used_event =
		(const le16_atomic *)((const uint8_t *)split->avail + VIRTQ_USED_EVENT(size));
	split->avail_event = (le16_atomic *)((uint8_t *)split->used + VIRTQ_AVAIL_EVENT(size));
	return 0;
}

static void split_announce(const struct virtq *vq)
{
	gmem_announce(vq->gmem, vq->split.used, VIRTQ_USED_BYTES(vq->size));
}

/* --- from available to used ------------------------------------------------------------------- */

/* Add to the chain what is linked in a table from index on, up to the last descriptor or one with
 * INDIRECT, which is not added. *last is a copy of it. 0 or -EPROTO. */
static int list_walk(struct virtq *vq, struct chain *chain, const struct table *table,
	uint16_t index, struct desc *last)
{
	/* No list without a loop has more steps than the table has descriptors. */
	for (unsigned steps = 0; steps < table->count; steps++) {
		int error;

		*last = desc_load(table, index);
		if (last->flags & VIRTQ_DESC_F_INDIRECT)
			return 0;
		error = virtq_chain_add(vq, chain, last);
		if (error < 0)
			return error;
		if (!(last->flags & VIRTQ_DESC_F_NEXT))
			return 0;
		if (last->next >= table->count)
			return virtq_fault(vq, -EPROTO,
				"descriptor %u has next %u, but its table has %u (virtio 2.7.5)",
				index, last->next, table->count);
		index = last->next;
	}
	return virtq_fault(
		vq, -EPROTO, "chain from descriptor %u loops (virtio 2.7.5.2)", chain->id);
}

/* Collect the chain that begins at head, which is in the table. 0 or -EPROTO. */
static int chain_walk(struct virtq *vq, uint16_t head, struct chain *chain)
{
	struct table table = {(const uint8_t *)vq->split.table, vq->size};
	struct desc last;
	int error;

	*chain = (struct chain){.gmem = vq->gmem, .id = head, .slots = 1, .readable = vq->segments};
	error = list_walk(vq, chain, &table, head, &last);
	if (error < 0 || !(last.flags & VIRTQ_DESC_F_INDIRECT))
		return error;

	error = virtq_indirect(vq, chain, &last, &table);
	if (error == 0)
		error = list_walk(vq, chain, &table, 0, &last);
	if (error == 0 && last.flags & VIRTQ_DESC_F_INDIRECT)
		error = virtq_fault(
			vq, -EPROTO, "indirect descriptor in an indirect table (virtio 2.7.5.3.1)");
	return error;
}

static int split_pop(struct virtq *vq, struct chain *chain)
{
	struct virtq_split *split = &vq->split;
	uint16_t idx = avail_idx_load(vq);
	uint16_t available = idx - split->avail_next;
	uint16_t outstanding = idx - split->used_shown;
	uint16_t head;
	int error;

	if (available == 0)
		return 0;
	if (available > vq->size)
		return virtq_fault(vq, -EPROTO,
			"available index jumps from %u to %u with queue size %" PRIu32
			" (virtio 2.7.13)",
			split->avail_next, idx, vq->size);
	if (outstanding > vq->size)
		return virtq_fault(vq, -EPROTO,
			"%u buffers are outstanding with queue size %" PRIu32 " (virtio 2.7.13)",
			outstanding, vq->size);

	head = avail_head_load(vq, split->avail_next);
	if (head >= vq->size)
		return virtq_fault(vq, -EPROTO,
			"available descriptor %u, but queue size is %" PRIu32 " (virtio 2.7.6)",
			head, vq->size);
	error = chain_walk(vq, head, chain);
	if (error < 0)
		return error;
	split->avail_next++;
	return 1;
}

static void split_push(struct virtq *vq, const struct chain *chain, uint32_t len)
{
	struct virtq_split *split = &vq->split;

	split->used->ring[split->used_next % vq->size] =
		(struct virtq_used_elem){.id = cpu_to_le32(chain->id), .len = cpu_to_le32(len)};
	split->used_next += chain->slots;
}

static bool split_publish(struct virtq *vq)
{
	struct virtq_split *split = &vq->split;
	uint16_t old = split->used_shown;

	if (split->used_next == old)
		return false;
	used_idx_store(vq, split->used_next);
	split->used_shown = split->used_next;
	return interrupt_wanted(vq, old, split->used_next);
}

static bool split_available(const struct virtq *vq)
{
	return avail_idx_load(vq) != vq->split.avail_next;
}

/* With EVENT_IDX the flag stays 0 (virtio 2.7.10.2). The driver kicks when it fills the position in
 * avail_event, and once that is past, no more until it is moved on: silence is the normal state. */
static void split_silence(struct virtq *vq)
{
	if (!vq->event_idx)
		relaxed_store(&vq->split.used->flags, VIRTQ_USED_F_NO_NOTIFY);
}

static void split_listen(struct virtq *vq)
{
	if (vq->event_idx)
		relaxed_store(vq->split.avail_event, vq->split.avail_next);
	else
		relaxed_store(&vq->split.used->flags, 0);
}

static void split_view(const struct virtq *vq, struct virtq_view *view)
{
	const struct virtq_split *split = &vq->split;

	view->available = avail_idx_load(vq);
	view->taken = split->avail_next;
	view->used = split->used_shown;
	view->used_seen = relaxed_load(&split->used->idx);
	view->waiting = (uint16_t)(view->available - view->taken);
	view->all_used = view->available == view->used;
	view->suppression = relaxed_load(vq->event_idx ? split->used_event : &split->avail->flags);
	view->available_at = vq->driver + offsetof(struct virtq_avail, idx);
	view->used_at = vq->device + offsetof(struct virtq_used, idx);
}

static void split_save(const struct virtq *vq, struct virtio_saved_queue *saved)
{
	saved->position = vq->split.used_next;
}

static int split_restore(struct virtq *vq, const struct virtio_saved_queue *saved)
{
	vq->split.avail_next = saved->position;
	vq->split.used_next = vq->split.used_shown = saved->position;
	return 0;
}

const struct virtq_ring_ops virtq_split_ops = {
	.clauses =
		{
			.areas = "2.7",
			.alignment = "2.7.1",
			.order = "2.7.4.2",
			.length = "2.7.5.2",
			.buffer = "2.7.5",
			.indirect = "2.7.5.3.1",
			.table = "2.7.5.3",
		},
	.enable = split_enable,
	.announce = split_announce,
	.pop = split_pop,
	.push = split_push,
	.publish = split_publish,
	.silence = split_silence,
	.listen = split_listen,
	.available = split_available,
	.view = split_view,
	.save = split_save,
	.restore = split_restore,
};
