/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "log.h"

/* Whether --record may be among the words, perhaps abbreviated, or a word of the guest's. */
static bool may_record(int count, const char *const *words)
{
	for (int i = 0; i < count; i++)
		if (strncmp(words[i], "--re", 4) == 0)
			return true;
	return false;
}

int record_words(int count, const char *const *words, char **copy, size_t *len)
{
	char *at;

	*copy = NULL;
	*len = 0;
	if (!may_record(count, words))
		return 0;
	for (int i = 0; i < count; i++)
		*len += strlen(words[i]) + 1;
	*copy = at = malloc(*len + 1);
	if (!at) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	for (int i = 0; i < count; i++)
		at = stpcpy(at, words[i]) + 1;
	return 0;
}

static int refuse(const struct options *options, const char *why)
{
	say("--record %s: %s", options->record, why);
	return -EINVAL;
}

int check_record(struct options *options)
{
	if (options->is_replay && options->check_fatal) {
		say("--check virtio,fatal: a replay ends where its record does; take --check "
		    "virtio");
		return -EINVAL;
	}
	if (options->is_replay) {
		options->clock = ENGINE_CLOCK_VIRTUAL;
		return 0;
	}
	if (!options->record)
		return 0;
	if (options->has_clock && options->clock == ENGINE_CLOCK_HOST)
		return refuse(options,
			"not with --clock host, which no run follows twice; take --clock virtual");
	if (options->checkpoint.path)
		return refuse(options, "not with --checkpoint");
	if (options->gdb.kind != GDB_NONE)
		return refuse(options,
			"not with --gdb; record the run, and debug it with vole replay --gdb");
	options->clock = ENGINE_CLOCK_VIRTUAL;
	return 0;
}

int check_replay_takes(int option, const struct option *longs)
{
	static const char *const refused[] = {"boot", "engine", "clock", "memory", "cpus", "virtio",
		"chaos", "load", "debug-port", "rng", "checkpoint", "record", "max-exits"};

	while (longs->name && longs->val != option)
		longs++;
	for (size_t i = 0; longs->name && i < sizeof refused / sizeof *refused; i++) {
		if (strcmp(longs->name, refused[i]) != 0)
			continue;
		say("--%s: a replay has the machine of its record", longs->name);
		return -EINVAL;
	}
	return 0;
}
