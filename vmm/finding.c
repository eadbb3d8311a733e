/* SPDX-License-Identifier: BSD-2-Clause */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

void finding(enum finding_state state, const char *subject, const char *format, ...)
{
	static const char *const words[] = {
		[FINDING_OK] = "ok",
		[FINDING_MISSING] = "missing",
		[FINDING_SLOW] = "slow",
	};
	va_list arguments;

	printf("%-8s %-31s ", words[state], subject);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}
