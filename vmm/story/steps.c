/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/steps.h"

#include <string.h>

/* Returns whether a change of a ring belongs to the step that is open. */
static bool goes_on(struct steps *steps, const struct record *record)
{
	const struct record *open = &steps->step.record;

	if (!steps->is_open || record->kind != CAPTURE_RING || open->device != record->device ||
		open->queue != record->queue || open->ns != record->ns)
		return false;
	if (open->kind == CAPTURE_QUEUE_READY)
		return true;
	return open->kind == CAPTURE_RING &&
	       steps->step.changes.by_device ==
		       changes_by_device(story_queue_of(&steps->devices, record), &record->ring);
}

static void end_step(struct steps *steps, const struct steps_visitor *visitor, void *ctx)
{
	if (steps->is_open && !visitor->end(ctx, &steps->step))
		steps->ended = true;
	steps->is_open = false;
}

static void take_record(struct steps *steps, const struct record *record,
	const struct steps_visitor *visitor, void *ctx)
{
	struct step *step = &steps->step;

	if (!goes_on(steps, record)) {
		end_step(steps, visitor, ctx);
		if (steps->ended)
			return;
		*step = (struct step){.number = step->number + 1, .record = *record};
		if (record->kind == CAPTURE_RING)
			step->changes.by_device = changes_by_device(
				story_queue_of(&steps->devices, record), &record->ring);
		visitor->begin(ctx, step);
		steps->is_open = true;
	}
	if (record->kind == CAPTURE_RING) {
		changes_add(&step->changes, story_queue_of(&steps->devices, record), &record->ring);
		visitor->change(ctx, step, &record->ring);
	} else if (record->kind == CAPTURE_STORE) {
		visitor->change(ctx, step, &record->ring);
	}
	if (steps->error == 0)
		steps->error = story_apply(&steps->devices, record);
	steps->ended |= steps->error < 0;
}

/* Takes what has changed in a packed ring side by side: the driver may have written to places next
 * to those that the device gave back. */
static void take_packed(struct steps *steps, const struct record *record,
	const struct steps_visitor *visitor, void *ctx)
{
	const struct story_queue *queue = story_queue_of(&steps->devices, record);
	const size_t size = sizeof(struct virtq_packed_desc);
	struct record part = *record;
	struct record_ring *ring = &part.ring, next;

	while (!steps->ended && ring->bytes.len > 0) {
		size_t left = ring->bytes.len;
		bool by_device;

		ring->bytes.len = size;
		by_device = changes_by_device(queue, ring);
		next = *ring;
		for (;;) {
			next.offset += (uint32_t)size;
			next.bytes.at += size;
			if (ring->bytes.len == left || changes_by_device(queue, &next) != by_device)
				break;
			ring->bytes.len += size;
		}
		left -= ring->bytes.len;
		take_record(steps, &part, visitor, ctx);
		*ring = next;
		ring->bytes.len = left;
	}
}

static bool is_packed_change(struct steps *steps, const struct record *record)
{
	const size_t size = sizeof(struct virtq_packed_desc);

	return record->kind == CAPTURE_RING && record->ring.area == AREA_DESCRIPTOR &&
	       story_queue_of(&steps->devices, record)->is_packed &&
	       record->ring.offset % size == 0 && record->ring.bytes.len % size == 0;
}

int steps_walk(struct steps *steps, FILE *file, const struct steps_visitor *visitor, void *ctx)
{
	struct packet packet;
	int ret;

	memset(steps, 0, sizeof *steps);
	ret = reader_init(&steps->reader, file);
	if (ret < 0)
		return ret;
	while (!steps->ended && reader_next(&steps->reader, &packet)) {
		struct story_beyond beyond;
		struct record record;
		enum record_fault fault = packet_record(&record, &packet);

		steps->lost += packet.lost;
		if (fault == RECORD_FINE)
			fault = story_check(&steps->devices, &record, &beyond);
		steps->damaged += fault == RECORD_DAMAGED;
		steps->later += fault == RECORD_LATER;
		if (fault == RECORD_BEYOND && steps->beyond++ == 0)
			steps->first_beyond = beyond;
		if (fault == RECORD_FINE && record.kind == CAPTURE_NAME)
			visitor->name(ctx, &record.name);
		else if (fault == RECORD_FINE && is_packed_change(steps, &record))
			take_packed(steps, &record, visitor, ctx);
		else if (fault == RECORD_FINE)
			take_record(steps, &record, visitor, ctx);
	}
	if (!steps->ended)
		end_step(steps, visitor, ctx);
	if (steps->error < 0)
		steps_free(steps);
	return steps->error;
}

void steps_free(struct steps *steps)
{
	reader_free(&steps->reader);
	story_free(&steps->devices);
}
