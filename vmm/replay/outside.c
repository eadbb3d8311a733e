/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/outside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
	return entry->number < OUTSIDE_PORTS && outside->ports[entry->number].host;
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
	} else if (entry->len <= sizeof port->input) {
		memcpy(port->input, entry->data, entry->len);
		port->input_len = entry->len;
	}
	if (cols != port->cols || rows != port->rows)
		outside->ops->window(outside->ctx, entry->number);
	outside->ops->input(outside->ctx, entry->number);
}

/* Repeats an entry that came by itself. Returns false if it is one that something asks for. */
static bool repeat(struct outside *outside, const struct journal_entry *entry)
{
	if (entry->kind == JOURNAL_ENTROPY_READY) {
		outside->ops->entropy(outside->ctx);
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

static void take_from_journal(struct outside *outside)
{
	struct journal_entry entry;

	while (journal_next(&outside->journal, &entry) && entry.turns <= outside->position.turns) {
		/* What is asked for is taken by who asks. */
		if (entry.kind == JOURNAL_STOP || entry.kind == JOURNAL_ENTROPY ||
			entry.kind == JOURNAL_DISK)
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
	if (!outside->entropy_ready)
		return;
	outside->entropy_ready = false;
	outside_note(outside, (struct journal_entry){.kind = JOURNAL_ENTROPY_READY});
	outside->ops->entropy(outside->ctx);
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
