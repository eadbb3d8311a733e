/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOG_H
#define VMM_LOG_H

/*
 * vole's messages: one line on standard error, prefixed with "vole: ". Standard output is the
 * guest's. Lines of different threads do not mix, and none is written into the middle of what the
 * guest prints to the same place (line.h). Control characters, which names of files and what comes
 * from a guest may have, are shown by their number, as \x1b; tabs stay.
 *
 * Standard error need not be read. Text that it does not accept within a second is lost, together
 * with the rest of its line, so that the machine can end.
 */

#include <stdarg.h>
#include <stdbool.h>

/* Makes standard error non-blocking where that is possible, and finds out whether the guest prints
 * there too. Called before the first thread. */
void log_open(void);

/* Prints a message. The text has no newline. Preserves errno. Any thread. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints each line of text, which ends with a newline, as a message of its own. The lines stay
 * together; what standard error does not accept within a second is lost with all that follows.
 * Preserves errno. Any thread. */
void say_lines(const char *text);

/* Prints a message as say() does, and waits for standard error as long as waits(ctx), which it
 * calls ten times a second, returns true. If waits is NULL, it waits a second, as say() does.
 * Returns false if standard error is a pipe, a socket or a terminal whose other end is closed, so
 * that nothing will be read there any more. */
bool vsay(bool (*waits)(void *ctx), void *ctx, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

#endif
