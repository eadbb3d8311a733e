/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/outside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/stream.h"

void outside_init(struct outside *outside, const struct outside_host *ops, void *ctx, bool is_past)
{
	outside->ops = ops;
	outside->ctx = ctx;
	outside->is_past = is_past;
}

void outside_free(struct outside *outside)
{
	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		free(outside->ports[i].output);
	journal_free(&outside->journal);
}

/* --- the past --------------------------------------------------------------------------------- */

static bool is_port(const struct outside *outside, const struct journal_entry *entry)
{
	return outside->ports[entry->number].host != NULL;
}

/* Hands an entry to a port, which exists. */
static void repeat_port(struct outside *outside, const struct journal_entry *entry)
{
	struct outside_port *port = &outside->ports[entry->number];
	uint16_t cols = port->cols, rows = port->rows;

	if (entry->kind == JOURNAL_PORT) {
		outside_port_set_state(port, entry->value);
	} else if (entry->kind == JOURNAL_INPUT_END) {
		port->has_ended = true;
		port->end = entry->value;
	} else {
		memcpy(port->input, entry->data, entry->len);
		port->input_len = entry->len;
	}
	if (cols != port->cols || rows != port->rows)
		outside->ops->window(outside->ctx, entry->number);
	outside->ops->input(outside->ctx, entry->number);
}

static void repeat_size(struct outside *outside, const struct journal_entry *entry)
{
	if (!outside->disks[entry->number].host) {
		outside_diverge(outside, "the record has a size for a disk that does not exist");
		return;
	}
	outside->disks[entry->number].backend.capacity = (uint64_t)entry->value;
	outside->ops->resize(outside->ctx, entry->number);
}

/* Repeats an entry that came by itself. Returns false if it is one that something asks for. */
static bool repeat(struct outside *outside, const struct journal_entry *entry)
{
	if (entry->kind == JOURNAL_ENTROPY_READY) {
		outside->ops->entropy(outside->ctx);
		return true;
	}
	if (entry->kind == JOURNAL_MARK)
		return true;
	if (entry->kind == JOURNAL_DISK_SIZE) {
		repeat_size(outside, entry);
		return true;
	}
	if (entry->kind != JOURNAL_PORT && entry->kind != JOURNAL_INPUT &&
		entry->kind != JOURNAL_INPUT_END)
		return false;
	if (is_port(outside, entry))
		repeat_port(outside, entry);
	else
		outside_diverge(outside, "the record has input for a port that does not exist");
	return true;
}

/* Whether something asks for an entry, or looks at it, at its position. */
static bool is_asked_for(const struct journal_entry *entry)
{
	return entry->kind == JOURNAL_STOP || entry->kind == JOURNAL_ENTROPY ||
	       entry->kind == JOURNAL_DISK;
}

static void take_from_journal(struct outside *outside)
{
	struct journal_entry entry;

	while (journal_next(&outside->journal, &entry) && entry.turns <= outside->position.turns) {
		if (is_asked_for(&entry) &&
			(entry.kind == JOURNAL_STOP || entry.turns == outside->position.turns))
			return;
		if (entry.turns != outside->position.turns ||
			entry.instructions != outside->position.instructions) {
			outside_diverge(outside,
				"what came after instruction %" PRIu64 " has no place: %" PRIu64
				" are executed",
				entry.instructions, outside->position.instructions);
			return;
		}
		journal_advance(&outside->journal);
		if (!repeat(outside, &entry))
			return;
	}
}

/* --- the present ------------------------------------------------------------------------------ */

void outside_port_ready(struct outside *outside, unsigned number)
{
	outside->ports[number].is_ready = true;
	outside_port_flush(&outside->ports[number]);
}

void outside_entropy_ready(struct outside *outside)
{
	outside->entropy_ready = true;
}

void outside_ask_sizes(struct outside *outside)
{
	outside->sizes_asked = true;
}

void outside_resized(struct outside *outside, unsigned number, uint64_t sectors)
{
	outside->disks[number].backend.capacity = sectors;
	outside_note(outside,
		(struct journal_entry){
			.kind = JOURNAL_DISK_SIZE, .number = number, .value = (int64_t)sectors});
	outside->ops->resize(outside->ctx, number);
}

void outside_take(struct outside *outside, const struct engine_position *position)
{
	outside->position = *position;
	if (outside->is_past) {
		take_from_journal(outside);
		return;
	}
	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		if (outside->ports[i].is_ready)
			outside_port_take(&outside->ports[i]);
	if (outside->sizes_asked)
		outside->ops->sizes(outside->ctx);
	outside->sizes_asked = false;
	if (!outside->entropy_ready)
		return;
	outside->entropy_ready = false;
	outside_note(outside, (struct journal_entry){.kind = JOURNAL_ENTROPY_READY});
	outside->ops->entropy(outside->ctx);
}

bool outside_has_come(const struct outside *outside)
{
	bool has_come = outside->entropy_ready || outside->sizes_asked;

	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		has_come |= outside->ports[i].is_ready;
	return has_come;
}

bool outside_debug_byte(struct outside *outside)
{
	if (++outside->debug_sent <= outside->debug_delivered)
		return false;
	outside->debug_delivered = outside->debug_sent;
	return true;
}

/* --- going back ------------------------------------------------------------------------------- */

static void update_ports(struct outside *outside)
{
	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		if (outside->ports[i].host)
			outside_port_update(&outside->ports[i]);
}

void outside_begin_past(struct outside *outside)
{
	outside->is_past = true;
	update_ports(outside);
}

/* Nobody listened to the host meanwhile, so all of its sides are asked whether they have
 * something. */
void outside_end_past(struct outside *outside)
{
	outside->is_past = false;
	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		outside->ports[i].is_ready = outside->ports[i].host != NULL;
	outside->entropy_ready = outside->entropy_host != NULL;
	update_ports(outside);
}

static void transfer_port(struct outside_port *port, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "PORT", port->number);
	snapshot_bool(stream, &port->connected);
	SNAPSHOT_FIELD(stream, port->cols);
	SNAPSHOT_FIELD(stream, port->rows);
	snapshot_bool(stream, &port->has_ended);
	SNAPSHOT_FIELD(stream, port->end);
	SNAPSHOT_FIELD(stream, port->sent);
	SNAPSHOT_FIELD(stream, port->input_len);
	snapshot_check(stream, port->input_len <= sizeof port->input, "too much input");
	if (!snapshot_failed(stream))
		snapshot_bytes(stream, port->input, port->input_len);
	snapshot_end(stream);
}

void outside_transfer(struct outside *outside, struct snapshot_stream *stream)
{
	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		if (outside->ports[i].host)
			transfer_port(&outside->ports[i], stream);
	snapshot_begin(stream, "OUTS", 0);
	SNAPSHOT_FIELD(stream, outside->debug_sent);
	for (unsigned i = 0; i < OUTSIDE_DISKS; i++)
		SNAPSHOT_FIELD(stream, outside->disks[i].transfers);
	snapshot_end(stream);
}

bool outside_port_waits(const struct outside *outside, unsigned number)
{
	return outside->ports[number].output_len > 0;
}

bool outside_waits(const struct outside *outside)
{
	bool waits = false;

	for (unsigned i = 0; i < OUTSIDE_PORTS; i++)
		waits |= outside_port_waits(outside, i);
	return waits;
}
