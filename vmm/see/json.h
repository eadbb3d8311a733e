/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_JSON_H
#define VMM_JSON_H

/*
 * Writes JSON (RFC 8259), one value to a line. In an object each value has a name; in an array, and
 * outside of both, the name is NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;        /* not owned; who owns it looks for errors */
	unsigned depth;    /* objects and arrays that are open */
	unsigned one_line; /* of these, those from the first on that has its values on one line */
	bool has_values;   /* the innermost one has some */
};

/* Begin an object or array and end it. With one_line, all of it is on one line. */
void json_begin_object(struct json *json, const char *name, bool one_line);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *name, bool one_line);
void json_end_array(struct json *json);

void json_uint(struct json *json, const char *name, uint64_t value);
void json_null(struct json *json, const char *name);

/* Writes text, in which each byte that is not UTF-8 becomes U+FFFD. NULL: null. A "<" is written as
 * an escape, so that the text may stand in a <script> of a page. */
void json_string(struct json *json, const char *name, const char *text);

/* Writes a number as the text of its hexadecimal digits: an address. */
void json_hex(struct json *json, const char *name, uint64_t value, int digits);

/* Writes bytes as text, two hexadecimal digits each. */
void json_bytes(struct json *json, const char *name, const uint8_t *bytes, size_t len);

#endif
