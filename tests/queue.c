/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "virtio.h"

int queue_enable(struct queue *queue)
{
	struct virtq *vq = &queue->vq;

	vq->size = queue->ring.size;
	vq->desc = queue->ring.desc;
	vq->driver = queue->ring.avail;
	vq->device = queue->ring.used;
	return virtq_enable(vq, &queue->ram.gmem, VIRTQ_SIZE_MAX, queue->features);
}

struct queue *queue_new(uint16_t size, uint64_t features)
{
	struct queue *queue = calloc(1, sizeof *queue);

	queue->features = features;
	ram_init(&queue->ram);
	queue->page = ram_alloc(&queue->ram, 4096, 4096);
	queue->ring_begin = queue->ram.next;
	ring_init(&queue->ring, &queue->ram, size, features);
	queue->ring_end = queue->ram.next;
	queue_enable(queue);
	return queue;
}

void queue_free(struct queue *queue)
{
	ram_free(&queue->ram);
	free(queue);
}

void queue_again(struct queue *queue)
{
	gpa_t next = queue->ram.next;

	virtq_reset(&queue->vq);
	memset(ram_at(&queue->ram, queue->ring_begin), 0, queue->ring_end - queue->ring_begin);
	queue->ram.next = queue->ring_begin;
	ring_init(&queue->ring, &queue->ram, queue->ring.size, queue->features);
	queue->ram.next = next;
	queue_enable(queue);
}

bool queue_faults(struct queue *queue, const char *word)
{
	struct chain chain;

	return virtq_pop(&queue->vq, &chain) == -EPROTO && strstr(queue->vq.fault, word) != NULL;
}

bool queue_refuses(struct queue *queue, uint32_t size, gpa_t desc, gpa_t driver, gpa_t device)
{
	bool packed = queue->features & VIRTIO_BIT(VIRTIO_F_RING_PACKED);
	struct virtq *vq = &queue->vq;

	virtq_reset(vq);
	vq->size = size;
	vq->desc = desc;
	vq->driver = driver;
	vq->device = device;
	return virtq_enable(vq, &queue->ram.gmem, 64, queue->features) == -EINVAL && !vq->ready &&
	       strstr(vq->fault, packed ? "virtio 2.8" : "virtio 2.7") != NULL;
}

bool queue_sane(const struct queue *queue, const struct chain *chain)
{
	unsigned count = chain->readable_count + chain->writable_count;

	for (unsigned i = 0; i < count; i++) {
		const struct iovec *iov = &queue->vq.segments[i];
		size_t offset = (uint8_t *)iov->iov_base - queue->ram.bytes;

		if (offset >= RAM_END || iov->iov_len > RAM_END - offset)
			return false;
	}
	return true;
}

bool queue_use(struct queue *queue, unsigned batch)
{
	struct chain chain;
	struct used used;
	bool due;

	for (unsigned i = 0; i < batch; i++) {
		ring_add_one(&queue->ring, queue->page, 8, true);
		virtq_pop(&queue->vq, &chain);
		virtq_push(&queue->vq, &chain, 8);
	}
	due = virtq_publish(&queue->vq);
	while (ring_take(&queue->ring, &used))
		;
	return due;
}

void *queue_serve(void *arg)
{
	struct queue_server *server = arg;
	struct virtq *vq = &server->queue->vq;

	while (!server->stop) {
		struct chain chain;
		uint32_t content;

		if (virtq_pop(vq, &chain) != 1) {
			sched_yield();
			continue;
		}
		chain_read(&chain, 0, &content, sizeof content);
		chain_write(&chain, 0, &content, sizeof content);
		virtq_push(vq, &chain, content);
		virtq_publish(vq);
	}
	return NULL;
}
