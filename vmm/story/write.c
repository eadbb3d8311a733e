/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_mmio.h>

#include "mmio_register.h"
#include "see/json.h"
#include "see/words.h"
#include "story/cursor.h"
#include "story/explain.h"
#include "story/names.h"
#include "story/problems.h"
#include "story/sentence.h"
#include "story/stores.h"

#define DATA_VERSION 1

struct writer {
	struct json json;
	struct steps steps;
	const struct overview *overview;
	struct text text;
	struct names names;
	bool has_begun; /* the first step was written */
	bool is_shown;  /* the step that is open */
};

/* Adds a text that was put together. */
static void add_words(struct writer *writer, const char *name)
{
	json_string(&writer->json, name, writer->text.bytes);
}

static void add_bytes(struct json *json, const struct record_bytes *bytes)
{
	size_t len = bytes->len < STORY_BYTES_MAX ? bytes->len : STORY_BYTES_MAX;
	uint64_t left_out = bytes->len - len + bytes->uncut;

	json_bytes(json, "bytes", bytes->at, len);
	if (left_out > 0)
		json_uint(json, "bytes_left_out", left_out);
}

/* --- the beginning of the data ---------------------------------------------------------------- */

/* Adds what the page lacks, an item for each line. */
static void add_problems(struct writer *writer)
{
	char *line, *rest = writer->text.bytes;

	text_begin(&writer->text);
	problems_add(&writer->text, writer->overview);
	json_begin_array(&writer->json, "problems", false);
	while ((line = strsep(&rest, "\n")) && rest)
		json_string(&writer->json, NULL, line);
	json_end_array(&writer->json);
}

static void add_explanations(struct json *json)
{
	json_begin_array(json, "explanations", false);
	for (unsigned i = 0; i < EXPLAIN_COUNT; i++) {
		json_begin_object(json, NULL, true);
		if (explanations[i].clause)
			json_string(json, "clause", explanations[i].clause);
		json_string(json, "text", explanations[i].text);
		json_end_object(json);
	}
	json_end_array(json);
}

static void begin_data(struct writer *writer, const char *name)
{
	const struct overview *overview = writer->overview;
	struct json *json = &writer->json;

	json_begin_object(json, NULL, false);
	json_uint(json, "version", DATA_VERSION);
	json_string(json, "capture", name);
	json_string(json, "application", overview->application);
	json_uint(json, "steps_in_capture", overview->steps);
	json_uint(json, "chain", overview->choice.chain);
	json_string(json, "specification", EXPLAIN_SPECIFICATION);
	add_problems(writer);
	add_explanations(json);
}

/* --- queues ----------------------------------------------------------------------------------- */

static void add_queue(struct json *json, const struct story_queue *queue)
{
	json_uint(json, "size", queue->size);
	json_uint(json, "packed", queue->is_packed);
	json_uint(json, "event_idx", queue->has_event_idx);
	json_begin_array(json, "areas", true);
	for (unsigned i = 0; i < AREAS; i++)
		json_hex(json, NULL, queue->at[i], 8);
	json_end_array(json);
}

/* The queues that are ready before the first step, with all of their areas. */
static void add_ready_queues(struct writer *writer)
{
	struct json *json = &writer->json;

	json_begin_array(json, "queues", false);
	for (unsigned i = 0; i < DEVICE_COUNT * VIRTIO_QUEUES_MAX; i++) {
		unsigned device = i / VIRTIO_QUEUES_MAX, number = i % VIRTIO_QUEUES_MAX;
		const struct story_queue *queue =
			&writer->steps.devices.device[device].queues[number];

		if (queue->size == 0)
			continue;
		json_begin_object(json, NULL, true);
		json_uint(json, "device", device);
		json_uint(json, "queue", number);
		add_queue(json, queue);
		json_begin_array(json, "bytes", true);
		for (unsigned area = 0; area < AREAS; area++)
			json_bytes(json, NULL, queue->bytes[area], queue->len[area]);
		json_end_array(json);
		json_end_object(json);
	}
	json_end_array(json);
}

/* Status and InterruptStatus of the devices, before the first step. */
static void add_registers(struct writer *writer)
{
	struct json *json = &writer->json;

	json_begin_array(json, "registers", true);
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		const struct story_device *device = &writer->steps.devices.device[i];

		if (!device->is_known)
			continue;
		json_begin_object(json, NULL, true);
		json_uint(json, "device", i);
		json_uint(json, "status", device->status);
		json_uint(json, "interrupt_status", device->interrupt_status);
		json_end_object(json);
	}
	json_end_array(json);
}

static void add_devices(struct writer *writer)
{
	struct json *json = &writer->json;

	json_begin_array(json, "devices", false);
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		const struct story_device *device = &writer->steps.devices.device[i];
		const char *name = words_device(device->id);

		if (!device->is_known)
			continue;
		json_begin_object(json, NULL, true);
		json_uint(json, "number", i);
		json_string(json, "name", name ? name : "device");
		json_end_object(json);
	}
	json_end_array(json);
}

/* --- steps ------------------------------------------------------------------------------------ */

static const char *kind_of(const struct record *record)
{
	static const char *const names[] = {
		[CAPTURE_READ] = "read",
		[CAPTURE_WRITE] = "write",
		[CAPTURE_STATUS] = "status",
		[CAPTURE_QUEUE_READY] = "ready",
		[CAPTURE_SERVE] = "serve",
		[CAPTURE_CHAIN] = "chain",
		[CAPTURE_USED] = "used",
		[CAPTURE_INTERRUPT] = "interrupt",
		[CAPTURE_NO_INTERRUPT] = "no interrupt",
		[CAPTURE_HOST_BEGIN] = "host begins",
		[CAPTURE_HOST_END] = "host ends",
		[CAPTURE_REPORT] = "report",
		[CAPTURE_RING] = "ring",
		[CAPTURE_MARK] = "mark",
		[CAPTURE_STORE] = "store",
	};

	return record_is_kick(record) ? "kick" : names[record->kind];
}

/* Returns who makes a step. */
static const char *side_of(const struct step *step)
{
	switch (step->record.kind) {
	case CAPTURE_READ:
	case CAPTURE_WRITE:
	case CAPTURE_QUEUE_READY:
	case CAPTURE_MARK:
	case CAPTURE_STORE:
		return "driver";
	case CAPTURE_HOST_BEGIN:
	case CAPTURE_HOST_END:
		return "host";
	case CAPTURE_REPORT:
		return "vole";
	case CAPTURE_RING:
		return step->changes.by_device ? "device" : "driver";
	default:
		return "device";
	}
}

static void add_place(struct writer *writer, const struct record_bytes *place)
{
	if (place->len == 0)
		return;
	text_begin(&writer->text);
	text_add(&writer->text, "%.*s", (int)place->len, (const char *)place->at);
	add_words(writer, "place");
}

static void add_access(struct writer *writer, const struct record_access *access)
{
	struct json *json = &writer->json;
	const char *name = access->offset < VIRTIO_MMIO_CONFIG
				   ? mmio_registers[access->offset / 4].name
				   : "Config";

	json_string(json, "register", name ? name : "none");
	json_uint(json, "offset", access->offset);
	json_hex(json, "value", access->value, 8);
	add_place(writer, &access->place);
}

static void add_chain(struct writer *writer, const struct record *record)
{
	const struct record_chain *chain = &record->taken;
	unsigned shown = chain->count < STORY_SEGMENTS_MAX ? chain->count : STORY_SEGMENTS_MAX;
	struct cursor in = cursor_of(chain->segments, chain->count * 16u);
	struct json *json = &writer->json;

	json_uint(json, "id", chain->id);
	text_begin(&writer->text);
	sentence_request(&writer->text, record, &writer->steps.devices.device[record->device]);
	add_words(writer, "request");
	json_uint(json, "readable", chain->readable_count);
	json_begin_array(json, "segments", true);
	for (unsigned i = 0; i < shown; i++) {
		json_begin_array(json, NULL, true);
		json_hex(json, NULL, take_u64(&in), 8);
		json_uint(json, NULL, take_u64(&in));
		json_end_array(json);
	}
	json_end_array(json);
	if (chain->count > shown)
		json_uint(json, "segments_left_out", chain->count - shown);
	add_bytes(json, &chain->payload);
}

static void add_used(struct json *json, const struct record *record)
{
	const char *result = sentence_result(record);

	json_uint(json, "id", record->used.id);
	json_uint(json, "written", record->used.len);
	if (result)
		json_string(json, "result", result);
	add_bytes(json, &record->used.payload);
}

/* What a record has besides its sentence. */
static void add_fields(struct writer *writer, const struct record *record)
{
	struct json *json = &writer->json;

	switch (record->kind) {
	case CAPTURE_READ:
	case CAPTURE_WRITE:
		add_access(writer, &record->access);
		break;
	case CAPTURE_STATUS:
		json_uint(json, "status", record->status.now);
		break;
	case CAPTURE_CHAIN:
		add_chain(writer, record);
		break;
	case CAPTURE_USED:
		add_used(json, record);
		break;
	case CAPTURE_INTERRUPT:
		json_uint(json, "bit", record->interrupt.bit);
		json_uint(json, "is_lost", record->interrupt.obstacle != 0);
		break;
	default:
		break;
	}
}

static void add_head(struct json *json, const struct step *step)
{
	const struct record *record = &step->record;

	json_uint(json, "n", step->number);
	json_uint(json, "ns", record->ns);
	json_string(json, "by", side_of(step));
	json_string(json, "kind", kind_of(record));
	if (record->device != CAPTURE_NO_DEVICE)
		json_uint(json, "device", record->device);
	if (record_is_kick(record))
		json_uint(json, "queue", record->access.value & 0xffff);
	else if (record->queue != CAPTURE_NO_QUEUE)
		json_uint(json, "queue", record->queue);
	if (record->cpu != CAPTURE_NO_CPU)
		json_uint(json, "cpu", record->cpu);
	if (record->chain > 0)
		json_uint(json, "chain", record->chain);
}

static bool has_changes(const struct record *record)
{
	return record->kind == CAPTURE_RING || record->kind == CAPTURE_STORE ||
	       record->kind == CAPTURE_QUEUE_READY;
}

static void add_store(struct writer *writer, const struct record *record)
{
	const struct story_queue *queue = story_queue_of(&writer->steps.devices, record);

	text_begin(&writer->text);
	store_words(&writer->text, queue, &record->ring);
	add_words(writer, "says");
	json_uint(&writer->json, "why", store_explain(queue, &record->ring));
	add_place(writer, &record->ring.place);
}

static void begin_step(void *ctx, const struct step *step)
{
	struct writer *writer = ctx;
	const struct record *record = &step->record;
	struct json *json = &writer->json;

	writer->is_shown = choice_has(writer->overview, step);
	if (!writer->is_shown)
		return;
	if (!writer->has_begun) {
		add_ready_queues(writer);
		add_registers(writer);
		json_begin_array(json, "steps", false);
		writer->has_begun = true;
	}
	json_begin_object(json, NULL, true);
	add_head(json, step);
	if (record->kind == CAPTURE_STORE) {
		add_store(writer, record);
	} else if (record->kind != CAPTURE_RING) {
		text_begin(&writer->text);
		sentence(&writer->text, record,
			record->device < DEVICE_COUNT
				? &writer->steps.devices.device[record->device]
				: NULL);
		add_words(writer, "says");
		json_uint(json, "why", explain_record(record));
		add_fields(writer, record);
	}
	if (record->kind == CAPTURE_QUEUE_READY) {
		struct story_queue queue = {.size = record->ready.size,
			.is_packed = record->flags & CAPTURE_FLAG_PACKED,
			.has_event_idx = record->flags & CAPTURE_FLAG_EVENT_IDX};

		memcpy(queue.at, record->ready.areas, sizeof queue.at);
		add_queue(json, &queue);
	}
	if (has_changes(record))
		json_begin_array(json, "ring", true);
}

static void add_change(void *ctx, const struct step *step, const struct record_ring *ring)
{
	struct writer *writer = ctx;
	struct json *json = &writer->json;

	(void)step;
	if (!writer->is_shown)
		return;
	json_begin_array(json, NULL, true);
	json_uint(json, NULL, ring->area);
	json_uint(json, NULL, ring->offset);
	json_bytes(json, NULL, ring->bytes.at, ring->bytes.len);
	json_end_array(json);
}

static void add_name(void *ctx, const struct record_name *name)
{
	struct writer *writer = ctx;

	names_add(&writer->names, name);
}

static bool end_step(void *ctx, const struct step *step)
{
	struct writer *writer = ctx;
	const struct record *record = &step->record;
	struct json *json = &writer->json;

	if (!writer->is_shown)
		return true;
	if (has_changes(record))
		json_end_array(json);
	if (record->kind == CAPTURE_RING) {
		bool is_packed = record->flags & CAPTURE_FLAG_PACKED;

		text_begin(&writer->text);
		changes_words(&writer->text, &step->changes, is_packed);
		add_words(writer, "says");
		json_uint(json, "why", changes_explain(&step->changes, is_packed));
	}
	json_end_object(json);
	return step->number < writer->overview->last;
}

int story_write(FILE *page, FILE *capture, const char *name, const struct overview *overview)
{
	static const struct steps_visitor visitor = {begin_step, add_change, add_name, end_step};
	struct writer *writer = calloc(1, sizeof *writer);
	int ret;

	if (!writer)
		return -ENOMEM;
	writer->json = (struct json){.file = page};
	writer->overview = overview;
	begin_data(writer, name);
	ret = steps_walk(&writer->steps, capture, &visitor, writer);
	if (writer->has_begun)
		json_end_array(&writer->json);
	add_devices(writer);
	names_write(&writer->names, &writer->json);
	json_end_object(&writer->json);
	steps_free(&writer->steps);
	free(writer);
	return ret;
}
