/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...)
{
	static const char prefix[] = "vole: ";
	int saved = errno;
	char line[1024];
	size_t room = sizeof line - sizeof prefix; /* leaves a byte for the newline */
	va_list arguments;
	int len;

	memcpy(line, prefix, sizeof prefix - 1);
	va_start(arguments, format);
	len = vsnprintf(line + sizeof prefix - 1, room, format, arguments);
	va_end(arguments);
	if (len < 0)
		len = 0;
	if ((size_t)len >= room)
		len = (int)room - 1;
	len += (int)sizeof prefix - 1;
	line[len++] = '\n';
	/* There is nowhere to report that standard error fails. */
	(void)!write(STDERR_FILENO, line, (size_t)len);
	errno = saved;
}
