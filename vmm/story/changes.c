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

/* Items of width bytes, the first of them at base, that a change may have touched: from first to
 * the one before end. */
struct touched {
	unsigned first, end;
};

static struct touched touched_items(
	const struct story_queue *queue, const struct record_ring *ring, size_t base, size_t width)
{
	size_t start = ring->offset > base ? ring->offset - base : 0;
	size_t stop = ring->offset + ring->bytes.len;
	size_t end = stop > base ? (stop - base + width - 1) / width : 0;

	return (struct touched){
		(unsigned)(start / width), (unsigned)(end < queue->size ? end : queue->size)};
}

static void add_items(struct changed_items *items, const struct story_queue *queue,
	const struct record_ring *ring, size_t base, size_t width)
{
	const struct touched touched = touched_items(queue, ring, base, width);
	uint8_t now[PLACE_MAX];

	for (unsigned i = touched.first; i < touched.end; i++) {
		if (!place_changes(queue, ring, base + i * width, width, now))
			continue;
		if (items->count++ == 0)
			items->first = i;
		items->last = i;
	}
}

/* Says of a packed descriptor that changes whose it was and is, by its flags. Returns whether they
 * change. */
static bool flags_change(const struct story_queue *queue, const struct record_ring *ring,
	unsigned i, bool *was_available, bool *is_available)
{
	size_t at = i * sizeof(struct virtq_packed_desc) + PACKED_FLAGS;
	uint64_t was = number_at(queue->bytes[AREA_DESCRIPTOR] + at, 2), now;
	bool changes = field_changes(queue, ring, at, 2, &now);

	*was_available = !(was & VIRTQ_DESC_F_AVAIL) != !(was & VIRTQ_DESC_F_USED);
	*is_available = !(now & VIRTQ_DESC_F_AVAIL) != !(now & VIRTQ_DESC_F_USED);
	return changes;
}

/* With new flags, a descriptor was written by who gives it away; with those it had, by who has
 * it. */
bool changes_by_device(const struct story_queue *queue, const struct record_ring *ring)
{
	struct changed_items items = {0};
	bool was_available, is_available;

	if (ring->area != AREA_DESCRIPTOR || !queue->is_packed)
		return ring->area == AREA_DEVICE;
	add_items(&items, queue, ring, 0, sizeof(struct virtq_packed_desc));
	if (items.count == 0)
		return false;
	if (flags_change(queue, ring, items.first, &was_available, &is_available))
		return !is_available;
	return was_available;
}

static void add_descriptors(
	struct changes *changes, const struct story_queue *queue, const struct record_ring *ring)
{
	const size_t size = sizeof(struct virtq_desc);
	const struct touched touched = touched_items(queue, ring, 0, size);
	bool was_available, is_available;

	add_items(&changes->descriptors, queue, ring, 0, size);
	for (unsigned i = touched.first; queue->is_packed && i < touched.end; i++)
		changes->has_flags |= flags_change(queue, ring, i, &was_available, &is_available);
}

void changes_add(
	struct changes *changes, const struct story_queue *queue, const struct record_ring *ring)
{
	size_t width = ring->area == AREA_DEVICE ? USED_ENTRY : AVAIL_ENTRY;
	uint64_t value;

	changes->by_device = changes_by_device(queue, ring);
	if (ring->area == AREA_DESCRIPTOR) {
		add_descriptors(changes, queue, ring);
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

static void add_suppression(struct text *text, const char *between, uint32_t word, const char *what)
{
	text_add(text, "%swhen it wants %s: ", between, what);
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
	if (is_packed && changes->by_device && changes->has_flags)
		between = add_run(text, &changes->descriptors, between, "used descriptor",
			"used descriptors");
	else if (is_packed && changes->by_device)
		between = add_run(text, &changes->descriptors, between,
			"id and length of descriptor", "id and length of descriptors");
	else
		between =
			add_run(text, &changes->descriptors, between, "descriptor", "descriptors");
	between = add_run(text, &changes->entries, between,
		changes->by_device ? "used element" : "available entry",
		changes->by_device ? "used elements" : "available entries");
	if (changes->has_flags && !is_packed) {
		text_add(text, "%sflags = %u", between, changes->flags);
		between = ", ";
	}
	if (changes->has_idx) {
		text_add(text, "%sidx = %u", between, changes->idx);
		between = ", ";
	}
	if (changes->has_event && is_packed)
		add_suppression(
			text, between, changes->event, changes->by_device ? "kicks" : "interrupts");
	else if (changes->has_event)
		text_add(text, "%s%s = %" PRIu32, between,
			changes->by_device ? "avail_event" : "used_event", changes->event);
	else if (!*between)
		text_add(text, "what was there before");
}

enum explain changes_explain(const struct changes *changes, bool is_packed)
{
	if (is_packed && changes->descriptors.count > 0 && !changes->by_device)
		return EXPLAIN_PACKED_AVAILABLE;
	if (is_packed && changes->descriptors.count > 0)
		return changes->has_flags ? EXPLAIN_PACKED_USED : EXPLAIN_PACKED_ELEMENT;
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
