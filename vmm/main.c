/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "machine.h"
#include "machine/signals.h"
#include "options_parse.h"
#include "options_record.h"
#include "process.h"
#include "shell_word.h"
#include "story/story.h"
#include "suggest.h"
#include "usage.h"
#include "version.h"

/* Returns the exit status. */
static int show_text(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return 0;
	say("standard output: %s", error_text(errno));
	return EXIT_STATUS_VOLE;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Runs a machine. Returns the exit status. */
static int run_machine(const struct options *options, const struct process_start *start)
{
	int signal, status = machine_run(options, start, &signal);

	/* Whoever waits for us shall see which signal it was. */
	if (signal)
		signal_let_through(signal);
	return status;
}

/* Says what is wrong with the first word, NULL if there is none. Returns the exit status. */
static int refuse_command(const char *word)
{
	static const char *const commands[] = {"run", "clone", "replay", "inspect", "story",
		"doctor", "--help", "--version", NULL};
	const char *meant;

	if (!word || !*word)
		fputs(usage_short, stderr);
	else if (access(word, F_OK) == 0)
		say("%s: not a command; \"vole run %s\" boots it", word, shell_word(word));
	else if ((meant = suggest(word, commands)))
		say("%s: not a command; %s? (vole --help tells all)", word, meant);
	else
		say("%s: not a command; there are run, clone, replay, inspect, story and doctor "
		    "(vole --help tells all)",
			word);
	return EXIT_STATUS_VOLE;
}

/* A command with options. Returns the exit status. */
static int run_command(int count, char **words, const struct process_start *start)
{
	struct options options;
	size_t len;
	char *copy;
	int status = EXIT_STATUS_VOLE, ret;

	if (record_words(count, (const char *const *)words, &copy, &len) < 0)
		return EXIT_STATUS_VOLE;
	ret = options_parse(&options, count, words);
	options.words = copy;
	options.words_len = len;
	if (ret > 0)
		status = show_text(usage);
	else if (ret == 0 && strcmp(words[0], "inspect") == 0)
		status = machine_show(&options);
	else if (ret == 0)
		status = run_machine(&options, start);
	free(copy);
	return status;
}

int main(int argc, char **argv)
{
	static const char *const with_options[] = {"run", "clone", "replay", "inspect"};
	const char *command = argc > 1 ? argv[1] : "";
	const struct process_start start = process_begin();

	if (!process_prepare())
		return EXIT_STATUS_VOLE;
	if (asks_for_help(command))
		return show_text(usage);
	if (strcmp(command, "--version") == 0 && argc == 2)
		return show_text("vole " VOLE_VERSION "\n");
	if (strcmp(command, "doctor") == 0 && argc == 2)
		return doctor();
	if (strcmp(command, "doctor") == 0 && asks_for_help(argv[2]))
		return show_text(usage);
	if (strcmp(command, "doctor") == 0 || strcmp(command, "--version") == 0) {
		say("%s %s: it has no options", command, argv[2]);
		return EXIT_STATUS_VOLE;
	}
	if (strcmp(command, "story") == 0)
		return story(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof with_options / sizeof *with_options; i++)
		if (strcmp(command, with_options[i]) == 0)
			return run_command(argc - 1, argv + 1, &start);
	return refuse_command(argc > 1 ? command : NULL);
}
