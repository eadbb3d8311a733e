/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_RING_H
#define GUEST_RING_H

/*
 * The interface that each virtqueue format implements for virtq.c. For virtq.c, split.c and
 * packed.c alone.
 *
 * The device runs while we do, on another CPU, so the order of our accesses to what we share with
 * it matters (virtio 2.7.13, 2.7.14, 2.8.21). Each partner of ours is on the device's side; in vole
 * that is virtio/ and the function of that name.
 *
 *	ours			order	partner	why
 *	making available	release	pop	the chain is in memory before the device sees it
 *	looking for used	acquire	publish	id, length and data are read after it
 *	virtq_kick()		barrier	listen	between making available and the look whether to
 *						kick
 *	virtq_interrupts_on()	barrier	publish	between asking for an interrupt and the look for
 *						used
 *
 * On x86 release and acquire cost nothing but keep the compiler from moving things; a full barrier
 * is an instruction.
 */

#include "virtq_state.h"

/* Buffers, those that the device reads first. */
struct list {
	const struct virtq_buffer *buffers;
	unsigned readable, count; /* of them; all */
	bool indirect;            /* to be described in a table */
};

/* A virtqueue format. */
struct virtq_ring_ops {
	/* Say where the areas are; all is zero. */
	void (*init)(struct virtq *vq);

	/* Make the list available, for which there is room. Its id. */
	uint16_t (*add)(struct virtq *vq, const struct list *list);

	/* Whether the device wants a kick for what was added since the last call. */
	bool (*wants_kick)(struct virtq *vq);

	/* Where the next list will be made available, as in virtio 2.9. */
	uint16_t (*position)(const struct virtq *vq);

	/* Whether there is a used request where the next one is due; what the device says of it. */
	bool (*pending)(const struct virtq *vq);
	struct virtq_used_request (*used)(const struct virtq *vq);

	/* The request with this id is back, its entries are free. The next one is due behind it. */
	void (*release)(struct virtq *vq, uint16_t id);

	/* Ask for an interrupt with the next used request, or for none. */
	void (*interrupts)(struct virtq *vq, bool wanted);
};

/* Flags of the list's element number n: of all flags those that both formats have in common. */
static inline uint16_t list_flags(const struct list *list, unsigned n)
{
	uint16_t flags = n < list->readable ? 0 : VIRTQ_DESC_F_WRITE;

	return flags | (n + 1 < list->count ? VIRTQ_DESC_F_NEXT : 0);
}

/* Stores before it are visible before loads after it look. It is atomic_thread_fence(
 * memory_order_seq_cst), in a spelling that gcc's thread sanitizer takes. */
static inline void full_barrier(void)
{
	__sync_synchronize();
}

#endif
