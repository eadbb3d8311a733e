/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: what it takes and what it gives back. How a chain is judged is
 * the same for both forms, and mostly tried in virtq.c. */
#include <pthread.h>
#include <sched.h>

#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED VIRTIO_BIT(VIRTIO_F_RING_PACKED)

static bool nothing_there(struct queue *q)
{
	struct chain chain;

	return virtq_pop(&q->vq, &chain) == 0;
}

/* --- enabling --------------------------------------------------------------------------------- */

static void test_size(void)
{
	static const uint32_t bad[] = {0, 65, 256, 32768, 65536, 65536 + 4, 1u << 31, UINT32_MAX};
	struct queue *q = queue_new(64, PACKED);
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(queue_refuses(q, bad[i], q->ring.desc, q->ring.avail, q->ring.used),
			"HARD-01 queue size %u is refused", bad[i]);
	for (uint32_t size = 1; size <= 64; size++)
		good += !queue_refuses(q, size, q->ring.desc, q->ring.avail, q->ring.used);
	is(good, 64, "PACK-DEV-17 (2.8) every size up to the maximum is taken");
	queue_free(q);
}

static void test_areas(void)
{
	struct queue *q = queue_new(16, PACKED);
	gpa_t desc = q->ring.desc, driver = q->ring.avail, device = q->ring.used;
	const gpa_t wrap = 0xffffffffffffffe0;

	ok(queue_refuses(q, 16, desc + 8, driver, device), "HARD-01 ring off by 8");
	ok(queue_refuses(q, 16, desc, driver + 2, device), "HARD-01 driver area off by 2");
	ok(queue_refuses(q, 16, desc, driver, device + 1), "HARD-01 device area off by 1");
	ok(!queue_refuses(q, 16, desc + 16, driver + 4, device + 4),
		"alignment of 16, 4 and 4 is enough");
	ok(queue_refuses(q, 16, RAM_END, driver, device), "HARD-01 ring in a hole");
	ok(queue_refuses(q, 16, desc, RAM_END, device), "HARD-01 driver area in a hole");
	ok(queue_refuses(q, 16, desc, driver, RAM_END), "HARD-01 device area in a hole");
	ok(queue_refuses(q, 16, ROM_BASE - 240, driver, device),
		"HARD-01 ring over the end of RAM");
	ok(!queue_refuses(q, 16, ROM_BASE - 256, driver, device),
		"HARD-01 ring up to the end of RAM");
	ok(queue_refuses(q, 16, ROM_BASE, driver, device), "HARD-01 ring in read-only memory");
	ok(queue_refuses(q, 16, desc, driver, ROM_BASE), "HARD-01 device area in read-only memory");
	ok(!queue_refuses(q, 16, desc, ROM_BASE, device),
		"HARD-01 but the driver area may be there");
	ok(queue_refuses(q, 16, wrap, driver, device), "HARD-02 ring wraps");
	queue_free(q);
}

static void test_enable_again(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	unsigned taken = 0;
	struct chain chain;

	for (unsigned i = 0; i < SIZE + 3; i++)
		queue_use(q, 1);
	ring_add_one(&q->ring, q->page, 8, true);
	virtq_pop(&q->vq, &chain);
	virtq_disable(&q->vq);
	ring_init(&q->ring, &q->ram, SIZE - 1, q->features);
	is(queue_enable(q), 0, "a queue that was stopped is enabled again, elsewhere, smaller");
	ring_add_one(&q->ring, q->page, 8, true);
	ok(virtq_pop(&q->vq, &chain) == 1 && chain.id == 0,
		"BASE-DEV-06 (2.6.1.1.1) and starts in slot 0, with a wrap counter of 1");
	virtq_push(&q->vq, &chain, 8);
	virtq_publish(&q->vq);
	ok(ring_pending(&q->ring), "BASE-DEV-06 (2.6.1.1.1) for used buffers too");
	for (unsigned i = 0; i < SIZE - 1; i++) {
		ring_add_one(&q->ring, q->page, 8, true);
		taken += virtq_pop(&q->vq, &chain) == 1;
	}
	is(taken, SIZE - 1, "BASE-DEV-06 (2.6.1.1.1) and what was in flight is forgotten");
	queue_free(q);
}

/* --- taking lists ----------------------------------------------------------------------------- */

static void test_pop(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	struct buffer buffers[] = {{q->page, 10, false}, {q->page + 100, 20, false},
		{q->page + 200, 30, true}, {q->page + 300, 40, true}};
	struct chain chain;

	ok(nothing_there(q), "PACK-DEV-01 (2.8.15) a ring of zeros has nothing available");
	ring_add(&q->ring, buffers, 4);
	is(virtq_pop(&q->vq, &chain), 1, "a list is there");
	ok(chain.readable_count == 2 && chain.readable_len == 30, "two readable segments");
	ok(chain.writable_count == 2 && chain.writable_len == 70, "two writable segments");
	ok(chain.readable[1].iov_base == ram_at(&q->ram, q->page + 100) &&
			chain.writable[0].iov_base == ram_at(&q->ram, q->page + 200),
		"PACK-DEV-10 (2.8.18) in the order of the list");
	is(chain.slots, 4, "of four slots");
	ok(nothing_there(q), "and only once");
	queue_free(q);
}

/* Of the four values that AVAIL and USED can have, one means available: another one in each lap. */
static void test_available(void)
{
	static const uint16_t bits[] = {
		0, VIRTQ_DESC_F_AVAIL, VIRTQ_DESC_F_USED, VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED};

	for (unsigned lap = 0; lap < 2; lap++) {
		for (unsigned i = 0; i < 4; i++) {
			struct queue *q = queue_new(1, PACKED);

			if (lap == 1)
				queue_use(q, 1);
			ring_set_slot(&q->ring, 0, q->page, 1, 0, bits[i]);
			is(!nothing_there(q), bits[i] == ring_avail_bits(lap == 0),
				"PACK-DEV-01 (2.8.15) lap %u, flags 0x%x", lap, bits[i]);
			queue_free(q);
		}
	}
}

/* The id is that of the last descriptor, and any number. */
static void test_id(void)
{
	static const uint16_t ids[] = {0, 7, 8, 255, 256, 0x7fff, 0x8000, 65535};
	struct queue *q = queue_new(SIZE, PACKED);
	struct chain chain;
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct used used;

		queue_again(q);
		ring_put(&q->ring, q->page, 1, ~ids[i], VIRTQ_DESC_F_NEXT);
		ring_put(&q->ring, q->page, 1, 1234, VIRTQ_DESC_F_NEXT);
		ring_put(&q->ring, q->page, 1, ids[i], 0);
		good += virtq_pop(&q->vq, &chain) == 1 && chain.id == ids[i];
		virtq_push(&q->vq, &chain, 0);
		virtq_publish(&q->vq);
		good += ring_take(&q->ring, &used) && used.id == ids[i];
	}
	is(good, 16, "PACK-DEV-04 (2.8.6) the last descriptor's id comes back, whatever it is");
	queue_free(q);
}

/* Lists of one to three descriptors, around rings in which they end at every slot. */
static void test_laps(void)
{
	static const uint16_t sizes[] = {1, 2, 3, 5, 7};
	unsigned wrong = 0, early = 0;

	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct queue *q = queue_new(sizes[s], PACKED);

		for (unsigned n = 0; n < 500; n++) {
			struct buffer buffers[3] = {
				{q->page, 1, false}, {q->page, 2, false}, {q->page, 3, true}};
			unsigned count = 1 + n / 2 % 3;
			struct chain chain;
			struct used used;
			uint16_t head;

			if (count > sizes[s])
				count = 1;
			early += !nothing_there(q);
			head = ring_add(&q->ring, buffers, count);
			wrong += virtq_pop(&q->vq, &chain) != 1 || chain.slots != count ||
				 chain.readable_count + chain.writable_count != count;
			early += !nothing_there(q);
			virtq_push(&q->vq, &chain, n);
			early += ring_pending(&q->ring);
			virtq_publish(&q->vq);
			wrong += !ring_take(&q->ring, &used) || used.id != head || used.len != n;
			wrong += ring_pending(&q->ring);
		}
		ok(ring_guards_intact(&q->ring), "nothing is written outside of a ring of %u",
			sizes[s]);
		queue_free(q);
	}
	is(wrong, 0, "PACK-DEV-02 PACK-DEV-17 (2.8.1) laps around rings of 1, 2, 3, 5 and 7");
	is(early, 0, "PACK-DEV-01 (2.8.15) nothing is seen before its time, in any lap");
}

static void test_wrap(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	unsigned good = 0;

	for (unsigned i = 0; i < 70000; i++) {
		struct chain chain;
		struct used used;
		uint16_t head = ring_add_one(&q->ring, q->page, 8, true);

		good += virtq_pop(&q->vq, &chain) == 1;
		virtq_push(&q->vq, &chain, i);
		good += virtq_publish(&q->vq) && ring_take(&q->ring, &used) && used.id == head &&
			used.len == i;
	}
	is(good, 140000, "70000 buffers");
	queue_free(q);
}

/* --- giving them back ------------------------------------------------------------------------- */

/* Three lists of 2, 3 and 1 slots come back in another order: used descriptors are where the lists
 * of this order would begin, and overwrite what is still in flight. */
static void test_out_of_order(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	struct chain chains[3];
	struct used used;

	ring_put(&q->ring, q->page, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&q->ring, q->page + 1, 1, 20, VIRTQ_DESC_F_WRITE);
	ring_put(&q->ring, q->page + 2, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&q->ring, q->page + 3, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&q->ring, q->page + 4, 1, 30, 0);
	ring_put(&q->ring, q->page + 5, 1, 10, VIRTQ_DESC_F_WRITE);
	q->ring.list_slots[20] = 2;
	q->ring.list_slots[30] = 3;
	q->ring.list_slots[10] = 1;
	for (unsigned i = 0; i < 3; i++)
		virtq_pop(&q->vq, &chains[i]);
	ok(chains[0].id == 20 && chains[1].id == 30 && chains[2].id == 10,
		"PACK-DEV-08 (2.8.12) lists are taken in the order of the ring");

	virtq_push(&q->vq, &chains[1], 5);
	virtq_publish(&q->vq);
	is(ring_slot_flags(&q->ring, 0), ring_used_bits(true),
		"PACK-DEV-09 (2.8.12) the first that comes back is the first used descriptor");
	ok(ring_slot_flags(&q->ring, 1) == (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_WRITE) &&
			ring_slot_flags(&q->ring, 2) == (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_NEXT),
		"PACK-DEV-03 (2.8.6) the only one for its three slots");
	for (unsigned i = 1; i < 3; i++)
		ring_set_slot(&q->ring, i, UINT64_MAX, UINT32_MAX, 999, 0);
	virtq_push(&q->vq, &chains[2], 6);
	virtq_push(&q->vq, &chains[0], 7);
	virtq_publish(&q->vq);
	is(ring_slot_flags(&q->ring, 3), ring_used_bits(true) | VIRTQ_DESC_F_WRITE,
		"PACK-DEV-03 (2.8.6) the next one is behind them");
	ok(ring_take(&q->ring, &used) && used.id == 30 && used.len == 5, "the driver finds one");
	ok(ring_take(&q->ring, &used) && used.id == 10 && used.len == 6, "another");
	ok(ring_take(&q->ring, &used) && used.id == 20 && used.len == 7,
		"PACK-DEV-21 (2.8.6) and the one whose slots were overwritten while it was in "
		"flight");
	ok(!ring_take(&q->ring, &used), "no more");
	queue_free(q);
}

static void test_push(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	struct chain chains[3];
	uint16_t before[3];

	ring_add_one(&q->ring, q->page, 8, false);
	ring_add_one(&q->ring, q->page, 8, true);
	ring_add_one(&q->ring, q->page, 8, true);
	for (unsigned i = 0; i < 3; i++) {
		before[i] = ring_slot_flags(&q->ring, i);
		virtq_pop(&q->vq, &chains[i]);
		virtq_push(&q->vq, &chains[i], i);
	}
	is(ring_slot_flags(&q->ring, 0), before[0],
		"PACK-DEV-20 (2.8.2) before it is published, the first of a batch looks available");
	ok(virtq_publish(&q->vq), "PACK-DEV-11 (2.8.10) the driver is to be notified");
	is(ring_slot_flags(&q->ring, 0), ring_used_bits(true),
		"PACK-DEV-13 (2.8.3) no WRITE for a list of readable elements");
	is(ring_slot_flags(&q->ring, 2), ring_used_bits(true) | VIRTQ_DESC_F_WRITE,
		"PACK-DEV-13 (2.8.3) WRITE for one that can be written");
	ok(!virtq_publish(&q->vq), "nothing new: no notification");
	queue_free(q);
}

/* --- two threads ------------------------------------------------------------------------------ */

#define STRESS 20000

static void test_order(void)
{
	struct queue *q = queue_new(5, PACKED);
	uint32_t *words = ram_at(&q->ram, q->page);
	unsigned wrong = 0, changed = 0;
	struct queue_server server = {.queue = q};
	pthread_t thread;

	pthread_create(&thread, NULL, queue_serve, &server);
	for (uint32_t i = 0; i < STRESS; i++) {
		struct buffer echo[] = {{q->page, 4, false}, {q->page + 4, 4, true}};
		struct ring_position at;
		struct used used;
		uint16_t head;

		words[0] = i;
		words[1] = ~i;
		head = ring_add(&q->ring, echo, 2);
		at = q->ring.take;
		while (!ring_take(&q->ring, &used))
			sched_yield();
		wrong += used.id != head || used.len != i || words[1] != i;
		changed += ring_slot_flags(&q->ring, at.slot) != used.flags;
	}
	server.stop = true;
	pthread_join(thread, NULL);
	is(wrong, 0, "HARD-22 PACK-DEV-20 (2.8.2) a polling driver sees a used descriptor whole");
	is(changed, 0, "PACK-DEV-06 (2.8.15) it does not change any more");
	queue_free(q);
}

int main(void)
{
	test_size();
	test_areas();
	test_enable_again();
	test_pop();
	test_available();
	test_id();
	test_laps();
	test_wrap();
	test_out_of_order();
	test_push();
	test_order();
	return tap_done();
}
