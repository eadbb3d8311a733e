/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

#include <stdatomic.h>
#include <stddef.h>

#include "error.h"
#include "irq.h"
#include "packed.h"
#include "printf.h"
#include "ring.h"
#include "split.h"
#include "string.h"
#include "x86.h"

void virtq_init(struct virtq *vq, struct mmio *dev, unsigned index, uint32_t size_max)
{
	memset(vq, 0, offsetof(struct virtq, tables));
	vq->dev = dev;
	vq->index = index;
	vq->size = VIRTQ_SIZE;
	while (vq->size > size_max)
		vq->size /= 2;
	vq->ring = mmio_has_feature(dev, VIRTIO_F_RING_PACKED) ? &virtq_packed_format
							       : &virtq_split_format;
	vq->indirect = mmio_has_feature(dev, VIRTIO_F_INDIRECT_DESC);
	vq->event_idx = mmio_has_feature(dev, VIRTIO_F_EVENT_IDX);
	vq->in_order = mmio_has_feature(dev, VIRTIO_F_IN_ORDER);
	vq->free_count = vq->size;
	for (uint16_t i = 0; i < vq->size; i++)
		vq->ids[i] = i;
	vq->ring->init(vq);
}

int virtq_setup(struct virtq *vq, struct mmio *dev, unsigned index)
{
	uint32_t size_max;
	int error = mmio_queue_select(dev, index, &size_max);

	if (error)
		return error;
	virtq_init(vq, dev, index, size_max);
	return mmio_queue_enable(
		dev, index, &(struct mmio_queue){vq->size, vq->desc, vq->driver, vq->device});
}

int virtq_add(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, void *request)
{
	struct list list = {buffers, readable, readable + writable, false};
	uint16_t needed = list.count, id;
	uint32_t writable_len = 0;

	if (!list.count)
		return -EINVAL;
	if (vq->indirect && list.count > 1 && list.count <= VIRTQ_TABLE_SIZE) {
		list.indirect = true;
		needed = 1;
	}
	if (needed > vq->free_count)
		return -ENOSPC;
	for (unsigned n = readable; n < list.count; n++)
		writable_len += buffers[n].len;

	id = vq->ring->add(vq, &list);
	vq->requests[id] = (struct virtq_request){request, needed, writable_len};
	vq->free_count -= needed;
	vq->ids[vq->added % vq->size] = id;
	vq->added++;
	return 0;
}

void virtq_kick(struct virtq *vq)
{
	/*
	 * The device may say that it is awake and needs no kick. It says so, looks at the ring a
	 * last time, and goes to sleep only after taking it back. We made something available, and
	 * then look at what it says. If our look could overtake our store, both sides might look
	 * before either stores: we would not kick, it would sleep. A full barrier between store and
	 * look, on both sides, excludes that (virtio 2.7.13.4.1, 2.8.21.3.1).
	 */
	full_barrier();
	if (vq->ring->wants_kick(vq))
		mmio_kick(vq->dev, vq->index, vq->ring->position(vq));
}

bool virtq_pending(const struct virtq *vq)
{
	return vq->in_batch || vq->ring->pending(vq);
}

bool virtq_interrupts_on(struct virtq *vq)
{
	/* As in virtq_kick(), the other way round: we say that we want an interrupt, then look; the
	 * device gives something back, then looks whether we want one. */
	vq->ring->interrupts(vq, true);
	full_barrier();
	return virtq_pending(vq);
}

void virtq_interrupts_off(struct virtq *vq)
{
	vq->ring->interrupts(vq, false);
}

int virtq_wait(struct virtq *vq)
{
	uint32_t eflags = interrupts_off();
	bool pending = virtq_interrupts_on(vq);

	while (!pending && !atomic_load(&vq->dev->failed)) {
		irq_wait();
		pending = virtq_pending(vq);
	}
	interrupts_restore(eflags);
	return pending ? 0 : -EIO;
}

/* What the device says about the next request that it is done with. False if that cannot be: then
 * it has failed, and nothing more is taken from it. */
static bool load_used(struct virtq *vq)
{
	const struct virtq_request *request;

	vq->used = vq->ring->used(vq);
	request = vq->used.id < vq->size ? &vq->requests[vq->used.id] : NULL;
	if (request && request->request && vq->used.len <= request->writable)
		return true;

	/* Once, and not by printf(): it may be the console's transmit queue, and printf()
	 * waiting. */
	if (atomic_exchange(&vq->dev->failed, true))
		return false;
	debug_printf("virtio at %08x: queue %u: used element %u ", vq->dev->base, vq->index,
		vq->used.id);
	if (!request || !request->request)
		debug_printf("was never made available\n");
	else
		debug_printf("has %u bytes, of at most %u\n", vq->used.len, request->writable);
	return false;
}

void *virtq_take(struct virtq *vq, uint32_t *len)
{
	struct virtq_request *taken;
	uint16_t id;
	void *request;

	if (!virtq_pending(vq) || (!vq->in_batch && !load_used(vq)))
		return NULL;
	id = vq->used.id;
	*len = vq->used.len;

	/* In order, what the device names stands for all before it, too. Those were written
	 * completely (virtio 2.7.9, 2.8.8). */
	if (vq->in_order) {
		id = vq->ids[vq->taken % vq->size];
		vq->in_batch = id != vq->used.id;
		if (vq->in_batch)
			*len = vq->requests[id].writable;
	}

	taken = &vq->requests[id];
	request = taken->request;
	vq->ring->release(vq, id);
	vq->free_count += taken->count;
	*taken = (struct virtq_request){0};
	vq->ids[vq->taken % vq->size] = id;
	vq->taken++;
	return request;
}

int virtq_exchange(struct virtq *vq, const struct virtq_buffer *buffers, unsigned readable,
	unsigned writable, uint32_t *len)
{
	int error = virtq_add(vq, buffers, readable, writable, vq);

	if (error)
		return error;
	virtq_kick(vq);
	error = virtq_wait(vq);
	if (!error && !virtq_take(vq, len))
		error = -EIO;
	return error;
}
