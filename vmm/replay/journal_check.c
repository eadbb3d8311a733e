/* SPDX-License-Identifier: BSD-2-Clause */
/* What an entry of a journal can have: spec/replay.md, section 2. A record may come from anyone,
 * and its checksums show damage, not intent. */
#include <signal.h>
#include <string.h>

#include "replay/journal.h"

/* -errno of a system call is not below it. */
#define ERRNO_MIN (-4095)

#define STATUS_MAX 255

/* Bits of a port's state: whether somebody is there, columns and rows. */
#define PORT_STATE INT64_C(0xffffffff01)

/* Positions are sums of what was executed, and nothing executes so much. */
#define POSITION_MAX INT64_MAX

struct fields {
	uint32_t numbers; /* the number is below it */
	int64_t min, max; /* of the value */
	uint32_t len_min, len_max;
};

static const struct fields fields_of[JOURNAL_KINDS] = {
	[JOURNAL_PORT] = {JOURNAL_PORTS, 0, PORT_STATE, 0, 0},
	[JOURNAL_INPUT] = {JOURNAL_PORTS, 0, 0, 1, JOURNAL_INPUT_MAX},
	[JOURNAL_INPUT_END] = {JOURNAL_PORTS, ERRNO_MIN, 0, 0, 0},
	[JOURNAL_ENTROPY] = {1, ERRNO_MIN, JOURNAL_DATA_MAX, 0, JOURNAL_DATA_MAX},
	[JOURNAL_ENTROPY_READY] = {1, 0, 0, 0, 0},
	[JOURNAL_DISK] = {JOURNAL_DISKS, ERRNO_MIN, UINT32_MAX, 8, 8},
	[JOURNAL_STOP] = {2, 0, STATUS_MAX, 8, 8},
	[JOURNAL_END] = {SIGTERM + 1, 0, STATUS_MAX, 0, 0},
	[JOURNAL_DISK_SIZE] = {JOURNAL_DISKS, 1, JOURNAL_SECTORS_MAX, 0, 0},
	[JOURNAL_MARK] = {1, 0, 0, 0, 0},
};

/* Whether a signal is one that ends vole after the machine. */
static bool is_end_signal(uint32_t number)
{
	return number == 0 || number == SIGHUP || number == SIGINT || number == SIGQUIT ||
	       number == SIGTERM;
}

/* Returns whether the fields of an entry fit each other, and the bits of each its meaning. */
static bool is_consistent(const struct journal_entry *entry)
{
	int64_t data;

	switch (entry->kind) {
	case JOURNAL_PORT:
		return (entry->value & ~PORT_STATE) == 0;
	case JOURNAL_ENTROPY:
		return entry->len == (entry->value > 0 ? entry->value : 0);
	case JOURNAL_STOP:
		memcpy(&data, entry->data, sizeof data);
		return data >= 0;
	case JOURNAL_END:
		return is_end_signal(entry->number);
	default:
		return true;
	}
}

bool journal_is_valid(const struct journal_entry *entry)
{
	const struct fields *fields;

	if (entry->kind < JOURNAL_PORT || entry->kind >= JOURNAL_KINDS)
		return false;
	fields = &fields_of[entry->kind];
	return entry->turns <= POSITION_MAX && entry->instructions <= POSITION_MAX &&
	       entry->number < fields->numbers && entry->value >= fields->min &&
	       entry->value <= fields->max && entry->len >= fields->len_min &&
	       entry->len <= fields->len_max && is_consistent(entry);
}

bool journal_may_follow(const struct journal_entry *before, const struct journal_entry *entry)
{
	return before->kind != JOURNAL_END && entry->turns >= before->turns &&
	       entry->instructions >= before->instructions;
}
