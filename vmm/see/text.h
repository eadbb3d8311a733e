/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEXT_H
#define VMM_TEXT_H

/*
 * Text of a bounded length that is put together from pieces, whole lines of it. One thread at a
 * time.
 */

#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX 16384

struct text {
	size_t len;           /* of the lines that are complete, and of the one that is not */
	size_t complete;      /* bytes of complete lines */
	bool full;            /* a line did not fit: it and all that follows is left out */
	char bytes[TEXT_MAX]; /* terminated by a NUL; each complete line by a newline */
};

/* Makes text empty. */
void text_begin(struct text *text);

/* Adds to the line that is not complete. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Completes the line, after having added this to it. */
void text_line(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns the complete lines. */
const char *text_lines(struct text *text);

#endif
