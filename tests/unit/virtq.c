/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue, device side: what it takes, what it gives back, and what it refuses. */
#include "virtq.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

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

/* --- indirect tables -------------------------------------------------------------------------- */

#define INDIRECT VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)

/* A chain of direct descriptors of one byte each, then one with these flags that points to a table
 * of len bytes. */
static void offer_table(struct queue *q, unsigned direct, gpa_t table, uint32_t len, uint16_t flags)
{
	queue_again(q);
	for (unsigned i = 0; i < direct; i++)
		ring_set_desc(&q->ring, i, q->page, 1, VIRTQ_DESC_F_NEXT, i + 1);
	ring_set_desc(&q->ring, direct, table, len, VIRTQ_DESC_F_INDIRECT | flags, 0);
	ring_offer(&q->ring, 0);
}

/* Two readable elements of 10 and 20 bytes, two writable ones of 30 and 40, not in the order in
 * which they lie in the table. */
static void fill_table(struct queue *q, gpa_t table)
{
	const uint16_t write = VIRTQ_DESC_F_WRITE, next = VIRTQ_DESC_F_NEXT;

	ram_set_desc(&q->ram, table, 0, q->page, 10, next, 3);
	ram_set_desc(&q->ram, table, 3, q->page + 100, 20, next, 1);
	ram_set_desc(&q->ram, table, 1, q->page + 200, 30, next | write, 2);
	ram_set_desc(&q->ram, table, 2, q->page + 300, 40, write, 0);
}

static void test_indirect(void)
{
	static const struct {
		unsigned offset;
		uint16_t flags;
		const char *name;
	} tables[] = {
		{0, 0, "SPLIT-DEV-08 (2.7.5.3.2) a table"},
		{0, VIRTQ_DESC_F_WRITE, "SPLIT-DEV-09 (2.7.5.3.2) WRITE does not matter for it"},
		{1, 0, "HARD-27 (2.7.5.3) a table at an odd address"},
		{8, 0, "HARD-27 (2.7.5.3) and at half a descriptor"},
	};
	struct queue *q = queue_new(SIZE, INDIRECT);
	gpa_t memory = ram_alloc(&q->ram, 4096, 4096);

	for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		for (unsigned direct = 0; direct < 4; direct++) {
			gpa_t table = memory + tables[i].offset;
			struct chain chain;

			fill_table(q, table);
			offer_table(q, direct, table, 64, tables[i].flags);
			ok(virtq_pop(&q->vq, &chain) == 1 && chain.readable_len == 30 + direct &&
					chain.readable_count == 2 + direct &&
					chain.writable_len == 70 && chain.writable_count == 2 &&
					chain.readable[direct + 1].iov_base ==
						ram_at(&q->ram, q->page + 100) &&
					chain.writable[1].iov_base ==
						ram_at(&q->ram, q->page + 300),
				"%s, after %u direct descriptors", tables[i].name, direct);
			is(chain.id, 0, "SPLIT-DEV-14 (2.7.8) its name is that of the head");
		}
	}
	fill_table(q, ROM_BASE);
	offer_table(q, 0, ROM_BASE, 64, 0);
	is(virtq_pop(&q->vq, &(struct chain){0}), 1, "a table in read-only memory will do");
	queue_free(q);
}

static void test_indirect_len(void)
{
	static const uint32_t bad[] = {0, 1, 8, 15, 17, 24, UINT32_MAX, UINT32_MAX - 7};
	static const uint32_t over[] = {257 * 16, 512 * 16, 65536 * 16, UINT32_MAX - 15};
	struct queue *q = queue_new(VIRTQ_SIZE_MAX, INDIRECT);
	gpa_t table = ram_alloc(&q->ram, 8192, 16);
	struct chain chain;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		offer_table(q, 0, table, bad[i], 0);
		ok(queue_faults(q, "not a multiple of 16 (virtio 2.7.5.3)"),
			"HARD-06 SPLIT-DRV-13 (2.7.5.3) a table of %u bytes", bad[i]);
	}
	for (unsigned i = 0; i < sizeof over / sizeof over[0]; i++) {
		offer_table(q, 0, table, over[i], 0);
		ok(queue_faults(q, "descriptors, of at most 256 (virtio 2.7.5.3.1)"),
			"HARD-06 SPLIT-DRV-02 (2.7.5.3.1) a table of %u bytes", over[i]);
	}

	for (unsigned i = 0; i < 256; i++)
		ram_set_desc(&q->ram, table, i, q->page + i, 1, VIRTQ_DESC_F_NEXT, i + 1);
	ram_set_desc(&q->ram, table, 255, q->page + 255, 1, 0, 0);
	offer_table(q, 0, table, 256 * 16, 0);
	ok(virtq_pop(&q->vq, &chain) == 1 && chain.readable_count == 256,
		"SPLIT-DEV-17 (2.7.4.1) a table of 256 descriptors is taken");
	offer_table(q, 1, table, 256 * 16, 0);
	ok(queue_faults(q, "256 descriptors, of at most 255"),
		"HARD-06 but not after a direct descriptor");
	ram_set_desc(&q->ram, table, 0, q->page, 1, 0, 0);
	offer_table(q, 255, table, 16, 0);
	ok(virtq_pop(&q->vq, &chain) == 1 && chain.readable_count == 256,
		"SPLIT-DEV-08 (2.7.5.3.2) 255 direct ones and a table of one");
	queue_free(q);
}

static void test_indirect_abuse(void)
{
	const uint16_t next = VIRTQ_DESC_F_NEXT, indirect = VIRTQ_DESC_F_INDIRECT;
	static const struct {
		gpa_t addr;
		const char *name;
	} places[] = {{RAM_END, "behind memory"}, {RAM_END - 16, "over the end of memory"},
		{0xd0000000, "in a device"}, {UINT64_MAX - 15, "that wraps"}};
	struct queue *q = queue_new(SIZE, INDIRECT);
	gpa_t table = ram_alloc(&q->ram, 4096, 16);

	for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
		offer_table(q, 0, places[i].addr, 32, 0);
		ok(queue_faults(q, "bytes, is not in RAM (virtio 2.7.5.3)"), "HARD-09 a table %s",
			places[i].name);
	}

	offer_table(q, 0, table, 32, next);
	ok(queue_faults(q, "both INDIRECT and NEXT (virtio 2.7.5.3.1)"),
		"HARD-06 SPLIT-DRV-12 (2.7.5.3.1) INDIRECT with NEXT");

	ram_set_desc(&q->ram, table, 0, table, 32, indirect, 0);
	offer_table(q, 0, table, 32, 0);
	ok(queue_faults(q, "in an indirect table (virtio 2.7.5.3.1)"),
		"HARD-06 SPLIT-DRV-11 (2.7.5.3.1) a table that is its own table");
	ram_set_desc(&q->ram, table, 0, q->page, 1, next, 1);
	ram_set_desc(&q->ram, table, 1, table, 16, indirect | next, 1);
	offer_table(q, 1, table, 32, 0);
	ok(queue_faults(q, "in an indirect table (virtio 2.7.5.3.1)"),
		"HARD-06 SPLIT-DRV-11 (2.7.5.3.1) a table at the end of a table");

	ram_set_desc(&q->ram, table, 1, q->page, 1, next, 2);
	offer_table(q, 0, table, 32, 0);
	ok(queue_faults(q, "next 2, but its table has 2"),
		"HARD-04 SPLIT-DRV-13 (2.7.5.3) next behind the table, within the queue");
	ram_set_desc(&q->ram, table, 1, q->page, 1, next, 0);
	offer_table(q, 0, table, 32, 0);
	ok(queue_faults(q, "loops (virtio 2.7.5.2)"), "HARD-05 a loop in a table");
	ram_set_desc(&q->ram, table, 0, q->page, 0, next, 0);
	offer_table(q, 3, table, 32, 0);
	ok(queue_faults(q, "loops (virtio 2.7.5.2)"), "HARD-05 a loop of nothing in a table");

	ram_set_desc(&q->ram, table, 0, q->page, 1, VIRTQ_DESC_F_WRITE | next, 1);
	ram_set_desc(&q->ram, table, 1, q->page, 1, 0, 0);
	offer_table(q, 1, table, 32, 0);
	ok(queue_faults(q, "2.7.4.2"), "HARD-10 readable after writable, in a table");
	ram_set_desc(&q->ram, table, 0, q->page, 1, 0, 0);
	offer_table(q, 1, table, 32, 0);
	ring_set_desc(&q->ring, 0, q->page, 1, next | VIRTQ_DESC_F_WRITE, 1);
	ok(queue_faults(q, "2.7.4.2"), "HARD-10 readable in a table after writable before it");
	ram_set_desc(&q->ram, table, 0, ROM_BASE, 1, VIRTQ_DESC_F_WRITE, 0);
	offer_table(q, 0, table, 16, 0);
	ok(queue_faults(q, "not in writable RAM"), "HARD-10 read-only memory, by a table");
	queue_free(q);
}

static void test_direction(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct buffer swapped[] = {{q->page, 1, false}, {q->page, 1, true}, {q->page, 1, false}};

	ring_add(&q->ring, swapped, 3);
	ok(queue_faults(q, "2.7.4.2"), "HARD-10 readable after writable is refused");

	queue_again(q);
	ring_add_one(&q->ring, ROM_BASE, 16, true);
	ok(queue_faults(q, "not in writable RAM"),
		"HARD-10 a buffer to be written in read-only memory");

	queue_again(q);
	ring_add_one(&q->ring, ROM_BASE, 16, false);
	is(virtq_pop(&q->vq, &(struct chain){0}), 1, "HARD-10 it can be read");
	queue_free(q);
}

static void test_address(void)
{
	struct queue *q = queue_new(SIZE, 0);
	const struct buffer bad[] = {{RAM_END, 1, false}, {RAM_END - 1, 2, false},
		{0xd0000000, 4, true}, {0xfee00000, 4, false}, {UINT64_MAX, 1, false},
		{UINT64_MAX - 15, 32, true}, {q->page, UINT32_MAX, true}};

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		queue_again(q);
		ring_add(&q->ring, &bad[i], 1);
		ok(queue_faults(q, "buffer at 0x"),
			"HARD-09 buffer of %u bytes at 0x%llx is refused", bad[i].len,
			(unsigned long long)bad[i].addr);
	}
	queue_again(q);
	ring_add_one(&q->ring, RAM_END - 16, 16, false);
	is(virtq_pop(&q->vq, &(struct chain){0}), 1, "HARD-09 the last bytes of memory are memory");
	queue_free(q);
}

/* 2^32 bytes take more RAM than a test should: addresses without memory behind them will do. */
static void test_total(void)
{
	const size_t huge = (size_t)3 << 30;
	struct queue *q = queue_new(SIZE, 0);
	uint8_t *reserved =
		mmap(NULL, huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct gmem_region regions[] = {
		q->ram.regions[0], {UINT64_C(1) << 32, huge, reserved, true}};
	struct gmem gmem = {.regions = regions, .count = 2};
	struct buffer most[] = {
		{UINT64_C(1) << 32, 1u << 31, false}, {UINT64_C(1) << 32, 1u << 31, true}};
	struct buffer more[] = {most[0], most[1], {q->page, 1, true}};
	struct buffer wrap[] = {most[0], most[0], most[0]};
	struct chain chain;

	ok(reserved != MAP_FAILED, "3 GiB of address space");
	q->vq.gmem = &gmem;
	ring_add(&q->ring, most, 2);
	is(virtq_pop(&q->vq, &chain), 1, "HARD-07 a chain of 2^32 bytes is taken");
	is(chain.readable_len + chain.writable_len, UINT64_C(1) << 32,
		"HARD-07 and summed up right");
	ring_add(&q->ring, more, 3);
	ok(queue_faults(q, "longer than 2^32 bytes"), "HARD-07 one byte more is not");

	queue_again(q);
	q->vq.gmem = &gmem;
	ring_add(&q->ring, wrap, 3);
	ok(queue_faults(q, "longer than 2^32 bytes"), "HARD-07 nor does the sum wrap");

	queue_again(q);
	q->vq.gmem = &gmem;
	wrap[0].len = wrap[1].len = UINT32_MAX;
	ring_add(&q->ring, wrap, 2);
	ok(queue_faults(q, "virtio 2.7.5"), "HARD-07 2^32 - 1 twice");
	munmap(reserved, huge);
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

/* Pop, push and publish one. Whether the driver is to be notified. */
static bool one(struct queue *q)
{
	struct chain chain;

	ring_add_one(&q->ring, q->page, 8, true);
	return virtq_pop(&q->vq, &chain) == 1 && (virtq_push(&q->vq, &chain, 1), true) &&
	       virtq_publish(&q->vq);
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

/* --- EVENT_IDX -------------------------------------------------------------------------------- */

#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)

/* Both sides go on at this position, as if they had come so far. */
static void start_at(struct queue *q, uint16_t idx)
{
	struct virtq_used *used = ram_at(&q->ram, q->ring.used);

	queue_again(q);
	q->vq.split.avail_next = q->vq.split.used_next = q->vq.split.used_shown = idx;
	used->idx.raw = cpu_to_le16(idx).raw;
	q->ring.used_idx = q->ring.kicked_idx = idx;
	ring_set_avail_idx(&q->ring, idx);
}

/* Every batch that a queue of 8 can have, against every event near it. */
static void test_used_event(void)
{
	static const uint16_t starts[] = {0, 3, 0x7fff, 65535 - SIZE, 65530, 65535};
	struct queue *q = queue_new(SIZE, EVENT_IDX);
	unsigned missing = 0, spurious = 0;

	for (unsigned s = 0; s < sizeof starts / sizeof starts[0]; s++) {
		for (unsigned batch = 1; batch <= SIZE; batch++) {
			for (int event = -20; event <= 20; event++) {
				bool hit = event >= 0 && (unsigned)event < batch, due;

				start_at(q, starts[s]);
				ring_set_used_event(&q->ring, starts[s] + event);
				due = queue_use(q, batch);
				missing += hit && !due;
				spurious += due && !hit;
			}
		}
	}
	is(missing, 0,
		"SPLIT-DEV-07 (2.7.7.2) using position used_event notifies, in every batch, at "
		"every wrap");
	is(spurious, 0, "SPLIT-DEV-13 (2.7.7.2) and using others does not");

	start_at(q, 65000);
	for (unsigned i = 0; i < 1000; i++) {
		if (i % 4 == 0)
			ring_set_used_event(&q->ring, q->ring.used_idx + 3);
		spurious += queue_use(q, 1);
	}
	is(spurious, 250, "SPLIT-DEV-13 (2.7.7.2) 1000 buffers, every fourth an event: 250");

	start_at(q, 0);
	ring_set_avail_flags(&q->ring, VIRTQ_AVAIL_F_NO_INTERRUPT);
	ring_set_used_event(&q->ring, 0);
	ok(queue_use(q, 1), "SPLIT-DEV-11 (2.7.7.2) flags have no meaning with EVENT_IDX");
	queue_free(q);
}

static void test_avail_event(void)
{
	struct queue *q = queue_new(SIZE, EVENT_IDX);
	struct chain chain;

	start_at(q, 65534);
	ring_set_avail_event(&q->ring, 0x5a5a);
	virtq_silence(&q->vq);
	is(ring_avail_event(&q->ring), 0x5a5a,
		"SPLIT-DEV-16 (2.7.10.2) avail_event stays while a queue is served");
	is(ring_used_flags(&q->ring), 0, "SPLIT-DEV-12 (2.7.10.2) and flags are 0 with EVENT_IDX");
	ok(!virtq_listen(&q->vq), "nothing came meanwhile");
	is(ring_avail_event(&q->ring), 65534,
		"SPLIT-DEV-16 (2.7.10.2) then it is the next position to be filled");
	is(ring_used_flags(&q->ring), 0, "SPLIT-DEV-12 (2.7.10.2) flags are 0 all the same");

	ring_add_one(&q->ring, q->page, 8, true);
	ok(ring_wants_kick(&q->ring), "SPLIT-DRV-15 (2.7.10.1) filling it takes a kick");
	virtq_silence(&q->vq);
	virtq_pop(&q->vq, &chain);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(!ring_wants_kick(&q->ring), "SPLIT-DEV-16 (2.7.10.2) the one after that takes none");
	virtq_pop(&q->vq, &chain);
	is(virtq_pop(&q->vq, &chain), 0, "the device finds both");
	ring_add_one(&q->ring, q->page, 8, true);
	ok(!ring_wants_kick(&q->ring), "SPLIT-DEV-16 (2.7.10.2) nor does a third");
	ok(virtq_listen(&q->vq), "SPLIT-DEV-16 (2.7.10.2) so listening must find it, and does");
	is(ring_avail_event(&q->ring), 0, "over the wrap of indices");

	virtq_silence(&q->vq);
	ok(!virtq_listen(&q->vq), "a chain that waits is not new, so nobody spins for it");
	ring_add_one(&q->ring, q->page, 8, true);
	ok(!ring_wants_kick(&q->ring), "nor does the device want kicks while one waits");
	virtq_silence(&q->vq);
	while (virtq_pop(&q->vq, &chain) == 1)
		;
	virtq_listen(&q->vq);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(ring_wants_kick(&q->ring), "but once it has looked in vain it does");
	ok(ring_guards_intact(&q->ring), "nothing is written outside the three areas");
	queue_free(q);
}

static void test_enable_again(void)
{
	struct queue *q = queue_new(SIZE, 0);
	struct chain chain;
	struct used used;

	for (unsigned i = 0; i < 3; i++)
		one(q);
	ring_add_one(&q->ring, q->page, 8, true);
	virtq_pop(&q->vq, &chain);
	virtq_disable(&q->vq);
	ring_init(&q->ring, &q->ram, SIZE, 0);
	is(queue_enable(q), 0, "a queue that was stopped is enabled again, elsewhere");
	ok(one(q) && ring_take(&q->ring, &used) && used.id == 0, "and starts at position 0");
	is(ring_used_idx(&q->ring), 1, "for used buffers too");
	queue_free(q);
}

/* --- a driver that changes its mind ----------------------------------------------------------- */

struct toggler {
	struct queue *queue;
	struct virtq_desc *desc;
	uint16_t flags; /* when it is harmless */
	atomic_bool stop;
};

/* Changes a descriptor between harmless and hostile, field by field, as fast as it can. */
static void *toggle(void *arg)
{
	struct toggler *t = arg;
	struct virtq_desc *desc = t->desc;

	for (unsigned i = 0; !t->stop; i++) {
		bool bad = i & 1;

		__atomic_store_n(&desc->addr.raw, bad ? RAM_END : t->queue->page, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->len.raw, bad ? UINT32_MAX : 16, __ATOMIC_RELAXED);
		__atomic_store_n(
			&desc->flags.raw, bad ? VIRTQ_DESC_F_NEXT : t->flags, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->next.raw, bad ? 0xffff : 0, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void double_fetch(struct queue *q, struct virtq_desc *desc, uint16_t flags, const char *name)
{
	struct toggler t = {.queue = q, .desc = desc, .flags = flags};
	unsigned insane = 0, taken = 0, refused = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, toggle, &t);
	/* Until the other thread has had its share. */
	while (taken < 5000 || refused < 5000) {
		struct chain chain;

		q->vq.split.avail_next = q->vq.split.used_next = q->vq.split.used_shown = 0;
		ring_set_avail_idx(&q->ring, 0);
		ring_offer(&q->ring, 0);
		if (virtq_pop(&q->vq, &chain) == 1) {
			taken++;
			insane += !queue_sane(q, &chain);
		} else {
			refused++;
		}
	}
	t.stop = true;
	pthread_join(thread, NULL);
	is(insane, 0, "HARD-08 %s that changes under our eyes (%u taken, %u refused)", name, taken,
		refused);
}

static void test_double_fetch(void)
{
	struct queue *q = queue_new(SIZE, INDIRECT);
	struct virtq_desc *desc = ram_at(&q->ram, q->ring.desc);

	/* As an indirect table, the page is a descriptor of an empty buffer. */
	double_fetch(q, desc, VIRTQ_DESC_F_WRITE, "a descriptor");
	double_fetch(q, desc, VIRTQ_DESC_F_INDIRECT, "a descriptor of a table");
	queue_again(q);
	ring_set_desc(&q->ring, 0, q->page + 64, 16, VIRTQ_DESC_F_INDIRECT, 0);
	double_fetch(
		q, ram_at(&q->ram, q->page + 64), VIRTQ_DESC_F_WRITE, "a descriptor in a table");
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
	test_indirect();
	test_indirect_len();
	test_indirect_abuse();
	test_direction();
	test_address();
	test_total();
	test_push();
	test_wrap();
	test_suppression();
	test_kicks();
	test_used_event();
	test_avail_event();
	test_enable_again();
	test_double_fetch();
	test_order();
	return tap_done();
}
