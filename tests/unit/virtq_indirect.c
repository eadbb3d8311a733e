/* SPDX-License-Identifier: BSD-2-Clause */
/* Split virtqueues: indirect tables, and descriptors that change while they are looked at (virtio
 * 2.7.5.3). */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "../virtq_fixture.h"

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

int main(void)
{
	test_indirect();
	test_indirect_len();
	test_indirect_abuse();
	test_direction();
	test_address();
	test_total();
	test_double_fetch();
	return tap_done();
}
