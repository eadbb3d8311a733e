/* SPDX-License-Identifier: BSD-2-Clause */
#include "options_machine.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "layout.h"
#include "log.h"
#include "numbers.h"
#include "suggest.h"

/* Says that text is no size. People also write 64m, 64MB and 64MiB. */
static void say_bad_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	char unit = (char)toupper((unsigned char)text[digits]);
	char meant[32] = "";

	if (digits > 0 && digits < 8 && memchr("KMG", unit, 3) &&
		(!text[digits + 1] || strcasecmp(text + digits + 1, "b") == 0 ||
			strcasecmp(text + digits + 1, "ib") == 0))
		snprintf(meant, sizeof meant, "; %.*s%c?", (int)digits, text, unit);
	say("--memory %s: not a size (a number of bytes, or with K, M or G)%s", text, meant);
}

int parse_memory(struct options *options, const char *text)
{
	size_t len = strlen(text);
	char digits[16];
	unsigned shift = 0;
	uint64_t value;

	if (len > 0 && text[len - 1] == 'K')
		shift = 10;
	else if (len > 0 && text[len - 1] == 'M')
		shift = 20;
	else if (len > 0 && text[len - 1] == 'G')
		shift = 30;
	len -= shift != 0;
	snprintf(digits, sizeof digits, "%.*s", (int)len, text);
	if (len >= sizeof digits || parse_number(digits, UINT64_MAX >> shift, &value) < 0) {
		say_bad_size(text);
		return -EINVAL;
	}
	value <<= shift;
	if (value > RAM_MAX) {
		say("--memory %s: a machine has at most 3G", text);
		return -EINVAL;
	}
	if (value == 0) {
		say("--memory %s: a machine needs memory; 64M is usual", text);
		return -EINVAL;
	}
	/* Nobody means so few bytes. */
	if (shift == 0 && value < PAGE_SIZE) {
		say("--memory %s: that is %s byte%s; %sM?", text, text, value == 1 ? "" : "s",
			text);
		return -EINVAL;
	}
	options->memory_size = (uint32_t)value;
	return 0;
}

int parse_count(const char *name, const char *text, unsigned max, unsigned *count)
{
	int ret = parse_positive(text, max, count);

	if (ret < 0)
		say("%s %s: not a number from 1 to %u", name, text, max);
	return ret;
}

int parse_module(struct options *options, const char *text)
{
	if (!*text) {
		say("--module: no file is named");
		return -EINVAL;
	}
	if (options->module_count == MODULES_MAX) {
		say("--module %s: at most %d modules", text, MODULES_MAX);
		return -EINVAL;
	}
	options->modules[options->module_count++] = text;
	return 0;
}

int parse_load(struct options *options, const char *text)
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

int parse_debug_port(struct options *options, const char *text)
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

int parse_engine(struct options *options, const char *text)
{
#define ENGINES "auto, kvm or soft"
	static const char *const names[] = {"auto", "kvm", "soft"};

	options->engine = text;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0)
			return 0;
	say("--engine %s: not " ENGINES "%s", text, suggestion(text, ENGINES));
	return -EINVAL;
}

int parse_clock(struct options *options, const char *text)
{
	options->has_clock = true;
	options->clock = ENGINE_CLOCK_VIRTUAL;
	if (strcmp(text, "virtual") == 0)
		return 0;
	options->clock = ENGINE_CLOCK_HOST;
	if (strcmp(text, "host") == 0)
		return 0;
	say("--clock %s: not host or virtual%s", text, suggestion(text, "host or virtual"));
	return -EINVAL;
}

int parse_screen(struct options *options, const char *text)
{
	options->screen = strcmp(text, "on") == 0;
	if (options->screen || strcmp(text, "off") == 0)
		return 0;
	say("--screen %s: not on or off", text);
	return -EINVAL;
}

int parse_sandbox(struct options *options, const char *text)
{
	if (sandbox_parse(text, &options->sandbox))
		return 0;
	say("--sandbox %s: not on, off or log%s", text, suggestion(text, "on, off or log"));
	return -EINVAL;
}

int parse_max_exits(struct options *options, const char *text)
{
	if (parse_number(text, UINT64_MAX, &options->exits_max) < 0 || options->exits_max == 0) {
		say("--max-exits %s: not a number from 1 on", text);
		return -EINVAL;
	}
	return 0;
}
