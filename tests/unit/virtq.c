/* SPDX-License-Identifier: BSD-2-Clause */
/* Split virtqueues: enabling them, taking chains, and giving them back (virtio 2.7). */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../virtq_fixture.h"

/* --- enabling --------------------------------------------------------------------------------- */

static void test_size(void)
{
	static const uint32_t bad[] = {
		0, 3, 5, 63, 65, 96, 128, 32768, 65536, 65536 + 4, 1u << 31, UINT32_MAX};
	struct queue *q = queue_new(64, 0);
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char word[40];

		snprintf(word, sizeof word, "queue size %u is not a power", bad[i]);
		ok(queue_refuses(q, bad[i], q->ring.desc, q->ring.avail, q->ring.used) &&
				strstr(q->vq.fault, word),
			"HARD-01 queue size %u is refused", bad[i]);
	}
	for (uint32_t size = 1; size <= 64; size *= 2)
		good += !queue_refuses(q, size, q->ring.desc, q->ring.avail, q->ring.used);
	is(good, 7, "SPLIT-DEV-19 (2.7) powers of two up to the maximum are taken");
	queue_free(q);
}

static void test_alignment(void)
{
	struct queue *q = queue_new(16, 0);
	gpa_t desc = q->ring.desc, avail = q->ring.avail, used = q->ring.used;

	ok(queue_refuses(q, 16, desc + 1, avail, used), "HARD-01 descriptor table off by 1");
	ok(queue_refuses(q, 16, desc + 8, avail, used), "HARD-01 descriptor table off by 8");
	ok(queue_refuses(q, 16, desc, avail + 1, used), "HARD-01 available ring off by 1");
	ok(queue_refuses(q, 16, desc, avail, used + 1), "HARD-01 used ring off by 1");
	ok(queue_refuses(q, 16, desc, avail, used + 2), "HARD-01 used ring off by 2");
	ok(!queue_refuses(q, 16, desc + 16, avail + 2, used + 4),
		"alignment of 16, 2 and 4 is enough");
	queue_free(q);
}

static void test_area(void)
{
	struct queue *q = queue_new(16, 0);
	gpa_t desc = q->ring.desc, avail = q->ring.avail, used = q->ring.used;
	const gpa_t wrap = 0xffffffffffffffe0;

	ok(queue_refuses(q, 16, RAM_END, avail, used), "HARD-01 descriptor table in a hole");
	ok(queue_refuses(q, 16, desc, RAM_END, used), "HARD-01 available ring in a hole");
	ok(queue_refuses(q, 16, desc, avail, RAM_END), "HARD-01 used ring in a hole");
	ok(queue_refuses(q, 16, RAM_END - 16, avail, used),
		"HARD-01 descriptor table over the end");
	ok(queue_refuses(q, 16, desc, RAM_END - 36, used),
		"HARD-01 available ring 2 bytes over the end");
	ok(!queue_refuses(q, 16, desc, RAM_END - 38, used), "HARD-01 available ring up to the end");
	ok(queue_refuses(q, 16, desc, avail, ROM_BASE - 4),
		"HARD-01 used ring in the last bytes of RAM");
	ok(queue_refuses(q, 16, desc, avail, ROM_BASE - 132),
		"HARD-01 used ring 2 bytes over its end");
	ok(!queue_refuses(q, 16, desc, avail, ROM_BASE - 136), "HARD-01 used ring up to its end");
	ok(queue_refuses(q, 16, wrap, avail, used), "HARD-02 descriptor table wraps");
	ok(queue_refuses(q, 16, desc, wrap, used), "HARD-02 available ring wraps");
	ok(queue_refuses(q, 16, desc, avail, wrap), "HARD-02 used ring wraps");
	ok(!queue_refuses(q, 16, ROM_BASE - 16, avail, used),
		"HARD-02 a table over two regions is taken");
	ok(queue_refuses(q, 16, desc, avail, ROM_BASE - 16),
		"HARD-02 a used ring over RAM and ROM is not");
	ok(queue_refuses(q, 16, desc, avail, ROM_BASE),
		"a used ring in read-only memory is refused");
	queue_free(q);
}

/* --- taking chains ---------------------------------------------------------------------------- */

static void test_pop(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct buffer buffers[] = {{q->page, 10, false}, {q->page + 100, 20, false},
		{q->page + 200, 30, true}, {q->page + 300, 40, true}};
	struct chain chain;
	uint16_t head;

	is(virtq_pop(&q->vq, &chain), 0, "SPLIT-DEV-10 (2.7.10.2) nothing is there");
	q->ring.desc_next = 6; /* so that the chain is 6, 7, 0, 1 */
	head = ring_add(&q->ring, buffers, 4);
	is(virtq_pop(&q->vq, &chain), 1, "a chain is there");
	is(chain.id, head, "SPLIT-DEV-14 (2.7.8) with its head, which is not the lowest index");
	is(chain.readable_count, 2, "two readable segments");
	is(chain.readable_len, 30, "of 30 bytes");
	is(chain.writable_count, 2, "two writable segments");
	is(chain.writable_len, 70, "of 70 bytes");
	ok(chain.readable[1].iov_base == ram_at(&q->ram, q->page + 100), "in place");
	ok(chain.writable[0].iov_base == ram_at(&q->ram, q->page + 200), "both of them");
	is(virtq_pop(&q->vq, &chain), 0, "and only once");
	queue_free(q);
}

static void test_full_chain(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct buffer buffers[SIZE];
	struct chain chain;

	for (unsigned i = 0; i < SIZE; i++)
		buffers[i] = (struct buffer){q->page + 2 * i + 1, 1, i >= 4};
	ring_add(&q->ring, buffers, SIZE);
	is(virtq_pop(&q->vq, &chain), 1,
		"SPLIT-DEV-17 (2.7.4.1) a chain may be as long as the queue");
	is(chain.readable_count + chain.writable_count, SIZE, "all segments are there");
	ok((uintptr_t)chain.readable[0].iov_base % 2 == 1, "HARD-27 odd addresses are fine");
	queue_free(q);
}

static void test_zero_length(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct buffer mixed[] = {{UINT64_MAX, 0, false}, {q->page, 4, false}, {RAM_END, 0, false},
		{RAM_END, 0, true}, {q->page + 8, 4, true}, {1, 0, true}};
	struct buffer empty[] = {{q->page, 0, false}, {q->page, 0, true}};
	struct buffer swapped[] = {{q->page, 0, true}, {q->page, 4, false}};
	struct chain chain;

	ring_add(&q->ring, mixed, 6);
	is(virtq_pop(&q->vq, &chain), 1, "HARD-11 empty elements anywhere, wherever they point");
	is(chain.readable_count, 1, "HARD-11 are no readable segments");
	is(chain.writable_count, 1, "HARD-11 nor writable ones");
	ok(chain.writable->iov_base == ram_at(&q->ram, q->page + 8),
		"HARD-11 those left are right");

	queue_again(q);
	ring_add(&q->ring, empty, 2);
	is(virtq_pop(&q->vq, &chain), 1, "HARD-11 a chain of nothing else");
	is(chain.readable_len + chain.writable_len, 0, "HARD-11 has no bytes");

	queue_again(q);
	ring_add(&q->ring, swapped, 2);
	ok(queue_faults(q, "2.7.4.2"), "HARD-10 an empty element has a direction too");
	queue_free(q);
}

static void test_index_jump(void)
{
	static const uint16_t start = 5;
	struct queue *q = queue_new(SIZE, 0);
	const uint16_t bad[] = {start + SIZE + 1, start - 1, start + 0x8000, start + 0xffff - SIZE};
	struct chain chain;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		queue_again(q);
		for (unsigned n = 0; n < start; n++) {
			ring_add_one(&q->ring, q->page, 1, false);
			virtq_pop(&q->vq, &chain);
			virtq_push(&q->vq, &chain, 0);
		}
		virtq_publish(&q->vq);
		ring_set_avail_idx(&q->ring, bad[i]);
		ok(queue_faults(q, "available index jumps from 5 to"),
			"HARD-03 index jumps from 5 to %u", bad[i]);
	}
	is(q->vq.split.used_shown, 5, "HARD-03 nothing else happened");
	queue_free(q);
}

static void test_outstanding(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct chain chain;

	for (unsigned i = 0; i < SIZE; i++)
		ring_add_one(&q->ring, q->page, 1, false);
	is(virtq_pop(&q->vq, &chain), 1, "as many buffers as descriptors");
	virtq_push(&q->vq, &chain, 0);
	ring_offer(&q->ring, 0);
	ok(queue_faults(q, "9 buffers are outstanding with queue size 8"),
		"HARD-18 one more before one came back");
	virtq_publish(&q->vq);
	is(virtq_pop(&q->vq, &chain), 1, "but after it came back it may come again");
	queue_free(q);
}

static void test_head(void)
{
	static const uint16_t bad[] = {SIZE, SIZE + 1, 0x8000, 0xffff};
	struct queue *q = queue_new(SIZE, 0);

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		queue_again(q);
		ring_offer(&q->ring, bad[i]);
		ok(queue_faults(q, "queue size is 8 (virtio 2.7.6)"), "HARD-04 head %u", bad[i]);

		queue_again(q);
		ring_set_desc(&q->ring, 0, q->page, 1, VIRTQ_DESC_F_NEXT, bad[i]);
		ring_offer(&q->ring, 0);
		ok(queue_faults(q, "its table has 8 (virtio 2.7.5)"), "HARD-04 next %u", bad[i]);
	}
	/* Without NEXT, next means nothing. */
	queue_again(q);
	ring_set_desc(&q->ring, 0, q->page, 1, 0, 0xffff);
	ring_offer(&q->ring, 0);
	is(virtq_pop(&q->vq, &(struct chain){0}), 1, "HARD-04 next without NEXT is not looked at");
	queue_free(q);
}

static void test_loop(void)
{
	struct queue *q = queue_new(SIZE, 0);

	ring_set_desc(&q->ring, 3, q->page, 1, VIRTQ_DESC_F_NEXT, 3);
	ring_offer(&q->ring, 3);
	ok(queue_faults(q, "chain from descriptor 3 loops"),
		"HARD-05 a descriptor that is its own next");

	queue_again(q);
	ring_set_desc(&q->ring, 0, q->page, 1, VIRTQ_DESC_F_NEXT, 1);
	ring_set_desc(&q->ring, 1, q->page, 1, VIRTQ_DESC_F_NEXT, 0);
	ring_offer(&q->ring, 0);
	ok(queue_faults(q, "loops"), "HARD-05 two descriptors in a circle");

	queue_again(q);
	ring_set_desc(&q->ring, 0, q->page, 0, VIRTQ_DESC_F_NEXT, 1);
	ring_set_desc(&q->ring, 1, q->page, 0, VIRTQ_DESC_F_NEXT, 0);
	ring_offer(&q->ring, 0);
	ok(queue_faults(q, "loops"), "HARD-05 a circle of empty descriptors");

	queue_again(q);
	for (unsigned i = 0; i < SIZE; i++)
		ring_set_desc(&q->ring, i, q->page, 1, VIRTQ_DESC_F_NEXT, (i + 1) % SIZE);
	ring_offer(&q->ring, 0);
	ok(queue_faults(q, "loops"), "HARD-05 a circle of all descriptors");
	queue_free(q);

	q = queue_new(VIRTQ_SIZE_MAX, 0);
	for (unsigned i = 0; i < VIRTQ_SIZE_MAX; i++)
		ring_set_desc(&q->ring, i, q->page, 1, VIRTQ_DESC_F_NEXT, (i + 1) % VIRTQ_SIZE_MAX);
	ring_offer(&q->ring, 0);
	ok(queue_faults(q, "loops"),
		"HARD-05 SPLIT-DEV-17 (2.7.4.1) one descriptor more than a chain may have");
	queue_free(q);
}

static void test_no_indirect(void)
{
	static const uint16_t flags[] = {VIRTQ_DESC_F_INDIRECT,
		VIRTQ_DESC_F_INDIRECT | VIRTQ_DESC_F_NEXT,
		VIRTQ_DESC_F_INDIRECT | VIRTQ_DESC_F_WRITE};
	struct queue *q = queue_new(SIZE, 0);

	for (unsigned i = 0; i < 3; i++) {
		queue_again(q);
		ring_set_desc(&q->ring, 0, q->page, 16, flags[i], 1);
		ring_offer(&q->ring, 0);
		ok(queue_faults(q, "INDIRECT_DESC was not negotiated"),
			"SPLIT-DRV-10 (2.7.5.3.1) flags %u are refused", flags[i]);
	}
	queue_free(q);
}

/* --- giving them back ------------------------------------------------------------------------- */

static void test_push(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct chain first, second;
	struct used used;
	uint16_t heads[2];
	void *table;

	heads[0] = ring_add_one(&q->ring, q->page, 8, true);
	heads[1] = ring_add_one(&q->ring, q->page, 8, true);
	table = malloc(VIRTQ_DESC_BYTES(SIZE));
	memcpy(table, ram_at(&q->ram, q->ring.desc), VIRTQ_DESC_BYTES(SIZE));
	virtq_pop(&q->vq, &first);
	virtq_pop(&q->vq, &second);
	virtq_push(&q->vq, &second, 7);
	virtq_push(&q->vq, &first, 0x12345678);
	ok(!ring_take(&q->ring, &used),
		"SPLIT-DEV-03 (2.7.8.2) nothing shows before it is published");
	ok(virtq_publish(&q->vq), "SPLIT-DEV-06 (2.7.7.2) flags 0: the driver is to be notified");
	ok(ring_take(&q->ring, &used), "there is a used element");
	is(used.id, heads[1], "SPLIT-DEV-14 (2.7.8) with the head of the chain pushed first");
	is(used.len, 7, "and its length");
	ok(ring_take(&q->ring, &used) && used.id == heads[0] && used.len == 0x12345678,
		"and the other");
	ok(!ring_take(&q->ring, &used), "no more");
	ok(!virtq_publish(&q->vq), "SPLIT-DEV-13 (2.7.7.2) nothing new: no notification");
	ok(memcmp(table, ram_at(&q->ram, q->ring.desc), VIRTQ_DESC_BYTES(SIZE)) == 0,
		"SPLIT-DEV-04 (2.7.5.1) the descriptor table is as it was");
	free(table);
	queue_free(q);
}

static void test_wrap(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct used used;
	unsigned good = 0;

	for (unsigned i = 0; i < 70000; i++)
		good += one(q) && ring_take(&q->ring, &used) && used.id == i % SIZE;
	is(good, 70000, "SPLIT-DEV-06 (2.7.7.2) indices run over 65536");
	ok(ring_guards_intact(&q->ring), "nothing is written outside the three areas");
	queue_free(q);
}

static void test_suppression(void)
{
	struct queue *q = queue_new(SIZE, 0);
	unsigned notifications = 0;

	ring_set_avail_event(&q->ring, 0x5a5a);
	ring_set_avail_flags(&q->ring, VIRTQ_AVAIL_F_NO_INTERRUPT);
	for (unsigned i = 0; i < 1000; i++) {
		ring_set_used_event(&q->ring, i); /* would hit each time, with EVENT_IDX */
		notifications += one(q);
	}
	is(notifications, 0, "SPLIT-DEV-13 (2.7.7.2) flags 1: no notification for 1000 buffers");
	is(notifications, 0, "RES-DEV-07 (6) used_event has no meaning without EVENT_IDX");

	ring_set_avail_flags(&q->ring, 0);
	for (unsigned i = 0; i < 1000; i++) {
		ring_set_used_event(&q->ring, 0xdead); /* would never hit */
		notifications += one(q);
	}
	virtq_silence(&q->vq);
	virtq_listen(&q->vq);
	is(notifications, 1000, "SPLIT-DEV-11 (2.7.7.2) flags 0: 1000, whatever used_event says");
	is(ring_avail_event(&q->ring), 0x5a5a, "SPLIT-DEV-20 (2.7.10) avail_event is not written");
	queue_free(q);
}

static void test_kicks(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct chain chain;

	is(ring_used_flags(&q->ring), 0, "SPLIT-DEV-12 (2.7.10.2) at first kicks are wanted");
	virtq_silence(&q->vq);
	is(ring_used_flags(&q->ring), 1, "SPLIT-DEV-16 (2.7.10.2) not while the queue is served");
	ok(!virtq_listen(&q->vq), "nothing came meanwhile");
	is(ring_used_flags(&q->ring), 0, "SPLIT-DEV-12 (2.7.10.2) they are wanted again");

	virtq_silence(&q->vq);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(virtq_listen(&q->vq), "SPLIT-DEV-16 (2.7.10.2) what came meanwhile is seen");

	virtq_silence(&q->vq);
	ok(!virtq_listen(&q->vq), "a chain that waits is not new, so nobody spins for it");
	virtq_silence(&q->vq);
	virtq_pop(&q->vq, &chain);
	ring_add_one(&q->ring, q->page, 8, true);
	virtq_pop(&q->vq, &chain);
	ok(!virtq_listen(&q->vq), "what was taken already is not new either");
	queue_free(q);
}

/* --- two threads ------------------------------------------------------------------------------ */

#define STRESS 20000

static void test_order(void)
{
	struct queue *q = queue_new(SIZE, 0);
	uint32_t *words = ram_at(&q->ram, q->page);
	unsigned wrong = 0;
	struct queue_server server = {.queue = q};
	pthread_t thread;

	pthread_create(&thread, NULL, queue_serve, &server);
	for (uint32_t i = 0; i < STRESS; i++) {
		struct buffer echo[] = {{q->page, 4, false}, {q->page + 4, 4, true}};
		struct used used;
		uint16_t head;

		words[0] = i;
		words[1] = ~i;
		head = ring_add(&q->ring, echo, 2);
		while (!ring_take(&q->ring, &used))
			sched_yield();
		wrong += used.id != head || used.len != i || words[1] != i;
	}
	server.stop = true;
	pthread_join(thread, NULL);
	is(wrong, 0, "HARD-22 SPLIT-DEV-03 (2.7.8.2) a polling driver never sees a stale element");
	queue_free(q);
}

int main(void)
{
	test_size();
	test_alignment();
	test_area();
	test_pop();
	test_full_chain();
	test_zero_length();
	test_index_jump();
	test_outstanding();
	test_head();
	test_loop();
	test_no_indirect();
	test_push();
	test_wrap();
	test_suppression();
	test_kicks();
	test_order();
	return tap_done();
}
