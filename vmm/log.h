/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOG_H
#define VMM_LOG_H

/*
 * vole's own words: one line on standard error, "vole: " before it. Standard output is the guest's.
 * A line is one write(2) where there is room for it, so lines of different threads do not mix.
 *
 * Nobody need read them. What is not taken for a second is lost, and the rest of its line: a
 * machine that is to end does end.
 */

#include <stdarg.h>
#include <stdbool.h>

/* Have standard error not block, where that is permitted. Before the first thread. */
void log_open(void);

/* No newline in the text. Any thread. errno is kept. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, of a thread that may wait longer: as long as waits(ctx), which is asked ten times a
 * second. NULL: a second, as say(). */
void vsay(bool (*waits)(void *ctx), void *ctx, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

#endif
