/* SPDX-License-Identifier: BSD-2-Clause */
#include "numbers.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Digits of this base and nothing else, at most max. 0 or -EINVAL. */
static int parse_digits(const char *text, unsigned base, uint64_t max, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t sum = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		const char *at = memchr(digits, tolower((unsigned char)*text), base);
		uint64_t digit;

		if (!at)
			return -EINVAL;
		digit = (uint64_t)(at - digits);
		if (digit > max || sum > (max - digit) / base)
			return -EINVAL;
		sum = sum * base + digit;
	}
	*value = sum;
	return 0;
}

int parse_number(const char *text, uint64_t max, uint64_t *value)
{
	return parse_digits(text, 10, max, value);
}

int parse_hex(const char *text, uint64_t max, uint64_t *value)
{
	if (strncmp(text, "0x", 2) == 0)
		return parse_digits(text + 2, 16, max, value);
	return parse_number(text, max, value);
}

int parse_positive(const char *text, unsigned max, unsigned *count)
{
	uint64_t value;

	if (parse_number(text, max, &value) < 0 || value == 0)
		return -EINVAL;
	*count = (unsigned)value;
	return 0;
}
