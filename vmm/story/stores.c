/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/stores.h"

#include <inttypes.h>

#include "report.h"
#include "story/cursor.h"

/* A field, by where it is in its structure. */
struct field {
	const char *name;
	unsigned at, len;
	enum { FIELD_NUMBER, FIELD_ADDRESS, FIELD_FLAGS } kind;
};

static const struct field split_fields[] = {
	{"address", 0, 8, FIELD_ADDRESS},
	{"lower half of the address", 0, 4, FIELD_ADDRESS},
	{"upper half of the address", 4, 4, FIELD_ADDRESS},
	{"length", 8, 4, FIELD_NUMBER},
	{"flags", 12, 2, FIELD_FLAGS},
	{"next", 14, 2, FIELD_NUMBER},
	{NULL, 0, 0, FIELD_NUMBER},
};

static const struct field packed_fields[] = {
	{"address", 0, 8, FIELD_ADDRESS},
	{"lower half of the address", 0, 4, FIELD_ADDRESS},
	{"upper half of the address", 4, 4, FIELD_ADDRESS},
	{"length", 8, 4, FIELD_NUMBER},
	{"id", 12, 2, FIELD_NUMBER},
	{"flags", 14, 2, FIELD_FLAGS},
	{NULL, 0, 0, FIELD_NUMBER},
};

#define DESC_SIZE  16
#define RING_HEAD  4 /* flags and idx of the available ring */
#define ENTRY_SIZE 2

/* Returns whether a store has all bytes of a place in its area, and sets *value to them. */
static bool stores(const struct record_ring *store, size_t at, size_t len, uint64_t *value)
{
	struct cursor in;

	if (at < store->offset || at + len > store->offset + store->bytes.len)
		return false;
	in = cursor_of(store->bytes.at + (at - store->offset), len);
	*value = take_number(&in, len);
	return true;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static void add_flags(struct text *text, uint64_t flags)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{VIRTQ_DESC_F_NEXT, "NEXT"},
		{VIRTQ_DESC_F_WRITE, "WRITE"},
		{VIRTQ_DESC_F_INDIRECT, "INDIRECT"},
		{VIRTQ_DESC_F_AVAIL, "AVAIL"},
		{VIRTQ_DESC_F_USED, "USED"},
	};
	const char *between = "";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(flags & names[i].bit))
			continue;
		text_add(text, "%s%s", between, names[i].name);
		between = " ";
	}
	if (!*between)
		text_add(text, "0");
}

/* Adds the fields of a descriptor that a store has, the whole of an address before its halves. */
static void add_descriptor(struct text *text, const struct story_queue *queue,
	const struct record_ring *store, unsigned number)
{
	const struct field *fields = queue->is_packed ? packed_fields : split_fields;
	const char *between = ": ";
	unsigned end = 0;
	uint64_t value;

	text_add(text, "The driver stores in descriptor %u", number);
	for (const struct field *field = fields; field->name; field++) {
		if (field->at < end ||
			!stores(store, number * DESC_SIZE + field->at, field->len, &value))
			continue;
		end = field->at + field->len;
		text_add(text, "%s%s = ", between, field->name);
		between = ", ";
		if (field->kind == FIELD_FLAGS)
			add_flags(text, value);
		else
			text_add(text, field->kind == FIELD_ADDRESS ? "0x%08" PRIx64 : "%" PRIu64,
				value);
	}
	if (end == 0)
		text_add(text, ": %zu byte%s", store->bytes.len, PLURAL(store->bytes.len));
}

/* --- the driver's own area -------------------------------------------------------------------- */

static size_t used_event_at(const struct story_queue *queue)
{
	return RING_HEAD + (size_t)queue->size * ENTRY_SIZE;
}

static void add_available(
	struct text *text, const struct story_queue *queue, const struct record_ring *store)
{
	const char *between = "";
	uint64_t value;

	text_add(text, "The driver stores in the available ring: ");
	if (stores(store, 0, 2, &value)) {
		text_add(text, "flags = %" PRIu64, value);
		between = ", ";
	}
	if (stores(store, 2, 2, &value)) {
		text_add(text, "%sidx = %" PRIu64, between, value);
		between = ", ";
	}
	for (unsigned i = 0; i < queue->size; i++) {
		if (!stores(store, RING_HEAD + i * ENTRY_SIZE, ENTRY_SIZE, &value))
			continue;
		text_add(text, "%sentry %u = %" PRIu64, between, i, value);
		between = ", ";
	}
	if (stores(store, used_event_at(queue), 2, &value))
		text_add(text, "%sused_event = %" PRIu64, between, value);
}

/* --- all -------------------------------------------------------------------------------------- */

void store_words(
	struct text *text, const struct story_queue *queue, const struct record_ring *store)
{
	uint64_t word;

	if (store->area == AREA_DESCRIPTOR &&
		store->offset % DESC_SIZE + store->bytes.len <= DESC_SIZE)
		add_descriptor(text, queue, store, store->offset / DESC_SIZE);
	else if (store->area == AREA_DRIVER && !queue->is_packed)
		add_available(text, queue, store);
	else if (store->area == AREA_DRIVER && stores(store, 0, 4, &word))
		text_add(text, "The driver stores when it wants interrupts: 0x%08" PRIx64, word);
	else
		text_add(text, "The driver stores %zu byte%s in the %s", store->bytes.len,
			PLURAL(store->bytes.len),
			store->area == AREA_DESCRIPTOR ? "descriptors"
			: store->area == AREA_DRIVER   ? "driver area"
						       : "device area");
}

enum explain store_explain(const struct story_queue *queue, const struct record_ring *store)
{
	uint64_t value;

	if (store->area == AREA_DESCRIPTOR && queue->is_packed)
		return stores(store, store->offset / DESC_SIZE * DESC_SIZE + 14, 2, &value)
			       ? EXPLAIN_PACKED_AVAILABLE
			       : EXPLAIN_PACKED_DESCRIPTOR;
	if (store->area == AREA_DESCRIPTOR)
		return EXPLAIN_DESCRIPTORS;
	if (store->area == AREA_DEVICE)
		return EXPLAIN_NOT_ITS_OWN;
	if (queue->is_packed)
		return EXPLAIN_DRIVER_EVENT;
	if (stores(store, 2, 2, &value))
		return EXPLAIN_AVAILABLE_IDX;
	if (store->offset >= used_event_at(queue))
		return EXPLAIN_USED_EVENT;
	return store->offset >= RING_HEAD ? EXPLAIN_AVAILABLE_ENTRY : EXPLAIN_AVAILABLE_FLAGS;
}
