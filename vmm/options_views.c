/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_views.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/unix_socket.h"
#include "log.h"
#include "numbers.h"
#include "option_list.h"
#include "see/capture.h"
#include "suggest.h"

/* Takes what follows the kind of a log, and sets *file to the file, if one is named. */
static int parse_log_file(const char *kind, char *text, const char **file)
{
	const char *word;
	char prefix[32];

	snprintf(prefix, sizeof prefix, "--log %s,file=", kind);
	while ((word = next_word(&text)) != NULL) {
		if (strncmp(word, "file=", 5) != 0 || !word[5]) {
			say("--log %s: unknown option \"%s\"%s (there is file=PATH; --log may be "
			    "repeated)",
				kind, word, suggestion(word, "file=PATH"));
			return -EINVAL;
		}
		if (*file) {
			say("--log %s: there can be only one file, %s or %s", kind, *file,
				word + 5);
			return -EINVAL;
		}
		if (check_output(prefix, word + 5) < 0)
			return -EINVAL;
		*file = word + 5;
	}
	return 0;
}

int parse_log(struct options *options, char *text)
{
#define LOGS "pio, mmio, exits or virtio"
	const char *kind = next_word(&text);
	bool has_file = text != NULL;

	if (strcmp(kind, "virtio") == 0) {
		options->log_virtio = true;
		return parse_log_file(kind, text, &options->log_virtio_file);
	}
	for (unsigned i = 0; i < EXIT_LOG_WORDS; i++) {
		if (strcmp(kind, exit_log_words[i].word) != 0)
			continue;
		if (has_file)
			return parse_log_file(kind, text, &options->log_files[i]);
		options->log |= exit_log_words[i].kinds;
		return 0;
	}
	say("--log %s: not " LOGS "%s", kind, suggestion(kind, LOGS));
	return -EINVAL;
}

static int parse_snap(struct options *options, const char *text)
{
	uint64_t snap;

	if (parse_number(text, CAPTURE_SNAP_MAX, &snap) < 0) {
		say("--capture %s: snap=%s is not a number of bytes up to %u", options->capture,
			text, CAPTURE_SNAP_MAX);
		return -EINVAL;
	}
	options->capture_snap = (uint32_t)snap;
	return 0;
}

int parse_capture(struct options *options, char *text)
{
	const char *word;

	if (options->capture) {
		say("--capture %s: there can be only one", text);
		return -EINVAL;
	}
	options->capture = next_word(&text);
	options->capture_snap = CAPTURE_SNAP_DEFAULT;
	if (!*options->capture) {
		say("--capture: no file is named");
		return -EINVAL;
	}
	while ((word = next_word(&text)) != NULL) {
		if (strcmp(word, "stores") == 0) {
			options->capture_stores = true;
		} else if (strncmp(word, "snap=", 5) != 0) {
			say("--capture %s: unknown option \"%s\"%s (there are snap=BYTES and "
			    "stores)",
				options->capture, word, suggestion(word, "snap=BYTES or stores"));
			return -EINVAL;
		} else if (parse_snap(options, word + 5) < 0) {
			return -EINVAL;
		}
	}
	return 0;
}

int parse_check(struct options *options, char *text)
{
	const char *kind = next_word(&text);
	const char *word;

	if (strcmp(kind, "virtio") != 0) {
		say("--check %s: not virtio%s", kind, suggestion(kind, "virtio"));
		return -EINVAL;
	}
	options->check_virtio = true;
	while ((word = next_word(&text)) != NULL) {
		if (strcmp(word, "fatal") != 0) {
			say("--check virtio: unknown option \"%s\"%s (there is fatal)", word,
				suggestion(word, "fatal"));
			return -EINVAL;
		}
		options->check_fatal = true;
	}
	return 0;
}

#define STATS_JSON "json:"

int parse_stats(struct options *options, const char *text)
{
	if (options->stats) {
		say("--stats: there can be only one");
		return -EINVAL;
	}
	options->stats = true;
	if (!*text)
		return 0;
	if (strncmp(text, STATS_JSON, strlen(STATS_JSON)) != 0) {
		say("--stats=%s: not json:FILE%s; without it, a table goes to standard error", text,
			suggestion(text, "json:FILE"));
		return -EINVAL;
	}
	options->stats_file = text + strlen(STATS_JSON);
	if (*options->stats_file)
		return check_output("--stats=" STATS_JSON, options->stats_file);
	say("--stats=%s: no file is named", text);
	return -EINVAL;
}

int check_stats(const struct options *options)
{
	if (!options->stats || options->stats_file ||
		strncmp(options->kernel, STATS_JSON, strlen(STATS_JSON)) != 0)
		return 0;
	say("--stats %s: it is one word: --stats=%s", options->kernel, options->kernel);
	return -EINVAL;
}

/* The last --chaos counts, as a whole. */
int parse_chaos(struct options *options, char *text)
{
	const char *seed = next_word(&text);
	char *word;

	options->chaos = (struct chaos_choice){.on = true};
	if (parse_number(seed, UINT64_MAX, &options->chaos.seed) < 0) {
		say("--chaos %s: the seed is not a number from 0 to 18446744073709551615", seed);
		return -EINVAL;
	}
	while ((word = next_word(&text)) != NULL) {
		if (strcmp(word, "errors") == 0) {
			options->chaos.errors = true;
		} else if (strcmp(word, "reset") == 0) {
			options->chaos.reset = true;
		} else {
			say("--chaos %s: unknown option \"%s\"%s (there are errors and "
			    "reset)",
				seed, word, suggestion(word, "errors or reset"));
			return -EINVAL;
		}
	}
	return 0;
}

#define LOOPBACK "127.0.0.1"

/* "PORT", or "localhost:PORT" and "127.0.0.1:PORT" as other programs have it. */
static int parse_gdb_port(struct gdb_options *gdb, const char *text)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	unsigned number;

	if (len > 0 && !(len == strlen(LOOPBACK) && strncmp(text, LOOPBACK, len) == 0) &&
		!(len == 9 && strncmp(text, "localhost", len) == 0)) {
		say("--gdb tcp:%s: a debugger can do all that you can, so vole listens on "
		    "127.0.0.1 alone: tcp:%s (from elsewhere, by ssh -L)",
			text, port);
		return -EINVAL;
	}
	if (parse_positive(port, UINT16_MAX, &number) < 0) {
		say("--gdb tcp:%s: not a port from 1 to 65535", text);
		return -EINVAL;
	}
	gdb->port = (uint16_t)number;
	return 0;
}

static int parse_gdb_way(struct gdb_options *gdb, const char *text)
{
	const char *path = unix_socket_path(text);

	gdb->text = text;
	if (strcmp(text, "-") == 0) {
		gdb->kind = GDB_STDIO;
		gdb->lost_is_end = true;
		return 0;
	}
	if (path && *path) {
		gdb->kind = GDB_UNIX;
		gdb->path = path;
		return 0;
	}
	if (strncmp(text, "tcp:", 4) == 0) {
		gdb->kind = GDB_TCP;
		return parse_gdb_port(gdb, text + 4);
	}
	say("--gdb %s: not -, unix:PATH or tcp:PORT%s", text,
		suggestion(text, "unix:PATH or tcp:PORT"));
	return -EINVAL;
}

/* Bytes that a debugger's way back takes where the user says nothing. */
#define HISTORY_USUAL (UINT64_C(256) << 20)

/* A number of bytes, or with K, M or G; 0 for none. */
static int parse_history(struct gdb_options *gdb, const char *text)
{
	static const char units[] = "KMG";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	char number[16];

	snprintf(number, sizeof number, "%.*s", (int)digits, text);
	if (digits < sizeof number && text[digits + (unit != NULL)] == '\0' &&
		parse_number(number, UINT64_MAX >> (shift + 1), &gdb->history) == 0) {
		gdb->history <<= shift;
		return 0;
	}
	say("--gdb %s: history=%s: not a size (a number of bytes, or with K, M or G)", gdb->text,
		text);
	return -EINVAL;
}

static int parse_gdb_word(struct gdb_options *gdb, const char *way, const char *word)
{
	if (strncmp(word, "history=", 8) == 0)
		return parse_history(gdb, word + 8);
	gdb->lost_is_end = strcmp(word, "lost=end") == 0;
	if (gdb->lost_is_end)
		return 0;
	if (strcmp(word, "lost=wait") != 0)
		say("--gdb %s: unknown option \"%s\" (there is lost=wait, lost=end or "
		    "history=SIZE)",
			way, word);
	else if (gdb->kind == GDB_STDIO)
		say("--gdb -: lost=wait needs unix:PATH or tcp:PORT, where another debugger can "
		    "connect");
	else
		return 0;
	return -EINVAL;
}

/* -|unix:PATH|tcp:PORT[,lost=wait|end][,history=SIZE]; text is cut at its commas. The last --gdb
 * counts, as a whole. */
int parse_gdb(struct options *options, char *text)
{
	struct gdb_options *gdb = &options->gdb;
	const char *way = next_word(&text);
	char *word;
	int ret;

	*gdb = (struct gdb_options){.kind = GDB_NONE, .history = HISTORY_USUAL};
	ret = parse_gdb_way(gdb, way);
	while (ret == 0 && (word = next_word(&text)) != NULL)
		ret = parse_gdb_word(gdb, way, word);
	return ret;
}
