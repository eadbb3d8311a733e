/* SPDX-License-Identifier: BSD-2-Clause */
/* The referee: chains that the device owns. */
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "see/check_parts.h"
#include "see/check_say.h"

/* --- what a chain looks like ------------------------------------------------------------------ */

/* Copies the descriptors of a split queue's chain. How long it is the device has validated. */
static void copy_descriptors(const struct virtq *vq, struct check_chain *chain)
{
	uint16_t index = chain->id;

	while (chain->desc_count < vq->size && index < vq->size) {
		struct virtq_desc *desc = &chain->descs[chain->desc_count];

		gmem_copy_in(desc, &vq->split.table[index], sizeof *desc);
		chain->indices[chain->desc_count++] = index;
		if (!(le16_to_cpu(desc->flags) & VIRTQ_DESC_F_NEXT))
			return;
		index = le16_to_cpu(desc->next);
	}
}

/* A number that differs, most likely, if the bytes do (FNV-1a, eight bytes at a time). */
static uint64_t digest(const struct iovec *segments, unsigned count)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *bytes = segments[i].iov_base;
		uint64_t word = 0;

		for (size_t at = 0; at < segments[i].iov_len; at += sizeof word) {
			size_t left = segments[i].iov_len - at;

			gmem_copy_in(&word, bytes + at, left < sizeof word ? left : sizeof word);
			hash = (hash ^ word) * 0x100000001b3;
			hash ^= hash >> 29;
		}
	}
	return hash;
}

/* Returns NULL if there is no memory: then the chain is not followed. */
static struct check_chain *make_chain(
	const struct virtio_device *device, const struct virtq *vq, const struct chain *taken)
{
	unsigned count = taken->readable_count + taken->writable_count;
	struct check_chain *chain = malloc(sizeof *chain + count * sizeof *chain->segments);

	if (!chain)
		return NULL;
	chain->id = taken->id;
	chain->is_used = false;
	chain->desc_count = 0;
	if (!virtio_has_feature(device, VIRTIO_F_RING_PACKED))
		copy_descriptors(vq, chain);
	chain->segment_count = count;
	chain->readable_count = taken->readable_count;
	for (unsigned i = 0; i < count; i++)
		chain->segments[i] = i < taken->readable_count
					     ? taken->readable[i]
					     : taken->writable[i - taken->readable_count];
	chain->header_len = chain_read(taken, 0, chain->header, sizeof chain->header);
	chain->digest = digest(taken->readable, taken->readable_count);
	return chain;
}

/* --- what two chains may not share ------------------------------------------------------------ */

static bool segments_overlap(const struct iovec *a, const struct iovec *b)
{
	uintptr_t a_at = (uintptr_t)a->iov_base, b_at = (uintptr_t)b->iov_base;

	return a_at < b_at + b->iov_len && b_at < a_at + a->iov_len;
}

static void report_overlap(struct check *check, const struct event *event,
	const struct iovec *segment, const struct check_chain *other)
{
	const struct gmem *gmem = event->virtio->chain->gmem;
	const struct check_chain *own =
		check_device(check, event)->queues[event->virtio->queue].chains;

	check_broken(check, event, CHECK_BUFFER_OVERLAP, event->virtio->queue,
		"chain %u: buffer of %zu byte%s at 0x%" PRIx64 "%s", event->virtio->chain->id,
		segment->iov_len, PLURAL(segment->iov_len), gmem_address(gmem, segment->iov_base),
		own == other ? ", within the chain" : "");
}

/* One of the two is written by the device. */
static void compare_buffers(struct check *check, const struct event *event,
	const struct check_chain *own, const struct check_chain *other)
{
	for (unsigned i = 0; i < own->segment_count; i++)
		for (unsigned j = own == other ? i + 1 : 0; j < other->segment_count; j++)
			if ((i >= own->readable_count || j >= other->readable_count) &&
				segments_overlap(&own->segments[i], &other->segments[j])) {
				report_overlap(check, event, &own->segments[i], other);
				return;
			}
}

/* All chains that this device owns. */
static void look_at_buffers(
	struct check *check, const struct event *event, const struct check_chain *own)
{
	const struct check_device *device = check_device(check, event);
	const struct gmem *gmem = event->virtio->chain->gmem;

	for (unsigned i = 0; i < event->device->queue_count; i++)
		for (const struct check_chain *other = device->queues[i].chains; other;
			other = other->next)
			compare_buffers(check, event, own, other);
	for (unsigned i = own->readable_count; i < own->segment_count; i++) {
		gpa_t at = gmem_address(gmem, own->segments[i].iov_base);
		size_t len = own->segments[i].iov_len;

		if (check_is_in_areas(event->device, at, len))
			check_broken(check, event, CHECK_BUFFER_IN_RING, event->virtio->queue,
				"chain %u: buffer of %zu byte%s at 0x%" PRIx64, own->id, len,
				PLURAL(len), at);
	}
}

/* A split queue's descriptors. One whose chain was given back is the driver's when it can see that,
 * which check_chain_seen() is told of. Returns false if they are part of another chain, too. */
static bool look_at_descriptors(
	struct check *check, const struct event *event, const struct check_chain *chain)
{
	struct check_queue *queue = &check_device(check, event)->queues[event->virtio->queue];
	bool are_free = true;

	for (unsigned i = 0; i < chain->desc_count; i++) {
		uint16_t index = chain->indices[i], *owner = &queue->owners[index];

		if (*owner == chain->id + 1 && i == 0)
			check_broken(check, event, CHECK_HEAD_TWICE, event->virtio->queue,
				"descriptor %u", index);
		else if (*owner && *owner != chain->id + 1)
			check_broken(check, event, CHECK_DESCRIPTOR_TWICE, event->virtio->queue,
				"descriptor %u, of the chains from %u and %u", index, *owner - 1,
				chain->id);
		are_free &= *owner == 0;
		*owner = chain->id + 1;
	}
	return are_free;
}

static void look_at_id(
	struct check *check, const struct event *event, const struct check_chain *own)
{
	for (const struct check_chain *other = own->next; other; other = other->next)
		if (other->id == own->id)
			check_broken(check, event, CHECK_ID_TWICE, event->virtio->queue, "id %u",
				own->id);
}

/* virtio 2.7.5.2: the next descriptor in the table, or from the last one to the first. */
static void look_at_order(
	struct check *check, const struct event *event, const struct check_chain *chain)
{
	const struct virtq *vq = &event->device->queues[event->virtio->queue];

	if (!virtio_has_feature(event->device, VIRTIO_F_IN_ORDER))
		return;
	for (unsigned i = 1; i < chain->desc_count; i++)
		if (chain->indices[i] != (chain->indices[i - 1] + 1) % vq->size)
			check_broken(check, event, CHECK_IN_ORDER, event->virtio->queue,
				"descriptor %u comes after %u", chain->indices[i],
				chain->indices[i - 1]);
}

void check_chain_taken(struct check *check, const struct event *event)
{
	const struct virtio_device *device = event->device;
	unsigned number = (unsigned)event->virtio->queue;
	struct check_queue *queue = &check_device(check, event)->queues[number];
	struct check_chain *chain;

	check_chain_seen(check, event, number);
	chain = make_chain(device, &device->queues[number], event->virtio->chain);
	if (!chain)
		return;
	chain->next = queue->chains;
	queue->chains = chain;
	if (virtio_has_feature(device, VIRTIO_F_RING_PACKED))
		look_at_id(check, event, chain);
	else
		look_at_order(check, event, chain);
	/* Else its buffers are those of the other chain, of course. */
	if (look_at_descriptors(check, event, chain))
		look_at_buffers(check, event, chain);
}

/* --- what may not change ---------------------------------------------------------------------- */

static void compare_descriptors(
	struct check *check, const struct event *event, const struct check_chain *chain)
{
	const struct virtq *vq = &event->device->queues[event->virtio->queue];

	for (unsigned i = 0; i < chain->desc_count; i++) {
		uint16_t index = chain->indices[i];

		if (memcmp(&chain->descs[i], &vq->split.table[index], sizeof *chain->descs) != 0)
			check_broken(check, event, CHECK_DESCRIPTOR_CHANGED, event->virtio->queue,
				"descriptor %u at 0x%" PRIx64, index,
				vq->desc + index * sizeof *chain->descs);
	}
}

/* A disk's driver that goes on with the header of its next request; or data that the driver cannot
 * know whether the device has seen. */
static void compare_bytes(
	struct check *check, const struct event *event, const struct check_chain *chain)
{
	const struct chain *used = event->virtio->chain;
	uint8_t header[sizeof chain->header];
	size_t len = chain_read(used, 0, header, sizeof header);

	if (event->device->ops->id == VIRTIO_ID_BLOCK && len == chain->header_len &&
		memcmp(header, chain->header, len) != 0)
		check_broken(check, event, CHECK_HEADER_CHANGED, event->virtio->queue,
			"request of chain %u", chain->id);
	else if (digest(used->readable, used->readable_count) != chain->digest)
		check_broken(check, event, CHECK_DATA_CHANGED, event->virtio->queue,
			"request of chain %u", chain->id);
}

void check_chain_used(struct check *check, const struct event *event)
{
	struct check_queue *queue = &check_device(check, event)->queues[event->virtio->queue];

	for (struct check_chain *chain = queue->chains; chain; chain = chain->next) {
		if (chain->id != event->virtio->chain->id || chain->is_used)
			continue;
		compare_descriptors(check, event, chain);
		compare_bytes(check, event, chain);
		chain->is_used = true;
		return;
	}
}

/* --- chains that are the driver's again ------------------------------------------------------- */

static void forget_chain(struct check_queue *queue, struct check_chain *chain)
{
	for (unsigned i = 0; i < chain->desc_count; i++)
		if (queue->owners[chain->indices[i]] == chain->id + 1)
			queue->owners[chain->indices[i]] = 0;
	free(chain);
}

/* Whether the driver sees all chains that were given back. */
static bool is_published(const struct event *event, unsigned number)
{
	const struct virtq *vq = &event->device->queues[number];

	return virtio_has_feature(event->device, VIRTIO_F_RING_PACKED)
		       ? vq->packed.batch == 0
		       : vq->split.used_next == vq->split.used_shown;
}

void check_chain_seen(struct check *check, const struct event *event, unsigned number)
{
	struct check_queue *queue = &check_device(check, event)->queues[number];
	struct check_chain **at = &queue->chains;

	if (!is_published(event, number))
		return;
	while (*at) {
		struct check_chain *chain = *at;

		if (!chain->is_used) {
			at = &chain->next;
			continue;
		}
		*at = chain->next;
		forget_chain(queue, chain);
	}
}

void check_queue_forget(struct check_queue *queue)
{
	unsigned kept = queue->done;

	while (queue->chains) {
		struct check_chain *chain = queue->chains;

		queue->chains = chain->next;
		free(chain);
	}
	*queue = (struct check_queue){.done = kept, .published_by = EVENT_NO_CPU};
}
