/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: what it takes, what it gives back, and what it refuses. How a
 * chain is judged is the same for both forms, and mostly tried in virtq.c. */
#include <pthread.h>
#include <sched.h>

#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT  VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)

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

/* --- events ----------------------------------------------------------------------------------- */

/* Both sides go on at this position, as if they had come so far. */
static void start_at(struct queue *q, struct ring_position at)
{
	queue_again(q);
	for (unsigned i = 0; i < q->ring.size; i++) {
		bool wrap = i < at.slot ? at.wrap : !at.wrap;

		ring_set_slot(&q->ring, i, 0, 0, 0, ring_used_bits(wrap));
	}
	q->vq.packed.avail = q->vq.packed.used = (struct virtq_position){at.slot, at.wrap};
	q->ring.add = q->ring.take = at;
}

/* Every batch from every slot of a ring of five, against every event. */
static void test_driver_event(void)
{
	const unsigned size = 5;
	struct queue *q = queue_new(size, PACKED | EVENT_IDX);
	unsigned missing = 0, spurious = 0, tried = 0;

	for (unsigned start = 0; start < 2 * size; start++) {
		for (unsigned batch = 1; batch <= size; batch++) {
			for (unsigned event = 0; event < 2 * size; event++) {
				struct ring_position from = {start % size, start < size};
				struct ring_position at = {event % size, event < size};
				bool hit = (event + 2 * size - start) % (2 * size) < batch, due;

				start_at(q, from);
				ring_set_driver_event(&q->ring, VIRTQ_EVENT_DESC, at);
				due = queue_use(q, batch);
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
			{q->page, 1, true}, {q->page, 1, true}, {q->page, 1, true}};
		struct chain chain;

		queue_again(q);
		ring_set_driver_event(
			&q->ring, VIRTQ_EVENT_DESC, (struct ring_position){event, true});
		ring_add(&q->ring, three, 3);
		virtq_pop(&q->vq, &chain);
		virtq_push(&q->vq, &chain, 3);
		is(virtq_publish(&q->vq), event < 3,
			"PACK-DEV-11 (2.8.10) slot %u, a list of 0 to 2", event);
	}
	queue_free(q);
}

static void test_event_modes(void)
{
	struct queue *q = queue_new(SIZE, PACKED);
	const struct ring_position far = {5, false};
	unsigned notified = 0;

	ok(queue_use(q, 1), "PACK-DEV-11 (2.8.10) enabled by zeros");
	ring_set_driver_event(&q->ring, VIRTQ_EVENT_DISABLE, far);
	for (unsigned i = 0; i < 1000; i++)
		notified += queue_use(q, 1);
	is(notified, 0, "PACK-DEV-11 (2.8.10) disabled: no notification for 1000 buffers");
	ring_set_driver_event(&q->ring, VIRTQ_EVENT_ENABLE, far);
	ok(queue_use(q, 1), "PACK-DEV-11 (2.8.10) enabled: whatever the slot");
	ring_set_driver_event(&q->ring, VIRTQ_EVENT_DESC, far);
	ok(queue_use(q, 1), "RES-DEV-07 (2.8.10) one slot has no meaning without EVENT_IDX");
	ring_set_driver_event(&q->ring, 3, far);
	ok(queue_use(q, 1), "2.8.10 of a mode that does not exist the driver is not left waiting");
	ring_set_driver_event(&q->ring, 0xfffc | VIRTQ_EVENT_DISABLE, far);
	ok(!queue_use(q, 1), "2.8.14 reserved bits have no meaning");
	queue_free(q);
}

static void test_device_event(uint64_t features)
{
	struct queue *q = queue_new(5, PACKED | features);
	const char *name = features ? "with EVENT_IDX" : "without EVENT_IDX";
	uint32_t next = VIRTQ_EVENT_DESC << 16;
	struct chain chain;

	is(ring_device_event(&q->ring), 0, "PACK-DEV-12 (2.8.10) %s: enabled at first", name);
	virtq_silence(&q->vq);
	is(ring_device_event(&q->ring), VIRTQ_EVENT_DISABLE << 16,
		"PACK-DEV-12 (2.8.10) %s: disabled while the queue is served", name);
	ok(!virtq_listen(&q->vq), "%s: nothing came meanwhile", name);
	is(ring_device_event(&q->ring), features ? next | VIRTQ_EVENT_WRAP : 0,
		"PACK-DEV-12 (2.8.10) %s: then the next slot, or enabled", name);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(ring_wants_kick(&q->ring), "%s: filling it takes a kick", name);
	virtq_silence(&q->vq);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(!ring_wants_kick(&q->ring), "%s: the one after that takes none", name);
	while (virtq_pop(&q->vq, &chain) == 1)
		virtq_push(&q->vq, &chain, 0);
	virtq_publish(&q->vq);
	ring_add_one(&q->ring, q->page, 8, true);
	ok(!ring_wants_kick(&q->ring) && virtq_listen(&q->vq),
		"%s: nor a third, so listening must find it, and does", name);

	virtq_silence(&q->vq);
	ok(!virtq_listen(&q->vq), "%s: a list that waits is not new, so nobody spins", name);
	ring_add_one(&q->ring, q->page, 8, true);
	ring_add_one(&q->ring, q->page, 8, true);
	virtq_silence(&q->vq);
	while (virtq_pop(&q->vq, &chain) == 1)
		virtq_push(&q->vq, &chain, 0);
	virtq_publish(&q->vq);
	virtq_listen(&q->vq);
	is(ring_device_event(&q->ring), features ? next : 0,
		"PACK-DEV-12 (2.8.10) %s: in the next lap", name);
	ok(ring_guards_intact(&q->ring), "%s: nothing is written outside the three areas", name);
	queue_free(q);
}

/* --- indirect tables -------------------------------------------------------------------------- */

static void test_indirect(void)
{
	struct queue *q = queue_new(SIZE, PACKED | INDIRECT);
	gpa_t memory = q->page + 2048;
	const uint16_t write = VIRTQ_DESC_F_WRITE;
	struct chain chain;
	struct used used;

	for (unsigned offset = 0; offset < 2; offset++) {
		gpa_t table = memory + offset;

		queue_again(q);
		/* All that the device is to ignore: NEXT, INDIRECT, AVAIL, USED, ids. */
		ram_set_packed_desc(&q->ram, table, 0, q->page, 10, 0xffff, 0xffff & ~write);
		ram_set_packed_desc(&q->ram, table, 1, q->page + 100, 20, 0, 0);
		ram_set_packed_desc(&q->ram, table, 2, q->page + 200, 30, 7, 0xffff);
		ring_put(&q->ring, table, 48, 99, VIRTQ_DESC_F_INDIRECT | write);
		ok(virtq_pop(&q->vq, &chain) == 1 && chain.readable_count == 2 &&
				chain.readable_len == 30 && chain.writable_len == 30 &&
				chain.readable[1].iov_base == ram_at(&q->ram, q->page + 100),
			"PACK-DEV-07 PACK-DEV-14 HARD-27 (2.8.7) a table, in sequence, at offset "
			"%u",
			offset);
		ok(chain.id == 99 && chain.slots == 1, "takes one slot, and its id from there");
	}
	virtq_push(&q->vq, &chain, 30);
	virtq_publish(&q->vq);
	ok(ring_take(&q->ring, &used) && used.id == 99 && used.len == 30, "and comes back");
	queue_free(q);
}

static void test_indirect_abuse(void)
{
	const uint16_t indirect = VIRTQ_DESC_F_INDIRECT, next = VIRTQ_DESC_F_NEXT;
	struct queue *q = queue_new(SIZE, PACKED | INDIRECT);
	gpa_t table = q->page + 2048;

	ring_put(&q->ring, table, 48 + 1, 1, indirect);
	ok(queue_faults(q, "not a multiple of 16 (virtio 2.8.7)"), "HARD-06 a table of 49 bytes");
	queue_again(q);
	ring_put(&q->ring, table, 0, 1, indirect);
	ok(queue_faults(q, "not a multiple of 16 (virtio 2.8.7)"), "HARD-06 a table of nothing");
	queue_again(q);
	ring_put(&q->ring, table, 257 * 16, 1, indirect);
	ok(queue_faults(q, "of at most 256 (virtio 2.8.19)"),
		"HARD-06 PACK-DEV-19 (2.8.18) a table of 257 descriptors");
	queue_again(q);
	ring_put(&q->ring, table, 16, 1, indirect | next);
	ring_put(&q->ring, q->page, 16, 1, 0);
	ok(queue_faults(q, "both INDIRECT and NEXT (virtio 2.8.19)"),
		"HARD-06 PACK-DRV-11 (2.8.19) INDIRECT at the start of a list");
	queue_again(q);
	ring_put(&q->ring, q->page, 16, 1, next);
	ring_put(&q->ring, table, 16, 1, indirect);
	ok(queue_faults(q, "indirect descriptor in a list (virtio 2.8.19)"),
		"HARD-06 PACK-DRV-11 (2.8.19) INDIRECT at the end of a list");
	queue_again(q);
	ring_put(&q->ring, RAM_END - 16, 32, 1, indirect);
	ok(queue_faults(q, "is not in RAM (virtio 2.8.7)"),
		"HARD-09 a table over the end of memory");

	q->features = PACKED;
	queue_again(q);
	ring_put(&q->ring, table, 16, 1, indirect);
	ok(queue_faults(q, "INDIRECT_DESC was not negotiated (virtio 2.8.19)"),
		"PACK-DRV-09 (2.8.19) not without INDIRECT_DESC");
	queue_free(q);
}

/* --- what no driver may do -------------------------------------------------------------------- */

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

	/* The same for slots whose use was not published yet: else a pass might never end. */
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
	test_pop();
	test_available();
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
