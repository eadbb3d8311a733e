/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static unsigned points, failures;
static const char *point_prefix = "";

static void point(bool pass, const char *file, int line, const char *name, va_list arguments)
{
	points++;
	printf("%s %u - %s", pass ? "ok" : "not ok", points, point_prefix);
	vprintf(name, arguments);
	printf("\n");
	if (!pass) {
		failures++;
		printf("# at %s:%d\n", file, line);
	}
}

bool tap_ok(bool pass, const char *expression, const char *file, int line, const char *name, ...)
{
	va_list arguments;

	va_start(arguments, name);
	point(pass, file, line, name, arguments);
	va_end(arguments);
	if (!pass)
		printf("# not true: %s\n", expression);
	fflush(stdout);
	return pass;
}

bool tap_is(uint64_t got, uint64_t expected, const char *expression, const char *file, int line,
	const char *name, ...)
{
	va_list arguments;

	va_start(arguments, name);
	point(got == expected, file, line, name, arguments);
	va_end(arguments);
	if (got != expected)
		printf("# %s is 0x%" PRIx64 ", expected 0x%" PRIx64 "\n", expression, got,
			expected);
	fflush(stdout);
	return got == expected;
}

void tap_prefix(const char *prefix)
{
	point_prefix = prefix;
}

int tap_done(void)
{
	printf("1..%u\n", points);
	return failures ? 1 : 0;
}
