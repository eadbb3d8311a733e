/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_NUMBERS_H
#define VMM_NUMBERS_H

/*
 * Parses numbers of the command line: digits only, no sign, no white space. Each function returns
 * 0, or -EINVAL, which it does not report, if text is no such number.
 */

#include <stdint.h>

/* Parses a decimal number, at most max. */
int parse_number(const char *text, uint64_t max, uint64_t *value);

/* Parses a decimal number, or a hexadecimal one after "0x", at most max. */
int parse_hex(const char *text, uint64_t max, uint64_t *value);

/* Parses a decimal number from 1 to max. */
int parse_positive(const char *text, unsigned max, unsigned *count);

#endif
