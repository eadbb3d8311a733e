/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "block.h"
#include "io/entropy.h"
#include "io/unix_socket.h"
#include "log.h"
#include "numbers.h"
#include "option_list.h"
#include "suggest.h"

/* Say what is wrong with one "NAME=on|off" of an option's argument, which begins with value. ret is
 * of feature_choose(); extras names what else could stand there. */
static int check_feature(
	int ret, const char *option, const char *value, const char *word, const char *extras)
{
	char names[320];

	if (ret == -EINVAL)
		say("%s %s: \"%s\" is neither =on nor =off", option, value, word);
	if (ret == -ENOENT) {
		snprintf(names, sizeof names, "%s" FEATURE_NAMES, extras);
		say("%s %s: unknown option \"%s\"%s (there are %s, each with =on or =off)", option,
			value, word, suggestion(word, names), names);
	}
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

static int parse_poll(struct disk_options *disk, const char *text)
{
	int ret;

	if (strcmp(text, "auto") == 0 || strcmp(text, "off") == 0) {
		disk->poll = *text == 'a' ? DISK_POLL_AUTO : DISK_POLL_OFF;
		return 0;
	}
	disk->poll = DISK_POLL_FIXED;
	ret = parse_positive(text, DISK_POLL_MAX, &disk->poll_us);
	if (ret < 0)
		say("--disk %s: poll %s is neither auto nor off, nor a number of microseconds from "
		    "1 to %d",
			disk->path, text, DISK_POLL_MAX);
	return ret;
}

/* FILE[,ro][,private][,serial=ID][,block-size=N][,queues=N][,poll=auto|off|US][,format=raw]
 * [,FEATURE=on|off]...; text is cut at its commas. */
int parse_disk(struct options *options, char *text)
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
		else if (strcmp(word, "private") == 0)
			disk->is_private = true;
		else if (strcmp(word, "format=raw") == 0)
			disk->is_raw = true;
		else if (strncmp(word, "serial=", 7) == 0)
			ret = parse_serial_id(disk, word + 7);
		else if (strncmp(word, "block-size=", 11) == 0)
			ret = parse_block_size(disk, word + 11);
		else if (strncmp(word, "queues=", 7) == 0)
			ret = parse_queues(disk, word + 7);
		else if (strncmp(word, "poll=", 5) == 0)
			ret = parse_poll(disk, word + 5);
		else
			ret = check_feature(feature_choose_disk(&disk->features, word), "--disk",
				disk->path, word,
				"ro, private, serial=ID, block-size=N, queues=N, "
				"poll=auto|off|US, format=raw; " FEATURE_NAMES_DISK ", ");
		if (ret < 0)
			return ret;
	}
	if (!*disk->path) {
		say("--disk: no file is named");
		return -EINVAL;
	}
	if (disk->read_only && disk->is_private) {
		say("--disk %s: ro and private exclude each other", disk->path);
		return -EINVAL;
	}
	return 0;
}

/* The host's end of a device that sends and receives bytes. */
int parse_chardev(const char *name, const char *text, const char **value)
{
#define CHARDEVS "stdio, none, file:PATH, unix:PATH or pty"
	static const char *const words[] = {"stdio", "none", "pty"};
	const char *path = unix_socket_path(text);

	*value = text;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0)
			return 0;
	if (strncmp(text, "file:", 5) == 0)
		path = text + 5;
	if (path && *path)
		return 0;
	say("%s %s: not " CHARDEVS "%s", name, text, suggestion(text, CHARDEVS));
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
int parse_console(struct options *options, char *text)
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
			ret = check_feature(feature_choose(&options->console_features, word),
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
int parse_rng(struct options *options, char *text)
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
			ret = check_feature(feature_choose(&options->rng_features, word), "--rng",
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

int parse_virtio(struct options *options, char *text)
{
	char *word;

	while ((word = next_word(&text)) != NULL) {
		int ret = feature_choose(&options->features, word);

		if (ret == 0)
			continue;
		say("--virtio %s: not one of " FEATURE_NAMES ", with =on or =off%s", word,
			ret == -ENOENT ? suggestion(word, FEATURE_NAMES) : "");
		return -EINVAL;
	}
	return 0;
}
