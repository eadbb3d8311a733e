/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue, device side: indirect tables. */
#include "../queue.h"
#include "../tap.h"
#include "virtio.h"

#define SIZE 8

#define PACKED   VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)

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

int main(void)
{
	test_indirect();
	test_indirect_abuse();
	return tap_done();
}
