/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of vmm/log.c: messages are made, so that making them is checked, and
 * kept to ourselves. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...)
{
	int saved = errno;
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	errno = saved;
}
