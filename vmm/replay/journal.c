/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"

#define CAPACITY_MIN 4096

/* Bytes of entries that are written together. */
#define BATCH_SIZE 8192

/* In front of an entry's data. */
struct head {
	uint32_t kind, number;
	uint64_t turns, instructions;
	int64_t value;
	uint32_t len, reserved;
	uint64_t sum; /* of all entries before, of the fields above, and of the data */
};

_Static_assert(sizeof(struct head) == 48, "a head has no gaps");

void journal_init(struct journal *journal)
{
	*journal = (struct journal){.len = 0};
}

void journal_free(struct journal *journal)
{
	free(journal->bytes);
	journal_init(journal);
}

static uint64_t sum_of(uint64_t before, const struct head *head, const uint8_t *data)
{
	return checksum_add(
		checksum_add(before, head, offsetof(struct head, sum)), data, head->len);
}

/* Returns where len bytes go, or NULL. */
static uint8_t *reserve(struct journal *journal, size_t len)
{
	size_t capacity = journal->capacity > 0 ? journal->capacity : CAPACITY_MIN;
	uint8_t *bytes;

	while (capacity < journal->len + len)
		capacity *= 2;
	if (capacity != journal->capacity) {
		bytes = realloc(journal->bytes, capacity);
		if (!bytes)
			return NULL;
		journal->bytes = bytes;
		journal->capacity = capacity;
	}
	journal->len += len;
	return journal->bytes + journal->len - len;
}

static void write_rest(struct journal *journal)
{
	size_t rest = journal->len - journal->written;

	if (rest > 0)
		journal->written +=
			sink_write_some(journal->sink, journal->bytes + journal->written, rest);
	journal->waits = journal->written < journal->len;
	if (!journal->waits)
		journal->len = journal->written = 0;
}

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
	struct head head = {
		.kind = entry->kind,
		.number = entry->number,
		.turns = entry->turns,
		.instructions = entry->instructions,
		.value = entry->value,
		.len = entry->len,
	};
	uint8_t *place = reserve(journal, sizeof head + entry->len);

	if (!place) {
		journal->error = -ENOMEM;
		return;
	}
	head.sum = journal->sum = sum_of(journal->sum, &head, entry->data);
	journal->turns = entry->turns;
	memcpy(place, &head, sizeof head);
	if (entry->len > 0)
		memcpy(place + sizeof head, entry->data, entry->len);
	/* Entropy comes often, and is not worth a write of its own. */
	if (journal->sink &&
		(entry->kind != JOURNAL_ENTROPY || journal->len - journal->written >= BATCH_SIZE))
		write_rest(journal);
}

void journal_forget(struct journal *journal, size_t len)
{
	if (len == 0)
		return;
	journal->len -= len;
	journal->at = journal->at > len ? journal->at - len : 0;
	memmove(journal->bytes, journal->bytes + len, journal->len);
}

void journal_begin_writing(struct journal *journal, struct sink *sink)
{
	journal->sink = sink;
	write_rest(journal);
}

bool journal_write(struct journal *journal)
{
	if (journal->waits)
		write_rest(journal);
	return journal->waits;
}

size_t journal_finish(struct journal *journal)
{
	write_rest(journal);
	while (journal->waits) {
		size_t before = journal->written;

		sink_flush(journal->sink);
		write_rest(journal);
		if (journal->written == before)
			break;
	}
	return journal->len - journal->written;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct journal_entry entry_of(const struct head *head, const uint8_t *data)
{
	return (struct journal_entry){
		.kind = head->kind,
		.number = head->number,
		.turns = head->turns,
		.instructions = head->instructions,
		.value = head->value,
		.data = data,
		.len = head->len,
	};
}

/* Returns what is wrong with the entry at the beginning of these bytes, or NULL; then it becomes
 * *last, which was the one before. */
static const char *find_fault(const struct journal *journal, const struct head *head,
	const uint8_t *data, size_t len, struct journal_entry *last)
{
	struct journal_entry entry = entry_of(head, data);

	if (len < sizeof *head)
		return "the file is cut off";
	if (head->len > JOURNAL_DATA_MAX)
		return "the file is damaged";
	if (head->len > len - sizeof *head)
		return "the file is cut off";
	if (head->reserved != 0 || sum_of(journal->sum, head, data) != head->sum ||
		!journal_is_valid(&entry) || !journal_may_follow(last, &entry))
		return "the file is damaged";
	*last = entry;
	return NULL;
}

size_t journal_take(struct journal *journal, uint8_t *bytes, size_t len, const char **why)
{
	struct journal_entry last = {.turns = 0};

	journal_free(journal);
	journal->bytes = bytes;
	journal->capacity = len;
	*why = NULL;
	while (journal->len < len) {
		const uint8_t *at = bytes + journal->len;
		struct head head = {0};

		if (len - journal->len >= sizeof head)
			memcpy(&head, at, sizeof head);
		*why = find_fault(journal, &head, at + sizeof head, len - journal->len, &last);
		if (*why)
			break;
		journal->sum = head.sum;
		journal->len += sizeof head + head.len;
		journal->turns = head.turns;
	}
	if (!*why && last.kind != JOURNAL_END)
		*why = "the recording was interrupted";
	return journal->len;
}

bool journal_next(const struct journal *journal, struct journal_entry *entry)
{
	struct head head;

	if (journal->at >= journal->len)
		return false;
	memcpy(&head, journal->bytes + journal->at, sizeof head);
	*entry = entry_of(&head, journal->bytes + journal->at + sizeof head);
	return true;
}

void journal_advance(struct journal *journal)
{
	struct journal_entry entry;

	if (journal_next(journal, &entry))
		journal->at += sizeof(struct head) + entry.len;
}
