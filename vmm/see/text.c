/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_begin(struct text *text)
{
	text->len = text->complete = 0;
	text->full = false;
	text->bytes[0] = '\0';
}

/* Room for one more byte is kept, for the newline. */
static void add(struct text *text, const char *format, va_list arguments)
{
	size_t room = sizeof text->bytes - 1 - text->len;
	int len;

	if (text->full)
		return;
	len = vsnprintf(text->bytes + text->len, room, format, arguments);
	text->full = len < 0 || (size_t)len >= room;
	if (!text->full)
		text->len += (size_t)len;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(text, format, arguments);
	va_end(arguments);
}

void text_line(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(text, format, arguments);
	va_end(arguments);
	if (text->full)
		return;
	text->bytes[text->len++] = '\n';
	text->complete = text->len;
}

const char *text_lines(struct text *text)
{
	text->bytes[text->complete] = '\0';
	return text->bytes;
}
