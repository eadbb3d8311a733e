/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINE_H
#define VMM_LINE_H

/*
 * The lines of standard error. Standard output and standard error may lead to the same terminal,
 * pipe or file. A message that comes while the guest has printed a part of a line begins on a fresh
 * line there, and nothing is written into the middle of a message.
 *
 * A process has one standard error, and messages come from anywhere, so this is the state of the
 * process and not of a machine: who writes at the moment, and where the last line ends. All
 * functions but line_compare() may be called on any thread; none reports anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Finds out whether standard output and standard error lead to the same place. Called when either
 * has been replaced, before there are threads that write. */
void line_compare(void);

/* Returns whether they do. */
bool line_is_shared(void);

/* Waits up to wait_ms milliseconds for others who write a line, and has them wait from here on.
 * Returns false if somebody still writes. After true, the caller calls line_end(). */
bool line_begin(unsigned wait_ms);

/* Writes a part of text to standard error, on a fresh line if it is the first since line_begin().
 * step is the most that write(2) takes without blocking (stream_step()). Returns the number of
 * bytes, which may be 0, or -errno. */
ssize_t line_write(const char *text, size_t len, size_t step);

/* Lets others write. If the text did not end with a newline, the next line begins on a fresh one
 * nevertheless. */
void line_end(void);

/* Writes a part of what the guest prints to fd, which leads to standard output, as
 * stream_write_some() does. Returns -EAGAIN also while vole writes a line to the same place. */
ssize_t line_write_guest(int fd, const struct iovec *iov, size_t step);

/* Writes a line on a fresh line, as far as standard error takes it within a second or two. A signal
 * handler may call it. */
void line_write_last(const char *text, size_t len);

#endif
