/* SPDX-License-Identifier: BSD-2-Clause */
/* The outside's journal: what is added to it, what is expected of it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "replay/outside.h"

void outside_diverge(struct outside *outside, const char *format, ...)
{
	va_list arguments;

	if (*outside->diverged)
		return;
	va_start(arguments, format);
	vsnprintf(outside->diverged, sizeof outside->diverged, format, arguments);
	va_end(arguments);
}

void outside_note(struct outside *outside, struct journal_entry entry)
{
	entry.turns = outside->position.turns;
	entry.instructions = outside->position.instructions;
	journal_add(&outside->journal, &entry);
}

bool outside_expect(struct outside *outside, enum journal_kind kind, unsigned number,
	struct journal_entry *entry)
{
	if (!journal_next(&outside->journal, entry)) {
		outside_diverge(outside, "something is asked of the outside after its last entry");
		return false;
	}
	if (entry->kind == kind && entry->number == number &&
		entry->turns == outside->position.turns) {
		journal_advance(&outside->journal);
		return true;
	}
	outside_diverge(outside,
		"something was asked of the outside that the record does not have after "
		"instruction %" PRIu64,
		outside->position.instructions);
	return false;
}
