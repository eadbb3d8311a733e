/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: lists that no driver may make, and a driver that changes one
 * while it is read. */
#include <pthread.h>

#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED VIRTIO_BIT(VIRTIO_F_RING_PACKED)

static void test_forged(void)
{
	const uint16_t next = VIRTQ_DESC_F_NEXT;
	struct queue *q = queue_new(SIZE, PACKED);
	struct chain chain;

	for (unsigned i = 0; i < SIZE; i++)
		ring_put(&q->ring, q->page, 1, 0, next);
	ok(queue_faults(q, "goes on in slot 0, which is not available (virtio 2.8.17)"),
		"HARD-19 HARD-05 a list without an end, as available as one lap can be");

	queue_again(q);
	ring_put(&q->ring, q->page, 1, 0, next);
	ok(queue_faults(q, "goes on in slot 1, which is not available (virtio 2.8.17)"),
		"HARD-19 PACK-DRV-02 (2.8.17) a list that is not all there");
	queue_again(q);
	ring_put(&q->ring, q->page, 1, 0, next);
	ring_set_slot(&q->ring, 1, q->page, 1, 0, ring_used_bits(true));
	ok(queue_faults(q, "goes on in slot 1"), "HARD-19 PACK-DRV-06 (2.8.1) in other bits");

	/* Slots 6, 7 and 0, of which 0 is in flight: made available early, for the next lap. */
	queue_again(q);
	for (unsigned i = 0; i < 6; i++) {
		ring_add_one(&q->ring, q->page, 1, false);
		virtq_pop(&q->vq, &chain);
	}
	for (unsigned i = 0; i < 3; i++)
		ring_put(&q->ring, q->page, 1, 0, i < 2 ? next : 0);
	ok(queue_faults(q, "list from slot 6 needs more than the 2 slots that are free"),
		"HARD-19 PACK-DRV-04 (2.8.17) a list over slots in flight");

	/* Lists count with all of their slots, when they are taken and when they come back. */
	queue_again(q);
	for (unsigned i = 0; i < 3; i++) {
		struct buffer two[] = {{q->page, 1, false}, {q->page, 1, true}};
		struct used used;

		ring_add(&q->ring, two, 2);
		virtq_pop(&q->vq, &chain);
		virtq_push(&q->vq, &chain, 1);
		virtq_publish(&q->vq);
		ring_take(&q->ring, &used);
	}
	for (unsigned i = 0; i < 2; i++) {
		ring_put(&q->ring, q->page, 1, 0, next);
		ring_put(&q->ring, q->page, 1, 0, 0);
		virtq_pop(&q->vq, &chain);
	}
	for (unsigned i = 0; i < SIZE; i++)
		ring_put(&q->ring, q->page, 1, 0, next);
	ok(queue_faults(q, "list from slot 2 needs more than the 4 slots that are free"),
		"HARD-19 PACK-DRV-04 (2.8.17) a list over lists in flight");

	/* Slots whose use was not published yet are not free either: else a pass might never
	 * end. */
	queue_again(q);
	for (unsigned i = 0; i < SIZE; i++) {
		ring_add_one(&q->ring, q->page, 1, false);
		virtq_pop(&q->vq, &chain);
		virtq_push(&q->vq, &chain, 0);
	}
	ring_put(&q->ring, q->page, 1, 0, 0);
	ok(queue_faults(q, "needs more than the 0 slots that are free"),
		"HARD-18 HARD-19 a buffer more before one was seen used");

	queue_again(q);
	for (unsigned i = 0; i < SIZE; i++)
		ring_put(&q->ring, q->page, 1, 0, i + 1 < SIZE ? next : 0);
	is(virtq_pop(&q->vq, &chain), 1, "PACK-DEV-19 (2.8.18) a list may be as long as the ring");
	is(chain.readable_count, SIZE, "all segments are there");
	queue_free(q);
}

static void test_elements(void)
{
	const uint16_t next = VIRTQ_DESC_F_NEXT, write = VIRTQ_DESC_F_WRITE;
	struct queue *q = queue_new(SIZE, PACKED);
	struct chain chain;

	ring_put(&q->ring, q->page, 1, 0, write | next);
	ring_put(&q->ring, q->page, 1, 0, 0);
	ok(queue_faults(q, "after a device-writable one (virtio 2.8.17)"),
		"HARD-10 readable after writable is refused");
	queue_again(q);
	ring_put(&q->ring, ROM_BASE, 16, 0, write);
	ok(queue_faults(q, "not in writable RAM (virtio 2.8.4)"),
		"HARD-10 a buffer to be written in read-only memory");
	queue_again(q);
	ring_put(&q->ring, RAM_END - 1, 2, 0, 0);
	ok(queue_faults(q, "not in RAM (virtio 2.8.4)"), "HARD-09 a buffer over the end of memory");
	queue_again(q);
	ring_put(&q->ring, UINT64_MAX, 0, 0, next);
	ring_put(&q->ring, q->page, 4, 0, next);
	ring_put(&q->ring, 1, 0, 0, write);
	ok(virtq_pop(&q->vq, &chain) == 1 && chain.readable_count == 1 && chain.writable_len == 0 &&
			chain.slots == 3,
		"HARD-11 empty elements count as slots, and as nothing else");
	queue_free(q);
}

/* --- a driver that changes its mind ----------------------------------------------------------- */

struct toggler {
	struct queue *queue;
	atomic_bool stop;
};

/* Changes slot 0 between harmless and hostile, field by field, as fast as it can. */
static void *toggle(void *arg)
{
	struct toggler *t = arg;
	struct virtq_packed_desc *desc = ram_at(&t->queue->ram, t->queue->ring.desc);

	for (unsigned i = 0; !t->stop; i++) {
		bool bad = i & 1;
		uint16_t flags =
			ring_avail_bits(true) | (bad ? VIRTQ_DESC_F_NEXT : VIRTQ_DESC_F_WRITE);

		__atomic_store_n(&desc->addr.raw, bad ? RAM_END : t->queue->page, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->len.raw, bad ? UINT32_MAX : 16, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->id.raw, i, __ATOMIC_RELAXED);
		atomic_store_explicit(&desc->flags.raw, i & 2 ? flags : 0, memory_order_relaxed);
	}
	return NULL;
}

static void test_double_fetch(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	struct toggler t = {.queue = q};
	unsigned insane = 0, taken = 0, refused = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, toggle, &t);
	while (taken < 5000 || refused < 5000) {
		struct chain chain;
		int got;

		q->vq.packed.avail = (struct virtq_position){0, true};
		q->vq.packed.outstanding = 0;
		got = virtq_pop(&q->vq, &chain);
		refused += got < 0;
		if (got == 1) {
			taken++;
			insane += !queue_sane(q, &chain) || chain.slots != 1;
		}
	}
	t.stop = true;
	pthread_join(thread, NULL);
	is(insane, 0, "HARD-08 a slot that changes under our eyes (%u taken, %u refused)", taken,
		refused);
	queue_free(q);
}

int main(void)
{
	test_forged();
	test_elements();
	test_double_fetch();
	return tap_done();
}
