/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/record.h"

#include <vole/virtio_mmio.h>

#include "story/cursor.h"

#define SEGMENT_BYTES 16

static struct record_bytes rest(struct cursor *in, uint64_t uncut)
{
	size_t len = cursor_left(in);

	return (struct record_bytes){.at = take_bytes(in, len), .len = len, .uncut = uncut};
}

static void read_access(struct record_access *access, struct cursor *in)
{
	access->offset = take_u32(in);
	access->len = take_u32(in);
	access->value = take_u64(in);
	access->selected = take_u32(in);
	access->place.len = take_u16(in);
	access->place.at = take_bytes(in, access->place.len);
	access->place.uncut = 0;
}

static void read_queue(struct record_queue *queue, struct cursor *in)
{
	queue->size = take_u32(in);
	take_u32(in);
	for (unsigned i = 0; i < 3; i++)
		queue->areas[i] = take_u64(in);
}

static void read_chain(struct record_chain *chain, struct cursor *in, uint64_t uncut)
{
	chain->id = take_u16(in);
	chain->count = take_u16(in);
	chain->readable_count = take_u32(in);
	chain->readable_len = take_u64(in);
	chain->writable_len = take_u64(in);
	chain->segments = take_bytes(in, (size_t)chain->count * SEGMENT_BYTES);
	chain->payload = rest(in, uncut);
	in->is_short |= chain->readable_count > chain->count;
}

static void read_used(struct record_used *used, struct cursor *in, uint64_t uncut)
{
	used->id = take_u16(in);
	take_u16(in);
	used->len = take_u32(in);
	used->shown = take_u64(in);
	used->payload = rest(in, uncut);
}

static void read_interrupt(struct record_interrupt *interrupt, struct cursor *in)
{
	interrupt->bit = take_u32(in);
	interrupt->pin = take_u32(in);
	interrupt->vector = take_u32(in);
	interrupt->destination = take_u32(in);
	interrupt->obstacle = take_u32(in);
}

static void read_ring(struct record_ring *ring, struct cursor *in, bool has_place)
{
	ring->area = take_u8(in);
	take_bytes(in, 3);
	ring->offset = take_u32(in);
	ring->place.len = has_place ? take_u16(in) : 0;
	ring->place.at = take_bytes(in, ring->place.len);
	ring->bytes = rest(in, 0);
	in->is_short |= ring->area > 2;
}

/* Takes what is behind the head. Returns false if the kind is not known. */
static bool read_body(struct record *record, struct cursor *in, uint64_t uncut)
{
	switch (record->kind) {
	case CAPTURE_READ:
	case CAPTURE_WRITE:
		read_access(&record->access, in);
		return true;
	case CAPTURE_STATUS:
		record->status.before = take_u8(in);
		record->status.now = take_u8(in);
		return true;
	case CAPTURE_QUEUE_READY:
		read_queue(&record->ready, in);
		return true;
	case CAPTURE_CHAIN:
		read_chain(&record->taken, in, uncut);
		return true;
	case CAPTURE_USED:
		read_used(&record->used, in, uncut);
		return true;
	case CAPTURE_INTERRUPT:
		read_interrupt(&record->interrupt, in);
		return true;
	case CAPTURE_NO_INTERRUPT:
		record->suppression = take_u32(in);
		return true;
	case CAPTURE_REPORT:
		take_u32(in);
		record->report = rest(in, uncut);
		return true;
	case CAPTURE_RING:
	case CAPTURE_STORE:
		read_ring(&record->ring, in, record->kind == CAPTURE_STORE);
		return true;
	case CAPTURE_NAME:
		record->name.address = take_u64(in);
		record->name.text = rest(in, 0);
		return true;
	case CAPTURE_MARK:
		record->mark = take_u32(in);
		return true;
	case CAPTURE_SERVE:
	case CAPTURE_HOST_BEGIN:
	case CAPTURE_HOST_END:
		return true;
	}
	return false;
}

/* Returns whether a record of this kind is about a queue. */
static bool needs_queue(enum capture_kind kind)
{
	return kind == CAPTURE_QUEUE_READY || kind == CAPTURE_SERVE || kind == CAPTURE_CHAIN ||
	       kind == CAPTURE_USED || kind == CAPTURE_RING || kind == CAPTURE_STORE;
}

bool record_is_kick(const struct record *record)
{
	return record->kind == CAPTURE_WRITE && record->access.len == 4 &&
	       record->access.offset == VIRTIO_MMIO_QUEUE_NOTIFY;
}

enum record_fault packet_record(struct record *record, const struct packet *packet)
{
	struct cursor in = cursor_of(packet->bytes, packet->len);
	uint8_t version = take_u8(&in);

	*record = (struct record){.ns = packet->ns, .chain = packet->id};
	record->kind = take_u8(&in);
	record->device = take_u16(&in);
	record->device_id = take_u32(&in);
	record->queue = take_u16(&in);
	record->cpu = take_u16(&in);
	record->flags = take_u8(&in);
	take_bytes(&in, 3);
	if (in.is_short)
		return RECORD_DAMAGED;
	if (version != CAPTURE_VERSION || !read_body(record, &in, packet->uncut))
		return RECORD_LATER;
	if (in.is_short || (needs_queue(record->kind) && record->queue == CAPTURE_NO_QUEUE))
		return RECORD_DAMAGED;
	return RECORD_FINE;
}
