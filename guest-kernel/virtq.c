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
 * Four of them carry the weight (virtio 2.7.13, 2.7.14):
 *
 *	we write avail->idx	release: the ring entry and the descriptors are in memory before it
 *	we read used->flags	after a full barrier: see virtq_kick()
 *	we read used->idx	acquire: used elements and data are read after it
 *	we write avail->flags	no order: it is only a hint
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

	vq->free_count = vq->size;
	for (uint16_t i = 0; i < vq->size; i++)
		vq->desc[i].next = cpu_to_le16(i + 1);
}

int virtq_add(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, void *request)
{
	unsigned count = readable + writable;
	uint16_t head = vq->free_head;
	uint16_t i = head;
	struct virtq_desc *desc = NULL;

	if (!count)
		return -EINVAL;
	if (count > vq->free_count)
		return -ENOSPC;

	/* A descriptor for each buffer; the links are there already, from being free. */
	for (unsigned n = 0; n < count; n++) {
		desc = &vq->desc[i];
		desc->addr = cpu_to_le64((uint32_t)buffers[n].data);
		desc->len = cpu_to_le32(buffers[n].len);
		desc->flags =
			cpu_to_le16(VIRTQ_DESC_F_NEXT | (n < readable ? 0 : VIRTQ_DESC_F_WRITE));
		i = le16_to_cpu(desc->next);
	}
	/* The last one: the chain ends here. */
	desc->flags = cpu_to_le16(le16_to_cpu(desc->flags) & ~VIRTQ_DESC_F_NEXT);
	vq->free_head = i;
	vq->free_count -= count;
	vq->requests[head] = request;

	/* The chain goes into the ring's next place, which the device looks at only when idx is
	 * past it. idx counts on forever; the place is idx modulo size. */
	vq->avail->ring[vq->avail_next % vq->size] = cpu_to_le16(head);
	vq->avail_next++;
	store_avail_idx(vq, vq->avail_next);
	return 0;
}

void virtq_kick(struct virtq *vq)
{
	le16 flags;

	/*
	 * The device may say that it is awake and needs no kick. It says so, looks at avail->idx a
	 * last time, and goes to sleep only after taking it back. We write avail->idx and then look
	 * at what it says. If our look could overtake our write, both sides might look before
	 * either writes: we would not kick, it would sleep. A full barrier between write and look,
	 * on both sides, excludes that (virtio 2.7.13.4.1).
	 */
	atomic_thread_fence(memory_order_seq_cst);
	flags.raw = atomic_load_explicit(&vq->used->flags.raw, memory_order_relaxed);
	if (!(le16_to_cpu(flags) & VIRTQ_USED_F_NO_NOTIFY))
		mmio_kick(vq->dev, vq->index);
}

bool virtq_pending(const struct virtq *vq)
{
	return load_used_idx(vq) != vq->used_next;
}

int virtq_wait(struct virtq *vq)
{
	uint32_t eflags = interrupts_off();
	bool pending;

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
	atomic_store_explicit(&vq->avail->flags.raw, cpu_to_le16(VIRTQ_AVAIL_F_NO_INTERRUPT).raw,
		memory_order_relaxed);
}
