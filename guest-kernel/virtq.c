/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <stdatomic.h>
#include <stddef.h>

#include "error.h"
#include "irq.h"
#include "printf.h"
#include "string.h"
#include "x86.h"

/*
 * The device runs while we do, on another CPU, so the order of our accesses to the rings matters.
 * Five of them carry the weight (virtio 2.7.13, 2.7.14):
 *
 *	we write avail->idx	release: the ring entry and the descriptors are in memory before it
 *	we read used->flags	or avail_event, after a full barrier: see virtq_kick()
 *	we read used->idx	acquire: used elements and data are read after it
 *	we write avail->flags	no order: it is only a hint
 *	we write used_event	before a full barrier: see virtq_wait()
 *
 * On x86 release and acquire cost nothing but keep the compiler from moving things; the full
 * barrier is an instruction.
 */

static uint16_t load_used_idx(const struct virtq *vq)
{
	le16 idx = {atomic_load_explicit(&vq->used->idx.raw, memory_order_acquire)};

	return le16_to_cpu(idx);
}

static void store_avail_idx(struct virtq *vq, uint16_t idx)
{
	atomic_store_explicit(&vq->avail->idx.raw, cpu_to_le16(idx).raw, memory_order_release);
}

static uint16_t load(const le16_atomic *from)
{
	le16 value = {atomic_load_explicit(&from->raw, memory_order_relaxed)};

	return le16_to_cpu(value);
}

static void store(le16_atomic *to, uint16_t value)
{
	atomic_store_explicit(&to->raw, cpu_to_le16(value).raw, memory_order_relaxed);
}

void virtq_init(struct virtq *vq, struct mmio *dev, unsigned index, uint32_t size_max)
{
	memset(vq, 0, sizeof(*vq));
	vq->dev = dev;
	vq->index = index;
	vq->size = VIRTQ_SIZE;
	while (vq->size > size_max)
		vq->size /= 2;
	vq->avail = (struct virtq_avail *)vq->avail_memory;
	vq->used = (struct virtq_used *)vq->used_memory;
	vq->used_event = (le16_atomic *)(vq->avail_memory + VIRTQ_USED_EVENT(vq->size));
	vq->avail_event = (le16_atomic *)(vq->used_memory + VIRTQ_AVAIL_EVENT(vq->size));
	vq->indirect = mmio_has_feature(dev, VIRTIO_F_INDIRECT_DESC);
	vq->event_idx = mmio_has_feature(dev, VIRTIO_F_EVENT_IDX);

	vq->free_count = vq->size;
	for (uint16_t i = 0; i < vq->size; i++) {
		vq->desc[i].next = cpu_to_le16(i + 1);
		for (uint16_t n = 0; n < VIRTQ_TABLE_SIZE; n++)
			vq->tables[i][n].next = cpu_to_le16(n + 1);
	}
}

static void describe(struct virtq_desc *desc, const void *data, uint32_t len, uint16_t flags)
{
	desc->addr = cpu_to_le64((uint32_t)data);
	desc->len = cpu_to_le32(len);
	desc->flags = cpu_to_le16(flags);
}

/* Descriptors for the buffers, from index first on; the links are there already. Of the last one. */
static struct virtq_desc *describe_all(struct virtq_desc *table, uint16_t first,
	const struct virtq_buffer *buffers, unsigned readable, unsigned count)
{
	struct virtq_desc *desc = NULL;

	for (unsigned n = 0; n < count; n++) {
		uint16_t flags = n < readable ? 0 : VIRTQ_DESC_F_WRITE;

		if (n + 1 < count)
			flags |= VIRTQ_DESC_F_NEXT;
		desc = &table[first];
		describe(desc, buffers[n].data, buffers[n].len, flags);
		first = le16_to_cpu(desc->next);
	}
	return desc;
}

int virtq_add(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, void *request)
{
	unsigned count = readable + writable;
	bool indirect = vq->indirect && count > 1 && count <= VIRTQ_TABLE_SIZE;
	unsigned needed = indirect ? 1 : count;
	uint16_t head = vq->free_head;
	struct virtq_desc *last;

	if (!count)
		return -EINVAL;
	if (needed > vq->free_count)
		return -ENOSPC;

	/* Free descriptors are linked, as those of a chain are. */
	if (indirect) {
		struct virtq_desc *table = vq->tables[head];

		describe_all(table, 0, buffers, readable, count);
		last = &vq->desc[head];
		describe(last, table, count * sizeof(*table), VIRTQ_DESC_F_INDIRECT);
	} else {
		last = describe_all(vq->desc, head, buffers, readable, count);
	}
	vq->free_head = le16_to_cpu(last->next);
	vq->free_count -= needed;
	vq->requests[head] = request;

	/* The chain goes into the ring's next place, which the device looks at only when idx is
	 * past it. idx counts on forever; the place is idx modulo size. */
	vq->avail->ring[vq->avail_next % vq->size] = cpu_to_le16(head);
	vq->avail_next++;
	store_avail_idx(vq, vq->avail_next);
	return 0;
}

/* Whether the device wants to be told that avail->idx went from old to new. */
static bool wants_kick(const struct virtq *vq, uint16_t old, uint16_t new)
{
	/* With EVENT_IDX it names the place whose filling it wants to hear of: one of old to
	 * new - 1? All modulo 65536. */
	if (vq->event_idx)
		return (uint16_t)(new - load(vq->avail_event) - 1) < (uint16_t)(new - old);
	return !(load(&vq->used->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

void virtq_kick(struct virtq *vq)
{
	uint16_t old = vq->avail_kicked;

	/*
	 * The device may say that it is awake and needs no kick. It says so, looks at avail->idx a
	 * last time, and goes to sleep only after taking it back. We write avail->idx and then look
	 * at what it says. If our look could overtake our write, both sides might look before
	 * either writes: we would not kick, it would sleep. A full barrier between write and look,
	 * on both sides, excludes that (virtio 2.7.13.4.1).
	 */
	vq->avail_kicked = vq->avail_next;
	atomic_thread_fence(memory_order_seq_cst);
	if (wants_kick(vq, old, vq->avail_next))
		mmio_kick(vq->dev, vq->index, vq->avail_next);
}

bool virtq_pending(const struct virtq *vq)
{
	return load_used_idx(vq) != vq->used_next;
}

int virtq_wait(struct virtq *vq)
{
	uint32_t eflags = interrupts_off();
	bool pending;

	/* With EVENT_IDX an interrupt comes for the place that we name, and for no other. The
	 * barrier is the other half of virtq_kick()'s: we write, then look; so does the device. */
	if (vq->event_idx) {
		store(vq->used_event, vq->used_next);
		atomic_thread_fence(memory_order_seq_cst);
	}
	while (!(pending = virtq_pending(vq)) && !atomic_load(&vq->dev->failed))
		irq_wait();
	interrupts_restore(eflags);
	return pending ? 0 : -EIO;
}

/* Back to the free descriptors, in front. */
static void free_chain(struct virtq *vq, uint16_t head)
{
	uint16_t last = head;
	unsigned count = 1;

	for (; le16_to_cpu(vq->desc[last].flags) & VIRTQ_DESC_F_NEXT; count++)
		last = le16_to_cpu(vq->desc[last].next);
	vq->desc[last].next = cpu_to_le16(vq->free_head);
	vq->free_head = head;
	vq->free_count += count;
}

void *virtq_take(struct virtq *vq, uint32_t *len)
{
	struct virtq_used_elem elem;
	uint32_t head;
	void *request;

	if (!virtq_pending(vq))
		return NULL;
	elem = vq->used->ring[vq->used_next % vq->size];
	vq->used_next++;

	head = le32_to_cpu(elem.id);
	if (head >= vq->size || !vq->requests[head]) {
		printf("virtio at %08x: queue %u: used element %u was never made available\n",
			vq->dev->base, vq->index, head);
		atomic_store(&vq->dev->failed, true);
		return NULL;
	}
	request = vq->requests[head];
	vq->requests[head] = NULL;
	free_chain(vq, (uint16_t)head);
	*len = le32_to_cpu(elem.len);
	return request;
}

void virtq_interrupts_off(struct virtq *vq)
{
	/* With EVENT_IDX: for a place that is as far away as can be, the one just passed. */
	if (vq->event_idx)
		store(vq->used_event, vq->used_next - 1);
	else
		store(&vq->avail->flags, VIRTQ_AVAIL_F_NO_INTERRUPT);
}
