/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: what it takes, what it gives back, and what it refuses. How a
 * chain is judged is the same for both forms, and mostly tried in virtq.c. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../driver_ring.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT  VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)

/* A queue with both halves. */
struct fixture {
	struct ram ram;
	struct ring ring;
	struct virtq vq;
	gpa_t page; /* one for buffers */
	uint64_t features;
};

static int enable(struct fixture *f)
{
	f->vq.size = f->ring.size;
	f->vq.desc = f->ring.desc;
	f->vq.driver = f->ring.avail;
	f->vq.device = f->ring.used;
	return virtq_enable(&f->vq, &f->ram.gmem, VIRTQ_SIZE_MAX, f->features);
}

static struct fixture *setup_with(uint16_t size, uint64_t features)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->features = PACKED | features;
	ram_init(&f->ram);
	f->page = ram_alloc(&f->ram, 4096, 4096);
	ring_init(&f->ring, &f->ram, size, f->features);
	enable(f);
	return f;
}

static struct fixture *setup(uint16_t size)
{
	return setup_with(size, 0);
}

static void teardown(struct fixture *f)
{
	ram_free(&f->ram);
	free(f);
}

/* Start over with an empty ring. */
static void again(struct fixture *f)
{
	virtq_reset(&f->vq);
	f->ram.next = f->page + 4096;
	memset(ram_at(&f->ram, f->ram.next), 0, 65536);
	ring_init(&f->ring, &f->ram, f->ring.size, f->features);
	enable(f);
}

static bool pop_faults(struct fixture *f, const char *word)
{
	struct chain chain;

	return virtq_pop(&f->vq, &chain) == -EPROTO && strstr(f->vq.fault, word) != NULL;
}

static bool nothing_there(struct fixture *f)
{
	struct chain chain;

	return virtq_pop(&f->vq, &chain) == 0;
}

/* --- enabling --------------------------------------------------------------------------------- */

static bool refuses(struct fixture *f, uint32_t size, gpa_t desc, gpa_t driver, gpa_t device)
{
	virtq_reset(&f->vq);
	f->vq.size = size;
	f->vq.desc = desc;
	f->vq.driver = driver;
	f->vq.device = device;
	return virtq_enable(&f->vq, &f->ram.gmem, 64, PACKED) == -EINVAL && !f->vq.ready &&
	       strstr(f->vq.fault, "virtio 2.8") != NULL;
}

static void test_size(void)
{
	static const uint32_t bad[] = {0, 65, 256, 32768, 65536, 65536 + 4, 1u << 31, UINT32_MAX};
	struct fixture *f = setup(64);
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(refuses(f, bad[i], f->ring.desc, f->ring.avail, f->ring.used),
			"HARD-01 queue size %u is refused", bad[i]);
	for (uint32_t size = 1; size <= 64; size++)
		good += !refuses(f, size, f->ring.desc, f->ring.avail, f->ring.used);
	is(good, 64, "PACK-DEV-17 (2.8) every size up to the maximum is taken");
	teardown(f);
}

static void test_areas(void)
{
	struct fixture *f = setup(16);
	gpa_t desc = f->ring.desc, driver = f->ring.avail, device = f->ring.used;
	const gpa_t wrap = 0xffffffffffffffe0;

	ok(refuses(f, 16, desc + 8, driver, device), "HARD-01 ring off by 8");
	ok(refuses(f, 16, desc, driver + 2, device), "HARD-01 driver area off by 2");
	ok(refuses(f, 16, desc, driver, device + 1), "HARD-01 device area off by 1");
	ok(!refuses(f, 16, desc + 16, driver + 4, device + 4),
		"alignment of 16, 4 and 4 is enough");
	ok(refuses(f, 16, RAM_END, driver, device), "HARD-01 ring in a hole");
	ok(refuses(f, 16, desc, RAM_END, device), "HARD-01 driver area in a hole");
	ok(refuses(f, 16, desc, driver, RAM_END), "HARD-01 device area in a hole");
	ok(refuses(f, 16, ROM_BASE - 240, driver, device), "HARD-01 ring over the end of RAM");
	ok(!refuses(f, 16, ROM_BASE - 256, driver, device), "HARD-01 ring up to the end of RAM");
	ok(refuses(f, 16, ROM_BASE, driver, device), "HARD-01 ring in read-only memory");
	ok(refuses(f, 16, desc, driver, ROM_BASE), "HARD-01 device area in read-only memory");
	ok(!refuses(f, 16, desc, ROM_BASE, device), "HARD-01 but the driver area may be there");
	ok(refuses(f, 16, wrap, driver, device), "HARD-02 ring wraps");
	teardown(f);
}

/* --- taking lists ----------------------------------------------------------------------------- */

static void test_pop(void)
{
	struct fixture *f = setup(SIZE);
	struct buffer buffers[] = {{f->page, 10, false}, {f->page + 100, 20, false},
		{f->page + 200, 30, true}, {f->page + 300, 40, true}};
	struct chain chain;

	ok(nothing_there(f), "PACK-DEV-01 (2.8.15) a ring of zeros has nothing available");
	ring_add(&f->ring, buffers, 4);
	is(virtq_pop(&f->vq, &chain), 1, "a list is there");
	ok(chain.readable_count == 2 && chain.readable_len == 30, "two readable segments");
	ok(chain.writable_count == 2 && chain.writable_len == 70, "two writable segments");
	ok(chain.readable[1].iov_base == ram_at(&f->ram, f->page + 100) &&
			chain.writable[0].iov_base == ram_at(&f->ram, f->page + 200),
		"PACK-DEV-10 (2.8.18) in the order of the list");
	is(chain.slots, 4, "of four slots");
	ok(nothing_there(f), "and only once");
	teardown(f);
}

/* The id is that of the last descriptor, and any number. */
static void test_id(void)
{
	static const uint16_t ids[] = {0, 7, 8, 255, 256, 0x7fff, 0x8000, 65535};
	struct fixture *f = setup(SIZE);
	struct chain chain;
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct used used;

		again(f);
		ring_put(&f->ring, f->page, 1, ~ids[i], VIRTQ_DESC_F_NEXT);
		ring_put(&f->ring, f->page, 1, 1234, VIRTQ_DESC_F_NEXT);
		ring_put(&f->ring, f->page, 1, ids[i], 0);
		good += virtq_pop(&f->vq, &chain) == 1 && chain.id == ids[i];
		virtq_push(&f->vq, &chain, 0);
		virtq_publish(&f->vq);
		good += ring_take(&f->ring, &used) && used.id == ids[i];
	}
	is(good, 16, "PACK-DEV-04 (2.8.6) the last descriptor's id comes back, whatever it is");
	teardown(f);
}

/* Lists of one to three descriptors, around rings in which they end at every slot. */
static void test_laps(void)
{
	static const uint16_t sizes[] = {1, 2, 3, 5, 7};
	unsigned wrong = 0, early = 0;

	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct fixture *f = setup(sizes[s]);

		for (unsigned n = 0; n < 500; n++) {
			struct buffer buffers[3] = {
				{f->page, 1, false}, {f->page, 2, false}, {f->page, 3, true}};
			unsigned count = 1 + n / 2 % 3;
			struct chain chain;
			struct used used;
			uint16_t head;

			if (count > sizes[s])
				count = 1;
			early += !nothing_there(f);
			head = ring_add(&f->ring, buffers, count);
			wrong += virtq_pop(&f->vq, &chain) != 1 || chain.slots != count ||
				 chain.readable_count + chain.writable_count != count;
			early += !nothing_there(f);
			virtq_push(&f->vq, &chain, n);
			early += ring_pending(&f->ring);
			virtq_publish(&f->vq);
			wrong += !ring_take(&f->ring, &used) || used.id != head || used.len != n;
			wrong += ring_pending(&f->ring);
		}
		ok(ring_guards_intact(&f->ring), "nothing is written outside of a ring of %u",
			sizes[s]);
		teardown(f);
	}
	is(wrong, 0, "PACK-DEV-02 PACK-DEV-17 (2.8.1) laps around rings of 1, 2, 3, 5 and 7");
	is(early, 0, "PACK-DEV-01 (2.8.15) nothing is seen before its time, in any lap");
}

static void test_wrap(void)
{
	struct fixture *f = setup(SIZE);
	unsigned good = 0;

	for (unsigned i = 0; i < 70000; i++) {
		struct chain chain;
		struct used used;
		uint16_t head = ring_add_one(&f->ring, f->page, 8, true);

		good += virtq_pop(&f->vq, &chain) == 1;
		virtq_push(&f->vq, &chain, i);
		good += virtq_publish(&f->vq) && ring_take(&f->ring, &used) && used.id == head &&
			used.len == i;
	}
	is(good, 140000, "70000 buffers");
	teardown(f);
}

/* --- giving them back ------------------------------------------------------------------------- */

/* Three lists of 2, 3 and 1 slots come back in another order: used descriptors are where the lists
 * of this order would begin, and overwrite what is still in flight. */
static void test_out_of_order(void)
{
	struct fixture *f = setup(SIZE);
	struct chain chains[3];
	struct used used;

	ring_put(&f->ring, f->page, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&f->ring, f->page + 1, 1, 20, VIRTQ_DESC_F_WRITE);
	ring_put(&f->ring, f->page + 2, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&f->ring, f->page + 3, 1, 0, VIRTQ_DESC_F_NEXT);
	ring_put(&f->ring, f->page + 4, 1, 30, 0);
	ring_put(&f->ring, f->page + 5, 1, 10, VIRTQ_DESC_F_WRITE);
	f->ring.list_slots[20] = 2;
	f->ring.list_slots[30] = 3;
	f->ring.list_slots[10] = 1;
	for (unsigned i = 0; i < 3; i++)
		virtq_pop(&f->vq, &chains[i]);
	ok(chains[0].id == 20 && chains[1].id == 30 && chains[2].id == 10,
		"PACK-DEV-08 (2.8.12) lists are taken in the order of the ring");

	virtq_push(&f->vq, &chains[1], 5);
	virtq_publish(&f->vq);
	is(ring_slot_flags(&f->ring, 0), ring_used_bits(true),
		"PACK-DEV-09 (2.8.12) the first that comes back is the first used descriptor");
	ok(ring_slot_flags(&f->ring, 1) == (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_WRITE) &&
			ring_slot_flags(&f->ring, 2) == (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_NEXT),
		"PACK-DEV-03 (2.8.6) the only one for its three slots");
	for (unsigned i = 1; i < 3; i++)
		ring_set_slot(&f->ring, i, UINT64_MAX, UINT32_MAX, 999, 0);
	virtq_push(&f->vq, &chains[2], 6);
	virtq_push(&f->vq, &chains[0], 7);
	virtq_publish(&f->vq);
	is(ring_slot_flags(&f->ring, 3), ring_used_bits(true) | VIRTQ_DESC_F_WRITE,
		"PACK-DEV-03 (2.8.6) the next one is behind them");
	ok(ring_take(&f->ring, &used) && used.id == 30 && used.len == 5, "the driver finds one");
	ok(ring_take(&f->ring, &used) && used.id == 10 && used.len == 6, "another");
	ok(ring_take(&f->ring, &used) && used.id == 20 && used.len == 7,
		"PACK-DEV-21 (2.8.6) and the one whose slots were overwritten while it was in "
		"flight");
	ok(!ring_take(&f->ring, &used), "no more");
	teardown(f);
}

static void test_push(void)
{
	struct fixture *f = setup(SIZE);
	struct chain chains[3];
	uint16_t before[3];

	ring_add_one(&f->ring, f->page, 8, false);
	ring_add_one(&f->ring, f->page, 8, true);
	ring_add_one(&f->ring, f->page, 8, true);
	for (unsigned i = 0; i < 3; i++) {
		before[i] = ring_slot_flags(&f->ring, i);
		virtq_pop(&f->vq, &chains[i]);
		virtq_push(&f->vq, &chains[i], i);
	}
	is(ring_slot_flags(&f->ring, 0), before[0],
		"PACK-DEV-20 (2.8.2) before it is published, the first of a batch looks available");
	ok(virtq_publish(&f->vq), "PACK-DEV-11 (2.8.10) the driver is to be notified");
	is(ring_slot_flags(&f->ring, 0), ring_used_bits(true),
		"PACK-DEV-13 (2.8.3) no WRITE for a list of readable elements");
	is(ring_slot_flags(&f->ring, 2), ring_used_bits(true) | VIRTQ_DESC_F_WRITE,
		"PACK-DEV-13 (2.8.3) WRITE for one that can be written");
	ok(!virtq_publish(&f->vq), "nothing new: no notification");
	teardown(f);
}

/* --- events ----------------------------------------------------------------------------------- */

/* Both sides go on at this position, as if they had come so far. */
static void start_at(struct fixture *f, struct ring_position at)
{
	again(f);
	for (unsigned i = 0; i < f->ring.size; i++) {
		bool wrap = i < at.slot ? at.wrap : !at.wrap;

		ring_set_slot(&f->ring, i, 0, 0, 0, ring_used_bits(wrap));
	}
	f->vq.packed.avail = f->vq.packed.used = (struct virtq_position){at.slot, at.wrap};
	f->ring.add = f->ring.take = at;
}

/* Use this many buffers of one slot in a batch. Whether the driver is to be notified. */
static bool use(struct fixture *f, unsigned batch)
{
	struct chain chain;
	struct used used;
	bool due;

	for (unsigned i = 0; i < batch; i++) {
		ring_add_one(&f->ring, f->page, 8, true);
		virtq_pop(&f->vq, &chain);
		virtq_push(&f->vq, &chain, 8);
	}
	due = virtq_publish(&f->vq);
	while (ring_take(&f->ring, &used))
		;
	return due;
}

/* Every batch from every slot of a ring of five, against every event. */
static void test_driver_event(void)
{
	const unsigned size = 5;
	struct fixture *f = setup_with(size, EVENT_IDX);
	unsigned missing = 0, spurious = 0, tried = 0;

	for (unsigned start = 0; start < 2 * size; start++) {
		for (unsigned batch = 1; batch <= size; batch++) {
			for (unsigned event = 0; event < 2 * size; event++) {
				struct ring_position from = {start % size, start < size};
				struct ring_position at = {event % size, event < size};
				bool hit = (event + 2 * size - start) % (2 * size) < batch, due;

				start_at(f, from);
				ring_set_driver_event(&f->ring, VIRTQ_EVENT_DESC, at);
				due = use(f, batch);
				missing += hit && !due;
				spurious += due && !hit;
				tried++;
			}
		}
	}
	is(tried, 500, "500 cases");
	is(missing, 0, "PACK-DEV-11 (2.8.10) using the slot of the event notifies, in its lap");
	is(spurious, 0, "PACK-DEV-11 (2.8.10) and using others does not");

	/* A list counts with all its slots. */
	for (uint16_t event = 0; event < 4; event++) {
		struct buffer three[] = {
			{f->page, 1, true}, {f->page, 1, true}, {f->page, 1, true}};
		struct chain chain;

		again(f);
		ring_set_driver_event(
			&f->ring, VIRTQ_EVENT_DESC, (struct ring_position){event, true});
		ring_add(&f->ring, three, 3);
		virtq_pop(&f->vq, &chain);
		virtq_push(&f->vq, &chain, 3);
		is(virtq_publish(&f->vq), event < 3,
			"PACK-DEV-11 (2.8.10) slot %u, a list of 0 to 2", event);
	}
	teardown(f);
}

static void test_event_modes(void)
{
	struct fixture *f = setup(SIZE);
	const struct ring_position far = {5, false};
	unsigned notified = 0;

	ok(use(f, 1), "PACK-DEV-11 (2.8.10) enabled by zeros");
	ring_set_driver_event(&f->ring, VIRTQ_EVENT_DISABLE, far);
	for (unsigned i = 0; i < 1000; i++)
		notified += use(f, 1);
	is(notified, 0, "PACK-DEV-11 (2.8.10) disabled: no notification for 1000 buffers");
	ring_set_driver_event(&f->ring, VIRTQ_EVENT_ENABLE, far);
	ok(use(f, 1), "PACK-DEV-11 (2.8.10) enabled: whatever the slot");
	ring_set_driver_event(&f->ring, VIRTQ_EVENT_DESC, far);
	ok(use(f, 1), "RES-DEV-07 (2.8.10) one slot has no meaning without EVENT_IDX");
	ring_set_driver_event(&f->ring, 3, far);
	ok(use(f, 1), "2.8.10 of a mode that does not exist the driver is not left waiting");
	ring_set_driver_event(&f->ring, 0xfffc | VIRTQ_EVENT_DISABLE, far);
	ok(!use(f, 1), "2.8.14 reserved bits have no meaning");
	teardown(f);
}

static void test_device_event(uint64_t features)
{
	struct fixture *f = setup_with(5, features);
	const char *name = features ? "with EVENT_IDX" : "without EVENT_IDX";
	uint32_t next = VIRTQ_EVENT_DESC << 16;
	struct chain chain;

	is(ring_device_event(&f->ring), 0, "PACK-DEV-12 (2.8.10) %s: enabled at first", name);
	virtq_silence(&f->vq);
	is(ring_device_event(&f->ring), VIRTQ_EVENT_DISABLE << 16,
		"PACK-DEV-12 (2.8.10) %s: disabled while the queue is served", name);
	ok(!virtq_listen(&f->vq), "%s: nothing came meanwhile", name);
	is(ring_device_event(&f->ring), features ? next | VIRTQ_EVENT_WRAP : 0,
		"PACK-DEV-12 (2.8.10) %s: then the next slot, or enabled", name);
	ring_add_one(&f->ring, f->page, 8, true);
	ok(ring_wants_kick(&f->ring), "%s: filling it takes a kick", name);
	virtq_silence(&f->vq);
	ring_add_one(&f->ring, f->page, 8, true);
	ok(!ring_wants_kick(&f->ring), "%s: the one after that takes none", name);
	while (virtq_pop(&f->vq, &chain) == 1)
		virtq_push(&f->vq, &chain, 0);
	virtq_publish(&f->vq);
	ring_add_one(&f->ring, f->page, 8, true);
	ok(!ring_wants_kick(&f->ring) && virtq_listen(&f->vq),
		"%s: nor a third, so listening must find it, and does", name);

	virtq_silence(&f->vq);
	ok(!virtq_listen(&f->vq), "%s: a list that waits is not new, so nobody spins", name);
	ring_add_one(&f->ring, f->page, 8, true);
	ring_add_one(&f->ring, f->page, 8, true);
	virtq_silence(&f->vq);
	while (virtq_pop(&f->vq, &chain) == 1)
		virtq_push(&f->vq, &chain, 0);
	virtq_publish(&f->vq);
	virtq_listen(&f->vq);
	is(ring_device_event(&f->ring), features ? next : 0,
		"PACK-DEV-12 (2.8.10) %s: in the next lap", name);
	ok(ring_guards_intact(&f->ring), "%s: nothing is written outside the three areas", name);
	teardown(f);
}

/* --- indirect tables -------------------------------------------------------------------------- */

static void test_indirect(void)
{
	struct fixture *f = setup_with(SIZE, INDIRECT);
	gpa_t memory = f->page + 2048;
	const uint16_t write = VIRTQ_DESC_F_WRITE;
	struct chain chain;
	struct used used;

	for (unsigned offset = 0; offset < 2; offset++) {
		gpa_t table = memory + offset;

		again(f);
		/* All that the device is to ignore: NEXT, INDIRECT, AVAIL, USED, ids. */
		ram_set_packed_desc(&f->ram, table, 0, f->page, 10, 0xffff, 0xffff & ~write);
		ram_set_packed_desc(&f->ram, table, 1, f->page + 100, 20, 0, 0);
		ram_set_packed_desc(&f->ram, table, 2, f->page + 200, 30, 7, 0xffff);
		ring_put(&f->ring, table, 48, 99, VIRTQ_DESC_F_INDIRECT | write);
		ok(virtq_pop(&f->vq, &chain) == 1 && chain.readable_count == 2 &&
				chain.readable_len == 30 && chain.writable_len == 30 &&
				chain.readable[1].iov_base == ram_at(&f->ram, f->page + 100),
			"PACK-DEV-07 PACK-DEV-14 HARD-27 (2.8.7) a table, in sequence, at offset "
			"%u",
			offset);
		ok(chain.id == 99 && chain.slots == 1, "takes one slot, and its id from there");
	}
	virtq_push(&f->vq, &chain, 30);
	virtq_publish(&f->vq);
	ok(ring_take(&f->ring, &used) && used.id == 99 && used.len == 30, "and comes back");
	teardown(f);
}

static void test_indirect_abuse(void)
{
	const uint16_t indirect = VIRTQ_DESC_F_INDIRECT, next = VIRTQ_DESC_F_NEXT;
	struct fixture *f = setup_with(SIZE, INDIRECT);
	gpa_t table = f->page + 2048;

	ring_put(&f->ring, table, 48 + 1, 1, indirect);
	ok(pop_faults(f, "not a multiple of 16 (virtio 2.8.7)"), "HARD-06 a table of 49 bytes");
	again(f);
	ring_put(&f->ring, table, 0, 1, indirect);
	ok(pop_faults(f, "not a multiple of 16 (virtio 2.8.7)"), "HARD-06 a table of nothing");
	again(f);
	ring_put(&f->ring, table, 257 * 16, 1, indirect);
	ok(pop_faults(f, "of at most 256 (virtio 2.8.19)"),
		"HARD-06 PACK-DEV-19 (2.8.18) a table of 257 descriptors");
	again(f);
	ring_put(&f->ring, table, 16, 1, indirect | next);
	ring_put(&f->ring, f->page, 16, 1, 0);
	ok(pop_faults(f, "both INDIRECT and NEXT (virtio 2.8.19)"),
		"HARD-06 PACK-DRV-11 (2.8.19) INDIRECT at the start of a list");
	again(f);
	ring_put(&f->ring, f->page, 16, 1, next);
	ring_put(&f->ring, table, 16, 1, indirect);
	ok(pop_faults(f, "indirect descriptor in a list (virtio 2.8.19)"),
		"HARD-06 PACK-DRV-11 (2.8.19) INDIRECT at the end of a list");
	again(f);
	ring_put(&f->ring, RAM_END - 16, 32, 1, indirect);
	ok(pop_faults(f, "is not in RAM (virtio 2.8.7)"), "HARD-09 a table over the end of memory");

	f->features = PACKED;
	again(f);
	ring_put(&f->ring, table, 16, 1, indirect);
	ok(pop_faults(f, "INDIRECT_DESC was not negotiated (virtio 2.8.19)"),
		"PACK-DRV-09 (2.8.19) not without INDIRECT_DESC");
	teardown(f);
}

/* --- what no driver may do -------------------------------------------------------------------- */

static void test_forged(void)
{
	const uint16_t next = VIRTQ_DESC_F_NEXT;
	struct fixture *f = setup(SIZE);
	struct chain chain;

	for (unsigned i = 0; i < SIZE; i++)
		ring_put(&f->ring, f->page, 1, 0, next);
	ok(pop_faults(f, "goes on in slot 0, which is not available (virtio 2.8.17)"),
		"HARD-19 HARD-05 a list without an end, as available as one lap can be");

	again(f);
	ring_put(&f->ring, f->page, 1, 0, next);
	ok(pop_faults(f, "goes on in slot 1, which is not available (virtio 2.8.17)"),
		"HARD-19 PACK-DRV-02 (2.8.17) a list that is not all there");
	again(f);
	ring_put(&f->ring, f->page, 1, 0, next);
	ring_set_slot(&f->ring, 1, f->page, 1, 0, ring_used_bits(true));
	ok(pop_faults(f, "goes on in slot 1"), "HARD-19 PACK-DRV-06 (2.8.1) in other bits");

	/* Slots 6, 7 and 0, of which 0 is in flight: made available early, for the next lap. */
	again(f);
	for (unsigned i = 0; i < 6; i++) {
		ring_add_one(&f->ring, f->page, 1, false);
		virtq_pop(&f->vq, &chain);
	}
	for (unsigned i = 0; i < 3; i++)
		ring_put(&f->ring, f->page, 1, 0, i < 2 ? next : 0);
	ok(pop_faults(f, "list from slot 6 needs more than the 2 slots that are free"),
		"HARD-19 PACK-DRV-04 (2.8.17) a list over slots in flight");

	/* The same for slots whose use was not published yet: else a pass might never end. */
	again(f);
	for (unsigned i = 0; i < SIZE; i++) {
		ring_add_one(&f->ring, f->page, 1, false);
		virtq_pop(&f->vq, &chain);
		virtq_push(&f->vq, &chain, 0);
	}
	ring_put(&f->ring, f->page, 1, 0, 0);
	ok(pop_faults(f, "needs more than the 0 slots that are free"),
		"HARD-18 HARD-19 a buffer more before one was seen used");

	again(f);
	for (unsigned i = 0; i < SIZE; i++)
		ring_put(&f->ring, f->page, 1, 0, i + 1 < SIZE ? next : 0);
	is(virtq_pop(&f->vq, &chain), 1, "PACK-DEV-19 (2.8.18) a list may be as long as the ring");
	is(chain.readable_count, SIZE, "all segments are there");
	teardown(f);
}

static void test_elements(void)
{
	const uint16_t next = VIRTQ_DESC_F_NEXT, write = VIRTQ_DESC_F_WRITE;
	struct fixture *f = setup(SIZE);
	struct chain chain;

	ring_put(&f->ring, f->page, 1, 0, write | next);
	ring_put(&f->ring, f->page, 1, 0, 0);
	ok(pop_faults(f, "after a device-writable one (virtio 2.8.17)"),
		"HARD-10 readable after writable is refused");
	again(f);
	ring_put(&f->ring, ROM_BASE, 16, 0, write);
	ok(pop_faults(f, "not in writable RAM (virtio 2.8.4)"),
		"HARD-10 a buffer to be written in read-only memory");
	again(f);
	ring_put(&f->ring, RAM_END - 1, 2, 0, 0);
	ok(pop_faults(f, "not in RAM (virtio 2.8.4)"), "HARD-09 a buffer over the end of memory");
	again(f);
	ring_put(&f->ring, UINT64_MAX, 0, 0, next);
	ring_put(&f->ring, f->page, 4, 0, next);
	ring_put(&f->ring, 1, 0, 0, write);
	ok(virtq_pop(&f->vq, &chain) == 1 && chain.readable_count == 1 && chain.writable_len == 0 &&
			chain.slots == 3,
		"HARD-11 empty elements count as slots, and as nothing else");
	teardown(f);
}

static void test_enable_again(void)
{
	struct fixture *f = setup(SIZE);
	struct chain chain;

	for (unsigned i = 0; i < SIZE + 3; i++)
		use(f, 1);
	ring_add_one(&f->ring, f->page, 8, true);
	virtq_pop(&f->vq, &chain);
	virtq_disable(&f->vq);
	ring_init(&f->ring, &f->ram, SIZE - 1, f->features);
	is(enable(f), 0, "a queue that was stopped is enabled again, elsewhere, smaller");
	ring_add_one(&f->ring, f->page, 8, true);
	ok(virtq_pop(&f->vq, &chain) == 1 && chain.id == 0,
		"BASE-DEV-06 (2.6.1.1.1) and starts in slot 0, with a wrap counter of 1");
	virtq_push(&f->vq, &chain, 8);
	virtq_publish(&f->vq);
	ok(ring_pending(&f->ring), "BASE-DEV-06 (2.6.1.1.1) for used buffers too");
	teardown(f);
}

/* --- a driver that changes its mind ----------------------------------------------------------- */

struct toggler {
	struct fixture *f;
	atomic_bool stop;
};

/* Changes slot 0 between harmless and hostile, field by field, as fast as it can. */
static void *toggle(void *arg)
{
	struct toggler *t = arg;
	struct virtq_packed_desc *desc = ram_at(&t->f->ram, t->f->ring.desc);

	for (unsigned i = 0; !t->stop; i++) {
		bool bad = i & 1;
		uint16_t flags =
			ring_avail_bits(true) | (bad ? VIRTQ_DESC_F_NEXT : VIRTQ_DESC_F_WRITE);

		__atomic_store_n(&desc->addr.raw, bad ? RAM_END : t->f->page, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->len.raw, bad ? UINT32_MAX : 16, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->id.raw, i, __ATOMIC_RELAXED);
		atomic_store_explicit(&desc->flags.raw, i & 2 ? flags : 0, memory_order_relaxed);
	}
	return NULL;
}

static void test_double_fetch(void)
{
	struct fixture *f = setup(SIZE);
	struct toggler t = {.f = f};
	unsigned insane = 0, taken = 0, refused = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, toggle, &t);
	while (taken < 5000 || refused < 5000) {
		struct chain chain;
		int got;

		f->vq.packed.avail = (struct virtq_position){0, true};
		f->vq.packed.outstanding = 0;
		got = virtq_pop(&f->vq, &chain);
		refused += got < 0;
		if (got == 1) {
			const struct iovec *iov = &f->vq.segments[0];
			size_t offset = (uint8_t *)iov->iov_base - f->ram.bytes;

			taken++;
			insane += offset >= RAM_END || iov->iov_len > RAM_END - offset ||
				  chain.slots != 1;
		}
	}
	t.stop = true;
	pthread_join(thread, NULL);
	is(insane, 0, "HARD-08 a slot that changes under our eyes (%u taken, %u refused)", taken,
		refused);
	teardown(f);
}

/* --- two threads ------------------------------------------------------------------------------ */

#define STRESS 20000

static atomic_bool stress_stop;

/* The device: gives every list back with its content copied to the writable part. */
static void *serve(void *arg)
{
	struct fixture *f = arg;

	while (!stress_stop) {
		struct chain chain;
		uint32_t content;

		if (virtq_pop(&f->vq, &chain) != 1) {
			sched_yield();
			continue;
		}
		chain_read(&chain, 0, &content, sizeof content);
		chain_write(&chain, 0, &content, sizeof content);
		virtq_push(&f->vq, &chain, content);
		virtq_publish(&f->vq);
	}
	return NULL;
}

static void test_order(void)
{
	struct fixture *f = setup(5);
	uint32_t *words = ram_at(&f->ram, f->page);
	unsigned wrong = 0, changed = 0;
	pthread_t thread;

	stress_stop = false;
	pthread_create(&thread, NULL, serve, f);
	for (uint32_t i = 0; i < STRESS; i++) {
		struct buffer echo[] = {{f->page, 4, false}, {f->page + 4, 4, true}};
		struct ring_position at;
		struct used used;
		uint16_t head;

		words[0] = i;
		words[1] = ~i;
		head = ring_add(&f->ring, echo, 2);
		at = f->ring.take;
		while (!ring_take(&f->ring, &used))
			sched_yield();
		wrong += used.id != head || used.len != i || words[1] != i;
		changed += ring_slot_flags(&f->ring, at.slot) != used.flags;
	}
	stress_stop = true;
	pthread_join(thread, NULL);
	is(wrong, 0, "HARD-22 PACK-DEV-20 (2.8.2) a polling driver sees a used descriptor whole");
	is(changed, 0, "PACK-DEV-06 (2.8.15) it does not change any more");
	teardown(f);
}

int main(void)
{
	test_size();
	test_areas();
	test_pop();
	test_id();
	test_laps();
	test_wrap();
	test_out_of_order();
	test_push();
	test_driver_event();
	test_event_modes();
	test_device_event(0);
	test_device_event(EVENT_IDX);
	test_indirect();
	test_indirect_abuse();
	test_forged();
	test_elements();
	test_enable_again();
	test_double_fetch();
	test_order();
	return tap_done();
}
