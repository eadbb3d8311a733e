/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "block.h"
#include "cpu/exit_log.h"
#include "io/entropy.h"
#include "log.h"

/* Longest time that is accepted: about three years, so that no sum with it overflows. */
#define TIMEOUT_MAX 100000000u

/* Digits of this base and nothing else, at most max. 0 or -EINVAL. */
static int parse_digits(const char *text, unsigned base, uint64_t max, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t sum = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		const char *at = memchr(digits, tolower((unsigned char)*text), base);
		uint64_t digit;

		if (!at)
			return -EINVAL;
		digit = (uint64_t)(at - digits);
		if (digit > max || sum > (max - digit) / base)
			return -EINVAL;
		sum = sum * base + digit;
	}
	*value = sum;
	return 0;
}

static int parse_number(const char *text, uint64_t max, uint64_t *value)
{
	return parse_digits(text, 10, max, value);
}

/* The same, or hexadecimal after "0x". */
static int parse_hex(const char *text, uint64_t max, uint64_t *value)
{
	if (strncmp(text, "0x", 2) == 0)
		return parse_digits(text + 2, 16, max, value);
	return parse_number(text, max, value);
}

static int parse_memory(struct options *options, const char *text)
{
	char digits[16];
	size_t len = strlen(text);
	unsigned shift = 0;
	uint64_t value;

	if (len > 0) {
		switch (text[len - 1]) {
		case 'K':
			shift = 10;
			break;
		case 'M':
			shift = 20;
			break;
		case 'G':
			shift = 30;
			break;
		}
	}
	len -= shift != 0;
	if (len >= sizeof digits)
		goto bad;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (parse_number(digits, UINT32_MAX >> shift, &value) < 0)
		goto bad;
	options->memory_size = (uint32_t)(value << shift);
	return 0;
bad:
	say("--memory %s: not a size below 4G (a number of bytes, or with K, M or G)", text);
	return -EINVAL;
}

/* From 1 on. 0 or -EINVAL. */
static int parse_positive(const char *text, unsigned max, unsigned *count)
{
	uint64_t value;

	if (parse_number(text, max, &value) < 0 || value == 0)
		return -EINVAL;
	*count = (unsigned)value;
	return 0;
}

static int parse_count(const char *name, const char *text, unsigned max, unsigned *count)
{
	int ret = parse_positive(text, max, count);

	if (ret < 0)
		say("%s %s: not a number from 1 to %u", name, text, max);
	return ret;
}

/* Say what is wrong with one "NAME=on|off" of an option's argument, which begins with value. ret is
 * of feature_choose(); extras names what else could stand there. */
static int judge_feature(
	int ret, const char *option, const char *value, const char *word, const char *extras)
{
	if (ret == -EINVAL)
		say("%s %s: \"%s\" is neither =on nor =off", option, value, word);
	if (ret == -ENOENT)
		say("%s %s: unknown option \"%s\" (there are %s" FEATURE_NAMES
		    ", each with =on or =off)",
			option, value, word, extras);
	return ret < 0 ? -EINVAL : 0;
}

static int parse_serial_id(struct disk_options *disk, const char *id)
{
	disk->serial = id;
	if (strlen(id) <= VIRTIO_BLK_ID_BYTES)
		return 0;
	say("--disk %s: serial %s is longer than %d bytes", disk->path, id, VIRTIO_BLK_ID_BYTES);
	return -EINVAL;
}

static int parse_block_size(struct disk_options *disk, const char *text)
{
	uint64_t size;

	if (parse_number(text, DISK_BLOCK_MAX, &size) < 0 || size < DISK_BLOCK_MIN ||
		(size & (size - 1)) != 0) {
		say("--disk %s: block-size %s is not 512, 1024, 2048 or 4096", disk->path, text);
		return -EINVAL;
	}
	disk->block_size = (unsigned)size;
	return 0;
}

static int parse_queues(struct disk_options *disk, const char *text)
{
	int ret = parse_positive(text, BLOCK_QUEUES_MAX, &disk->queue_count);

	if (ret < 0)
		say("--disk %s: queues %s is not a number from 1 to %d", disk->path, text,
			BLOCK_QUEUES_MAX);
	return ret;
}

/* Cut the next word off at its comma; NULL if there is none. Two commas are one of the word's
 * own. */
static char *next_word(char **rest)
{
	char *word = *rest, *from = word, *to = word;

	if (!word)
		return NULL;
	for (; *from && (*from != ',' || from[1] == ','); *to++ = *from++)
		from += *from == ',';
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return word;
}

/* FILE[,ro][,serial=ID][,block-size=N][,queues=N][,FEATURE=on|off]...; text is cut at its
 * commas. */
static int parse_disk(struct options *options, char *text)
{
	struct disk_options *disk;
	char *word;

	if (options->disk_count == DISKS_MAX) {
		say("--disk %s: at most %d disks", text, DISKS_MAX);
		return -EINVAL;
	}
	disk = &options->disks[options->disk_count++];
	*disk = (struct disk_options){.path = next_word(&text), .queue_count = 1};
	while ((word = next_word(&text)) != NULL) {
		int ret = 0;

		if (strcmp(word, "ro") == 0)
			disk->read_only = true;
		else if (strncmp(word, "serial=", 7) == 0)
			ret = parse_serial_id(disk, word + 7);
		else if (strncmp(word, "block-size=", 11) == 0)
			ret = parse_block_size(disk, word + 11);
		else if (strncmp(word, "queues=", 7) == 0)
			ret = parse_queues(disk, word + 7);
		else
			ret = judge_feature(feature_choose_disk(&disk->features, word), "--disk",
				disk->path, word,
				"ro, serial=ID, block-size=N, queues=N; " FEATURE_NAMES_DISK ", ");
		if (ret < 0)
			return ret;
	}
	if (!*disk->path) {
		say("--disk: no file is named");
		return -EINVAL;
	}
	return 0;
}

/* The host's end of a device that sends and receives bytes. */
static int parse_chardev(const char *name, const char *text, const char **value)
{
	static const char *const words[] = {"stdio", "none", "pty"};

	*value = text;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0)
			return 0;
	if ((strncmp(text, "file:", 5) == 0 || strncmp(text, "unix:", 5) == 0) && text[5])
		return 0;
	say("%s %s: not stdio, none, file:PATH, unix:PATH or pty", name, text);
	return -EINVAL;
}

static int parse_console_name(struct console_options *console, const char *name)
{
	console->name = name;
	if (*name && strlen(name) <= VIRTIO_CONSOLE_NAME_MAX)
		return 0;
	say("--console %s: name \"%s\" is not of 1 to %d bytes", console->host, name,
		VIRTIO_CONSOLE_NAME_MAX);
	return -EINVAL;
}

/* HOST[,name=NAME][,multiport=on|off][,FEATURE=on|off]...; text is cut at its commas. */
static int parse_console(struct options *options, char *text)
{
	struct console_options *console;
	unsigned count = 0;
	char *word;
	int ret;

	if (options->console_count == VIRTIO_CONSOLE_PORTS_MAX) {
		say("--console %s: at most %d consoles", text, VIRTIO_CONSOLE_PORTS_MAX);
		return -EINVAL;
	}
	console = &options->consoles[options->console_count++];
	*console = (struct console_options){.host = next_word(&text)};
	ret = parse_chardev("--console", console->host, &console->host);
	while (ret == 0 && (word = next_word(&text)) != NULL) {
		count++;
		if (strncmp(word, "name=", 5) == 0)
			ret = parse_console_name(console, word + 5);
		else if (strcmp(word, "multiport=on") == 0)
			options->multiport = MULTIPORT_ON;
		else if (strcmp(word, "multiport=off") == 0)
			options->multiport = MULTIPORT_OFF;
		else
			ret = judge_feature(feature_choose(&options->console_features, word),
				"--console", console->host, word, "name=NAME; multiport, ");
	}
	if (ret == 0 && count > 0 && strcmp(console->host, "none") == 0) {
		say("--console none: nothing else goes with it");
		return -EINVAL;
	}
	return ret;
}

static int parse_rate(struct options *options, const char *text)
{
	int ret = parse_positive(text, ENTROPY_RATE_MAX, &options->rng_rate);

	if (ret < 0)
		say("--rng rate=%s: not a number from 1 to %u", text, ENTROPY_RATE_MAX);
	return ret;
}

static bool is_rng_source(const char *word)
{
	return strcmp(word, "host") == 0 || strcmp(word, "none") == 0 ||
	       (strncmp(word, "file=", 5) == 0 && word[5]);
}

/* [host|none|file=PATH][,rate=BYTES/S][,FEATURE=on|off]..., in any order; text is cut at its
 * commas. The last --rng counts, as a whole. */
static int parse_rng(struct options *options, char *text)
{
	const char *first = text, *source = NULL;
	unsigned count = 0;
	char *word;

	options->rng_file = NULL;
	options->rng_rate = 0;
	options->rng_features = (struct feature_choice){0};
	while ((word = next_word(&text)) != NULL) {
		int ret = 0;

		count++;
		if (is_rng_source(word)) {
			if (source) {
				say("--rng %s: not together with %s", word, source);
				return -EINVAL;
			}
			source = word;
		} else if (strncmp(word, "rate=", 5) == 0) {
			ret = parse_rate(options, word + 5);
		} else {
			ret = judge_feature(feature_choose(&options->rng_features, word), "--rng",
				first, word, "host, none, file=PATH, rate=BYTES/S; ");
		}
		if (ret < 0)
			return ret;
	}
	options->rng = source && strcmp(source, "none") == 0 ? RNG_NONE : RNG_PRESENT;
	if (options->rng == RNG_NONE && count > 1) {
		say("--rng none: nothing else goes with it");
		return -EINVAL;
	}
	if (source && strncmp(source, "file=", 5) == 0)
		options->rng_file = source + 5;
	return 0;
}

static int parse_virtio(struct options *options, char *text)
{
	char *word;

	while ((word = next_word(&text)) != NULL) {
		int ret = feature_choose(&options->features, word);

		if (ret == 0)
			continue;
		say("--virtio %s: not one of " FEATURE_NAMES ", with =on or =off", word);
		return -EINVAL;
	}
	return 0;
}

static int parse_module(struct options *options, const char *text)
{
	if (options->module_count == MODULES_MAX) {
		say("--module %s: at most %d modules", text, MODULES_MAX);
		return -EINVAL;
	}
	options->modules[options->module_count++] = text;
	return 0;
}

static int parse_load(struct options *options, const char *text)
{
	uint64_t value;

	if (parse_hex(text, UINT32_MAX, &value) < 0) {
		say("--load %s: not an address below 4 GiB (decimal, or hexadecimal after 0x)",
			text);
		return -EINVAL;
	}
	options->has_load = true;
	options->load = (uint32_t)value;
	return 0;
}

static int parse_debug_port(struct options *options, const char *text)
{
	uint64_t value;

	if (parse_hex(text, UINT16_MAX, &value) < 0) {
		say("--debug-port %s: not a port up to 0xffff (decimal, or hexadecimal after 0x)",
			text);
		return -EINVAL;
	}
	options->has_debug_port = true;
	options->debug_port = (uint16_t)value;
	return 0;
}

static int parse_log(struct options *options, const char *text)
{
	static const struct {
		const char *word;
		unsigned log;
	} words[] = {
		{"pio", EXIT_LOG_PIO},
		{"mmio", EXIT_LOG_MMIO},
		{"exits", EXIT_LOG_PIO | EXIT_LOG_MMIO | EXIT_LOG_OTHER},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i].word) != 0)
			continue;
		options->log |= words[i].log;
		return 0;
	}
	say("--log %s: not pio, mmio or exits", text);
	return -EINVAL;
}

static int parse_max_exits(struct options *options, const char *text)
{
	if (parse_number(text, UINT64_MAX, &options->exits_max) < 0 || options->exits_max == 0) {
		say("--max-exits %s: not a number from 1 on", text);
		return -EINVAL;
	}
	return 0;
}

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

static int parse_option(struct options *options, int option, char *argument)
{
	switch (option) {
	case 'b':
		options->boot = argument;
		return 0;
	case 'm':
		return parse_memory(options, argument);
	case 'c':
		return parse_count("--cpus", argument, CPUS_MAX, &options->cpu_count);
	case 'd':
		return parse_disk(options, argument);
	case 'C':
		return parse_console(options, argument);
	case 'S':
		return parse_chardev("--serial", argument, &options->serial);
	case 'R':
		return parse_rng(options, argument);
	case 'V':
		return parse_virtio(options, argument);
	case 'M':
		return parse_module(options, argument);
	case 'i':
		options->initrd = argument;
		return 0;
	case 'l':
		return parse_load(options, argument);
	case 'p':
		return parse_debug_port(options, argument);
	case 'L':
		return parse_log(options, argument);
	case 'x':
		return parse_max_exits(options, argument);
	case 't':
		return parse_count("--timeout", argument, TIMEOUT_MAX, &options->timeout);
	case 'v':
		options->verbose = true;
		return 0;
	case 'h':
		return 1;
	}
	return -EINVAL;
}

/* getopt_long() met something that it does not know, or that lacks its argument: a word, or, if
 * this is no long option, optopt inside of one. */
static void say_bad_option(int result, const char *word)
{
	const char *what = result == ':' ? "needs an argument"
					 : "unknown option, or one that "
					   "takes no argument";

	if (strncmp(word, "--", 2) != 0)
		say("-%c: %s (try vole --help)", optopt, what);
	else
		say("%s: %s (try vole --help)", word, what);
}

int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"boot", required_argument, NULL, 'b'},
		{"memory", required_argument, NULL, 'm'},
		{"cpus", required_argument, NULL, 'c'},
		{"disk", required_argument, NULL, 'd'},
		{"console", required_argument, NULL, 'C'},
		{"serial", required_argument, NULL, 'S'},
		{"rng", required_argument, NULL, 'R'},
		{"virtio", required_argument, NULL, 'V'},
		{"module", required_argument, NULL, 'M'},
		{"initrd", required_argument, NULL, 'i'},
		{"load", required_argument, NULL, 'l'},
		{"debug-port", required_argument, NULL, 'p'},
		{"log", required_argument, NULL, 'L'},
		{"max-exits", required_argument, NULL, 'x'},
		{"timeout", required_argument, NULL, 't'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int words = 1; /* before "--": after it all is the guest's */
	char no_argument_here[] = "";
	int option, ret, at;

	*options = (struct options){
		.boot = "auto",
		.memory_size = 64u << 20,
		.cpu_count = 1,
	};
	while (words < argc && strcmp(argv[words], "--") != 0)
		words++;
	optind = 0; /* getopt_long() starts anew */
	opterr = 0;
	while (at = optind, (option = getopt_long(words, argv, ":m:c:d:vh", longs, NULL)) != -1) {
		if (option == '?' || option == ':') {
			/* Inside of a word, optind is still at it. */
			say_bad_option(option, optind != at ? argv[optind - 1] : "");
			return -EINVAL;
		}
		ret = parse_option(options, option, optarg ? optarg : no_argument_here);
		if (ret != 0)
			return ret;
	}
	if (optind == words) {
		say("no kernel is named (try vole --help)");
		return -EINVAL;
	}
	options->kernel = argv[optind++];
	if (optind < words) {
		say("%s: a second kernel; words for the guest go after \"--\"", argv[optind]);
		return -EINVAL;
	}
	return words == argc ? 0 : parse_cmdline(options, argc - words - 1, argv + words + 1);
}
