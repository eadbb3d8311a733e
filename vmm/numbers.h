/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_NUMBERS_H
#define VMM_NUMBERS_H

/*
 * Numbers on the command line: digits and nothing else, no sign, no white space. Each function
 * returns 0, or -EINVAL, which is not said, if text is no such number.
 */

#include <stdint.h>

/* A decimal number, at most max. */
int parse_number(const char *text, uint64_t max, uint64_t *value);

/* A decimal number, or a hexadecimal one after "0x", at most max. */
int parse_hex(const char *text, uint64_t max, uint64_t *value);

/* A decimal number from 1 to max. */
int parse_positive(const char *text, unsigned max, unsigned *count);

#endif
