/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: when either side is notified. */
#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)

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

int main(void)
{
	test_driver_event();
	test_event_modes();
	test_device_event(0);
	test_device_event(EVENT_IDX);
	return tap_done();
}
