/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "machine/recording_state.h"
#include "machine/replay_options.h"
#include "machine/vm.h"
#include "options_parse.h"
#include "version.h"

/* --- opening ---------------------------------------------------------------------------------- */

/* Sets the words of the command line. Returns their number, or -ENOMEM. */
static int split_words(struct recording *recording)
{
	const struct record_setup *setup = &recording->setup;
	int count = 0;

	for (uint32_t i = 0; i < setup->words_len; i++)
		count += setup->words[i] == '\0';
	recording->words = calloc((size_t)count + 1, sizeof *recording->words);
	if (!recording->words)
		return -ENOMEM;
	count = 0;
	for (uint32_t i = 0; i < setup->words_len; i++)
		if (i == 0 || setup->words[i - 1] == '\0')
			recording->words[count++] = (char *)&setup->words[i];
	return count;
}

/* Parses the command line of the run, as the user who recorded it gave it. */
static int parse_words(struct recording *recording, const char *path)
{
	int count = split_words(recording), ret;

	recording->options = calloc(1, sizeof *recording->options);
	if (count < 0 || !recording->options) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	ret = count > 0 && strcmp(recording->words[0], "run") == 0
		      ? options_parse(recording->options, count, recording->words)
		      : -EINVAL;
	if (ret == 0 && recording->options->record)
		return 0;
	say("%s: a record that cannot be used: its command line is not one that records", path);
	return -EBADMSG;
}

int replay_open(struct vm *vm)
{
	struct recording *recording = vm->recording;
	const char *path = vm->options->kernel;
	int ret;

	recording->replayed = record_open(path);
	if (recording->replayed < 0)
		return recording->replayed;
	ret = record_read(recording->replayed, path, &recording->setup, &recording->outside.journal,
		&recording->cut);
	if (ret < 0)
		return ret;
	if (strcmp(recording->setup.vole, VOLE_VERSION) != 0) {
		say("%s: recorded by vole %s, which alone can repeat it; this is "
		    "vole " VOLE_VERSION,
			path, recording->setup.vole);
		return -EINVAL;
	}
	ret = parse_words(recording, path);
	if (ret == 0)
		ret = replay_options(recording->options, vm->options, &recording->setup);
	if (ret < 0)
		return ret;
	vm->options = recording->options;
	if (recording->cut)
		say("%s: %s; the run is repeated as far as the record goes", path, recording->cut);
	return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

/* Sets *entry to the end of guest code in the record, if that is next. */
static bool next_is_stop(const struct recording *recording, struct journal_entry *entry)
{
	return journal_next(&recording->outside.journal, entry) && entry->kind == JOURNAL_STOP;
}

/* The run has come to where something outside ended it. */
static bool is_at_end(const struct recording *recording, const struct engine_position *now)
{
	struct journal_entry entry;

	return next_is_stop(recording, &entry) && entry.number == 1 && entry.turns == now->turns &&
	       replay_done(&entry) == now->done;
}

int64_t replay_done(const struct journal_entry *stop)
{
	int64_t done;

	memcpy(&done, stop->data, sizeof done);
	return done;
}

bool replay_is_at_cut(const struct recording *recording)
{
	struct journal_entry entry;

	return recording->cut && !journal_next(&recording->outside.journal, &entry);
}

/* The run has come to the end of a record that lacks its own. */
static bool is_cut(const struct recording *recording)
{
	return *recording->outside.diverged && replay_is_at_cut(recording);
}

bool replay_has_ended(const struct recording *recording)
{
	return recording->has_ended || is_cut(recording);
}

bool replay_look(struct vm *vm, const struct engine_position *now)
{
	struct recording *recording = vm->recording;
	struct journal_entry entry;

	/* The next entry would have come here at the latest. */
	if (replay_is_at_cut(recording) &&
		now->turns >= recording->outside.journal.turns + JOURNAL_MARK_TURNS)
		outside_diverge(&recording->outside, "the record has no more");
	if (*recording->outside.diverged) {
		vm_end(vm, EXIT_STATUS_VOLE);
		return true;
	}
	if (!is_at_end(recording, now)) {
		if (next_is_stop(recording, &entry) && now->turns >= entry.turns + REPLAY_BEYOND)
			outside_diverge(&recording->outside,
				"the guest goes on after instruction %" PRIu64
				", where the record ends",
				entry.instructions);
		return false;
	}
	recording->has_ended = true;
	next_is_stop(recording, &entry);
	vm_end(vm, (int)entry.value);
	return true;
}

void replay_stopped(struct vm *vm, const struct engine_position *now)
{
	struct recording *recording = vm->recording;
	struct journal_entry entry;

	if (*recording->outside.diverged)
		return;
	if (next_is_stop(recording, &entry) && now->instructions == entry.instructions &&
		(recording->has_ended ||
			(entry.number == 0 && entry.value == atomic_load(&vm->status)))) {
		recording->has_ended = true;
		/* Requests for input that follow the end have its position in the journal. */
		recording->outside.position.turns = entry.turns;
		journal_advance(&recording->outside.journal);
	} else if (!atomic_load(&vm->ended_outside) && !recording->cut) {
		outside_diverge(&recording->outside,
			"the guest ended after instruction %" PRIu64 ", status %d",
			now->instructions, atomic_load(&vm->status));
	}
}

/* The status and signal of the run, which its end has; 0 and the machine's own if there is none. */
static void take_end(struct vm *vm)
{
	struct journal *journal = &vm->recording->outside.journal;
	struct journal_entry entry;

	while (journal_next(journal, &entry)) {
		journal_advance(journal);
		if (entry.kind != JOURNAL_END)
			continue;
		atomic_store(&vm->status, (int)entry.value);
		atomic_store(&vm->signal, (int)entry.number);
	}
}

void replay_end(struct vm *vm)
{
	const struct recording *recording = vm->recording;
	const char *path = vm->options->replayed;

	if (is_cut(recording)) {
		say("%s: repeated to instruction %" PRIu64 ", and the record goes no further: %s",
			path, recording->outside.position.instructions, recording->cut);
		atomic_store(&vm->status, EXIT_STATUS_VOLE);
	} else if (*recording->outside.diverged) {
		say("%s: the run is not that of the record: %s", path, recording->outside.diverged);
		atomic_store(&vm->status, EXIT_STATUS_VOLE);
	} else if (recording->has_ended) {
		take_end(vm);
		say("%s: repeated to its end, instruction %" PRIu64, path,
			recording->outside.position.instructions);
	} else {
		say("%s: repeated to instruction %" PRIu64 ", which is not its end", path,
			recording->outside.position.instructions);
	}
	/* The guest may have ended by itself where the record goes no further. */
	if (recording->cut && !atomic_load(&vm->ended_outside))
		atomic_store(&vm->status, EXIT_STATUS_VOLE);
}
