/* SPDX-License-Identifier: BSD-2-Clause */
/* Split virtqueues: the event index (virtio 2.7.7.2, 2.7.10). */
#include "../virtq_fixture.h"

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

int main(void)
{
	test_used_event();
	test_avail_event();
	test_enable_again();
	return tap_done();
}
