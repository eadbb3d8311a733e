/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_views.h"

#include <errno.h>
#include <string.h>

#include "cpu/exit_log.h"
#include "log.h"
#include "numbers.h"
#include "option_list.h"
#include "see/capture.h"
#include "suggest.h"

/* text is cut at its commas. */
static int parse_log_virtio(struct options *options, char *text)
{
	const char *word;

	options->log_virtio = true;
	while ((word = next_word(&text)) != NULL) {
		if (strncmp(word, "file=", 5) != 0 || !word[5]) {
			say("--log virtio: unknown option \"%s\"%s (there is file=PATH)", word,
				suggestion(word, "file=PATH"));
			return -EINVAL;
		}
		options->log_virtio_file = word + 5;
	}
	return 0;
}

int parse_log(struct options *options, char *text)
{
#define LOGS "pio, mmio, exits or virtio"
	static const struct {
		const char *word;
		unsigned log;
	} words[] = {
		{"pio", EXIT_LOG_PIO},
		{"mmio", EXIT_LOG_MMIO},
		{"exits", EXIT_LOG_PIO | EXIT_LOG_MMIO | EXIT_LOG_OTHER},
	};
	const char *kind = next_word(&text);

	if (strcmp(kind, "virtio") == 0)
		return parse_log_virtio(options, text);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(kind, words[i].word) != 0)
			continue;
		if (text) {
			say("--log %s,%s: nothing goes with %s; --log may be repeated", kind, text,
				kind);
			return -EINVAL;
		}
		options->log |= words[i].log;
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
		if (strncmp(word, "snap=", 5) != 0) {
			say("--capture %s: unknown option \"%s\" (there is snap=BYTES)",
				options->capture, word);
			return -EINVAL;
		}
		if (parse_snap(options, word + 5) < 0)
			return -EINVAL;
	}
	return 0;
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
			say("--chaos %s: unknown option \"%s\"%s (there are errors and reset)",
				seed, word, suggestion(word, "errors or reset"));
			return -EINVAL;
		}
	}
	return 0;
}
