/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/changes.h"

#include <inttypes.h>
#include <string.h>

#include "story/cursor.h"

/* Where a packed descriptor's flags are, and the bytes of an entry of the used ring. */
#define PACKED_FLAGS 14
#define USED_ENTRY   8
#define AVAIL_ENTRY  2
#define RING_HEAD    4 /* flags and idx of either ring */

#define PLACE_MAX 16 /* bytes of the longest item, a descriptor */

/* --- what changes ----------------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *bytes, size_t len)
{
	struct cursor in = cursor_of(bytes, len);

	return take_number(&in, len);
}

/* Sets now to what a place of an area is after a change, and returns whether that is something
 * else than before. len is at most PLACE_MAX. */
static bool place_changes(const struct story_queue *queue, const struct record_ring *ring,
	size_t at, size_t len, uint8_t *now)
{
	const uint8_t *before = queue->bytes[ring->area] + at;
	size_t start = ring->offset, end = start + ring->bytes.len;

	memcpy(now, before, len);
	for (size_t i = 0; i < len; i++)
		if (at + i >= start && at + i < end)
			now[i] = ring->bytes.at[at + i - start];
	return memcmp(now, before, len) != 0;
}

/* Returns whether a change makes another number of a field, and sets *value to it. */
static bool field_changes(const struct story_queue *queue, const struct record_ring *ring,
	size_t at, size_t len, uint64_t *value)
{
	uint8_t now[PLACE_MAX];
	bool changes = place_changes(queue, ring, at, len, now);

	*value = number_at(now, len);
	return changes;
}

static void add_items(struct changed_items *items, const struct story_queue *queue,
	const struct record_ring *ring, size_t base, size_t width)
{
	uint8_t now[PLACE_MAX];

	for (unsigned i = 0; i < queue->size; i++) {
		if (!place_changes(queue, ring, base + i * width, width, now))
			continue;
		if (items->count++ == 0)
			items->first = i;
		items->last = i;
	}
}

bool changes_by_device(const struct story_queue *queue, const struct record_ring *ring)
{
	struct changed_items items = {0};
	uint64_t flags;

	if (ring->area != AREA_DESCRIPTOR || !queue->is_packed)
		return ring->area == AREA_DEVICE;
	add_items(&items, queue, ring, 0, sizeof(struct virtq_packed_desc));
	if (items.count == 0)
		return false;
	field_changes(queue, ring, items.first * sizeof(struct virtq_packed_desc) + PACKED_FLAGS, 2,
		&flags);
	return !(flags & VIRTQ_DESC_F_AVAIL) == !(flags & VIRTQ_DESC_F_USED);
}

void changes_add(
	struct changes *changes, const struct story_queue *queue, const struct record_ring *ring)
{
	size_t width = ring->area == AREA_DEVICE ? USED_ENTRY : AVAIL_ENTRY;
	uint64_t value;

	changes->by_device = changes_by_device(queue, ring);
	if (ring->area == AREA_DESCRIPTOR) {
		add_items(&changes->descriptors, queue, ring, 0, sizeof(struct virtq_desc));
		return;
	}
	if (queue->is_packed) {
		if (field_changes(queue, ring, 0, sizeof(struct virtq_event), &value)) {
			changes->has_event = true;
			changes->event = (uint32_t)value;
		}
		return;
	}
	if (field_changes(queue, ring, 0, 2, &value)) {
		changes->has_flags = true;
		changes->flags = (uint16_t)value;
	}
	if (field_changes(queue, ring, 2, 2, &value)) {
		changes->has_idx = true;
		changes->idx = (uint16_t)value;
	}
	add_items(&changes->entries, queue, ring, RING_HEAD, width);
	if (field_changes(queue, ring, RING_HEAD + queue->size * width, 2, &value)) {
		changes->has_event = true;
		changes->event = (uint32_t)value;
	}
}

/* --- in words --------------------------------------------------------------------------------- */

/* Adds "descriptor 3" or "descriptors 3 to 5" or, if others lie between, "4 descriptors". */
static const char *add_run(struct text *text, const struct changed_items *items,
	const char *between, const char *one, const char *many)
{
	if (items->count == 0)
		return between;
	if (items->count == 1)
		text_add(text, "%s%s %u", between, one, items->first);
	else if (items->last - items->first == items->count - 1)
		text_add(text, "%s%s %u to %u", between, many, items->first, items->last);
	else
		text_add(text, "%s%u %s", between, items->count, many);
	return ", ";
}

static void add_suppression(struct text *text, const char *between, uint32_t word)
{
	text_add(text, "%swhen it wants to be notified: ", between);
	switch (word >> 16 & 3) {
	case VIRTQ_EVENT_ENABLE:
		text_add(text, "always");
		break;
	case VIRTQ_EVENT_DISABLE:
		text_add(text, "never");
		break;
	default:
		text_add(text, "at descriptor %" PRIu32 ", wrap counter %" PRIu32, word & 0x7fff,
			word >> 15 & 1);
		break;
	}
}

void changes_words(struct text *text, const struct changes *changes, bool is_packed)
{
	const char *between = "";

	text_add(text, "The %s has written ", changes->by_device ? "device" : "driver");
	between = add_run(text, &changes->descriptors, between,
		is_packed && changes->by_device ? "used descriptor" : "descriptor",
		is_packed && changes->by_device ? "used descriptors" : "descriptors");
	between = add_run(text, &changes->entries, between,
		changes->by_device ? "used element" : "available entry",
		changes->by_device ? "used elements" : "available entries");
	if (changes->has_flags) {
		text_add(text, "%sflags = %u", between, changes->flags);
		between = ", ";
	}
	if (changes->has_idx) {
		text_add(text, "%sidx = %u", between, changes->idx);
		between = ", ";
	}
	if (changes->has_event && is_packed)
		add_suppression(text, between, changes->event);
	else if (changes->has_event)
		text_add(text, "%s%s = %" PRIu32, between,
			changes->by_device ? "avail_event" : "used_event", changes->event);
	else if (!*between)
		text_add(text, "what was there before");
}

enum explain changes_explain(const struct changes *changes, bool is_packed)
{
	if (is_packed && changes->descriptors.count > 0)
		return changes->by_device ? EXPLAIN_PACKED_USED : EXPLAIN_PACKED_AVAILABLE;
	if (is_packed)
		return changes->by_device ? EXPLAIN_DEVICE_EVENT : EXPLAIN_DRIVER_EVENT;
	if (changes->has_idx)
		return changes->by_device ? EXPLAIN_USED_RING : EXPLAIN_MADE_AVAILABLE;
	if (changes->entries.count > 0)
		return changes->by_device ? EXPLAIN_USED_ELEMENT : EXPLAIN_DESCRIPTORS;
	if (changes->descriptors.count > 0)
		return EXPLAIN_DESCRIPTORS;
	if (changes->has_event)
		return changes->by_device ? EXPLAIN_AVAIL_EVENT : EXPLAIN_USED_EVENT;
	return changes->by_device ? EXPLAIN_USED_FLAGS : EXPLAIN_AVAILABLE_FLAGS;
}
