/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of vmm/log.c: messages are made, so that making them is checked, and
 * kept to ourselves. */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_log.h"

unsigned fuzz_log_lines;
int fuzz_log_longest;

void log_open(void)
{
}

bool vsay(bool (*waits)(void *ctx), void *ctx, const char *format, va_list arguments)
{
	int saved = errno;
	char line[1024];
	int len;

	(void)waits;
	(void)ctx;
	len = vsnprintf(line, sizeof line, format, arguments);
	fuzz_log_lines++;
	if (len > fuzz_log_longest)
		fuzz_log_longest = len;
	errno = saved;
	return true;
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(NULL, NULL, format, arguments);
	va_end(arguments);
}

void say_lines(const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		say("%.*s", (int)strcspn(text, "\n"), text);
}
