/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_parse.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "option_list.h"
#include "options_checkpoint.h"
#include "options_devices.h"
#include "options_machine.h"
#include "options_profile.h"
#include "options_record.h"
#include "options_views.h"
#include "suggest.h"

/* Longest time that is accepted: about three years, so that no sum with it overflows. */
#define TIMEOUT_MAX 100000000u

/* Instructions that --last keeps of each CPU at most: some 10 MiB. */
#define LAST_MAX 100000u

/* Join the words after "--". */
static int parse_cmdline(struct options *options, int count, char **words)
{
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		size_t word_len = strlen(words[i]);

		if ((i > 0) + word_len + 1 > sizeof options->cmdline - len) {
			say("command line of the guest: longer than %zu bytes",
				sizeof options->cmdline - 1);
			return -EINVAL;
		}
		if (i > 0)
			options->cmdline[len++] = ' ';
		memcpy(options->cmdline + len, words[i], word_len + 1);
		len += word_len;
	}
	return 0;
}

/* What getopt_long() returns for options that have no letter. */
enum {
	OPTION_FIRST = UCHAR_MAX,
	OPTION_BOOT,
	OPTION_ENGINE,
	OPTION_CLOCK,
	OPTION_CONSOLE,
	OPTION_SERIAL,
	OPTION_RNG,
	OPTION_VIRTIO,
	OPTION_CHAOS,
	OPTION_CHECK,
	OPTION_MODULE,
	OPTION_INITRD,
	OPTION_LOAD,
	OPTION_DEBUG_PORT,
	OPTION_LOG,
	OPTION_CAPTURE,
	OPTION_TRACE,
	OPTION_STATS,
	OPTION_GDB,
	OPTION_SCREEN,
	OPTION_SANDBOX,
	OPTION_MAX_EXITS,
	OPTION_TIMEOUT,
	OPTION_LAST,
	OPTION_COVERAGE,
	OPTION_PROFILE,
	OPTION_CORE,
	OPTION_CHECKPOINT,
	OPTION_RECORD,
};

/* Options by what they are about: each function hands what it does not know on to the one before.
 * They return 0, 1 for --help, or -EINVAL (said). */

/* Parses an option of what a run leaves behind. */
static int parse_result_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case OPTION_LAST:
		return parse_count("--last", argument, LAST_MAX, &options->last);
	case OPTION_COVERAGE:
		return parse_output("--coverage", argument, &options->coverage);
	case OPTION_PROFILE:
		return parse_profile(options, argument);
	case OPTION_CORE:
		return parse_output("--core", argument, &options->core);
	case OPTION_CHECKPOINT:
		return parse_checkpoint(options, argument);
	case OPTION_RECORD:
		return parse_output("--record", argument, &options->record);
	default:
		return -EINVAL;
	}
}

/* Parses an option of those who look at the machine while it runs. */
static int parse_view_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case OPTION_CHECK:
		return parse_check(options, argument);
	case OPTION_LOG:
		return parse_log(options, argument);
	case OPTION_CAPTURE:
		return parse_capture(options, argument);
	case OPTION_TRACE:
		return parse_output("--trace", argument, &options->trace);
	case OPTION_STATS:
		return parse_stats(options, argument);
	case OPTION_GDB:
		return parse_gdb(options, argument);
	case OPTION_SCREEN:
		return parse_screen(options, argument);
	default:
		return parse_result_option(options, option, argument);
	}
}

/* Parses an option of the devices. */
static int parse_device_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case 'd':
		return parse_disk(options, argument);
	case OPTION_CONSOLE:
		return parse_console(options, argument);
	case OPTION_SERIAL:
		return parse_chardev("--serial", argument, &options->serial);
	case OPTION_RNG:
		return parse_rng(options, argument);
	case OPTION_VIRTIO:
		return parse_virtio(options, argument);
	case OPTION_CHAOS:
		return parse_chaos(options, argument);
	default:
		return parse_view_option(options, option, argument);
	}
}

/* The CPUs, memory and what is in it. */
static int parse_machine_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case OPTION_BOOT:
		options->boot = argument;
		return 0;
	case OPTION_ENGINE:
		return parse_engine(options, argument);
	case OPTION_CLOCK:
		return parse_clock(options, argument);
	case 'm':
		return parse_memory(options, argument);
	case 'c':
		return parse_count("--cpus", argument, CPUS_MAX, &options->cpu_count);
	case OPTION_MODULE:
		return parse_module(options, argument);
	case OPTION_INITRD:
		return parse_path("--initrd", argument, &options->initrd);
	case OPTION_LOAD:
		return parse_load(options, argument);
	case OPTION_DEBUG_PORT:
		return parse_debug_port(options, argument);
	default:
		return parse_device_option(options, option, argument);
	}
}

/* Parses an option of the run as a whole. */
static int parse_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case OPTION_SANDBOX:
		return parse_sandbox(options, argument);
	case OPTION_MAX_EXITS:
		return parse_max_exits(options, argument);
	case OPTION_TIMEOUT:
		return parse_count("--timeout", argument, TIMEOUT_MAX, &options->timeout);
	case 'v':
		options->verbose = true;
		return 0;
	case 'h':
		return 1;
	default:
		return parse_machine_option(options, option, argument);
	}
}

/* Returns whether a comma in the argument of an option ends the name of a file. */
static bool lists_names(int option)
{
	static const int lists[] = {'d', OPTION_CONSOLE, OPTION_RNG, OPTION_LOG, OPTION_CAPTURE,
		OPTION_GDB, OPTION_PROFILE, OPTION_CHECKPOINT};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (lists[i] == option)
			return true;
	return false;
}

/* Says how a name with a comma is written where that may be what is wrong with a list. */
static int parse_list_option(struct options *options, int option, char *argument)
{
	char *given = lists_names(option) && strchr(argument, ',') ? strdup(argument) : NULL;
	int ret = parse_option(options, option, argument);

	if (ret < 0 && given)
		say_comma(given);
	free(given);
	return ret;
}

/* --- words ------------------------------------------------------------------------------------ */

static const struct option longs[] = {
	{"boot", required_argument, NULL, OPTION_BOOT},
	{"engine", required_argument, NULL, OPTION_ENGINE},
	{"clock", required_argument, NULL, OPTION_CLOCK},
	{"memory", required_argument, NULL, 'm'},
	{"cpus", required_argument, NULL, 'c'},
	{"disk", required_argument, NULL, 'd'},
	{"console", required_argument, NULL, OPTION_CONSOLE},
	{"serial", required_argument, NULL, OPTION_SERIAL},
	{"rng", required_argument, NULL, OPTION_RNG},
	{"virtio", required_argument, NULL, OPTION_VIRTIO},
	{"chaos", required_argument, NULL, OPTION_CHAOS},
	{"check", required_argument, NULL, OPTION_CHECK},
	{"module", required_argument, NULL, OPTION_MODULE},
	{"initrd", required_argument, NULL, OPTION_INITRD},
	{"load", required_argument, NULL, OPTION_LOAD},
	{"debug-port", required_argument, NULL, OPTION_DEBUG_PORT},
	{"log", required_argument, NULL, OPTION_LOG},
	{"capture", required_argument, NULL, OPTION_CAPTURE},
	{"trace", required_argument, NULL, OPTION_TRACE},
	{"stats", optional_argument, NULL, OPTION_STATS},
	{"gdb", required_argument, NULL, OPTION_GDB},
	{"screen", required_argument, NULL, OPTION_SCREEN},
	{"sandbox", required_argument, NULL, OPTION_SANDBOX},
	{"max-exits", required_argument, NULL, OPTION_MAX_EXITS},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"last", required_argument, NULL, OPTION_LAST},
	{"coverage", required_argument, NULL, OPTION_COVERAGE},
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"core", required_argument, NULL, OPTION_CORE},
	{"checkpoint", required_argument, NULL, OPTION_CHECKPOINT},
	{"record", required_argument, NULL, OPTION_RECORD},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

#define LONGS (sizeof longs / sizeof *longs)

/* The long option that the user may have meant by a word, which is without dashes and may have an
 * argument after "="; or NULL. */
static const char *meant_option(const char *word)
{
	const char *names[LONGS];
	char name[64];

	for (size_t i = 0; i < LONGS; i++)
		names[i] = longs[i].name;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	return suggest(name, names);
}

/* Returns whether a word is a long option with one dash: getopt_long() takes -disk for -d with the
 * argument "isk". */
static bool lacks_dash(const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i + 1 < LONGS; i++)
		if (word[0] == '-' && strlen(longs[i].name) == len - 1 &&
			memcmp(longs[i].name, word + 1, len - 1) == 0)
			return true;
	return false;
}

static int check_dashes(int count, char **argv)
{
	for (int i = 1; i < count; i++) {
		if (!lacks_dash(argv[i]))
			continue;
		say("%s: a long option begins with two dashes: -%s", argv[i], argv[i]);
		return -EINVAL;
	}
	return 0;
}

/* getopt_long() met something that it does not know, or that lacks its argument: a word, or, if
 * this is no long option, optopt inside of one. */
static void say_bad_option(int result, const char *word)
{
	const char *meant;

	if (strncmp(word, "--", 2) != 0)
		say("-%c: %s (vole --help tells all)", optopt,
			result == ':' ? "needs an argument" : "unknown option");
	else if (result == ':')
		say("%s: needs an argument (vole --help tells all)", word);
	else if (!(meant = meant_option(word + 2)))
		say("%s: unknown option (vole --help tells all)", word);
	else if (strncmp(word + 2, meant, strlen(meant)) == 0 && word[2 + strlen(meant)] == '=')
		say("%s: --%s takes no argument", word, meant);
	else
		say("%s: unknown option; --%s? (vole --help tells all)", word, meant);
}

/* Parses the words before "--", of which there are count, options and the kernel. Returns as
 * options_parse(). */
static int parse_words(struct options *options, int count, char **argv)
{
	char no_argument_here[] = "";
	const char *what = options->is_clone    ? "checkpoint"
			   : options->is_replay ? "record"
						: "kernel";
	const char *value = NULL; /* of the last option */
	int option, ret, at;

	if (check_dashes(count, argv) < 0)
		return -EINVAL;
	optind = 0; /* getopt_long() starts anew */
	opterr = 0;
	while (at = optind, (option = getopt_long(count, argv, ":m:c:d:vh", longs, NULL)) != -1) {
		if (option == '?' || option == ':') {
			/* Inside of a word, optind is still at it. */
			say_bad_option(option, optind != at ? argv[optind - 1] : "");
			return -EINVAL;
		}
		value = optarg;
		ret = options->is_clone ? check_clone_takes(option, longs) : 0;
		if (options->is_replay)
			ret = check_replay_takes(option, longs);
		if (ret == 0)
			ret = parse_list_option(
				options, option, optarg ? optarg : no_argument_here);
		if (ret != 0)
			return ret;
	}
	if (optind == count) {
		if (value && value == argv[count - 1])
			say("no %s is named: %s is what %s takes (vole --help tells all)", what,
				value, argv[count - 2]);
		else
			say("no %s is named (vole --help tells all)", what);
		return -EINVAL;
	}
	options->kernel = argv[optind++];
	if (!*options->kernel) {
		say("the name of the %s is empty", what);
		return -EINVAL;
	}
	if (check_stats(options) < 0)
		return -EINVAL;
	if (options->is_replay && optind < count)
		options->replay_kernel = argv[optind++];
	if (optind == count)
		return 0;
	say("%s: a second %s, after %s%s", argv[optind], options->is_replay ? "kernel" : what,
		options->is_replay ? options->replay_kernel : options->kernel,
		options->is_clone || options->is_replay ? ""
							: "; words for the guest go after \"--\"");
	return -EINVAL;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int words = 1; /* before "--": after it all is the guest's */
	int ret;

	*options = (struct options){
		.is_clone = strcmp(argv[0], "clone") == 0,
		.is_replay = strcmp(argv[0], "replay") == 0,
		.boot = "auto",
		.engine = "auto",
		.clock = ENGINE_CLOCK_HOST,
		.memory_size = 64u << 20,
		.screen = true,
		.cpu_count = 1,
	};
	while (words < argc && strcmp(argv[words], "--") != 0)
		words++;
	ret = parse_words(options, words, argv);
	if (ret == 0)
		ret = check_checkpoint(options);
	if (ret == 0)
		ret = check_record(options);
	if (ret != 0 || words == argc)
		return ret;
	if (options->is_clone || options->is_replay) {
		say("%s: a %s's guest has its command line already", argv[words], argv[0]);
		return -EINVAL;
	}
	return parse_cmdline(options, argc - words - 1, argv + words + 1);
}
