/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEBUG_HEX_H
#define VMM_DEBUG_HEX_H

/* Numbers and bytes in hexadecimal, as the gdb remote protocol has them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a number of 1 to 16 digits at *text and moves *text behind it. Returns false if there is
 * none, or if it has more digits: then *text stays. */
bool hex_number(const char **text, uint64_t *value);

/* Moves *text behind this character. Returns false if another one is there. */
bool hex_skip(const char **text, char character);

/* Reads len bytes of two digits each. Returns false if a digit is missing. */
bool hex_bytes(const char *text, void *bytes, size_t len);

/* Writes len bytes as digits, without a terminating NUL, and returns the end. */
char *hex_put(char *text, const void *bytes, size_t len);

#endif
