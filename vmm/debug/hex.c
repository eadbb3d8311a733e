/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug/hex.h"

#define NUMBER_DIGITS_MAX 16

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool hex_number(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; digit_value(*at) >= 0; at++)
		number = number << 4 | (uint64_t)digit_value(*at);
	if (at == *text || at - *text > NUMBER_DIGITS_MAX)
		return false;
	*text = at;
	*value = number;
	return true;
}

bool hex_skip(const char **text, char character)
{
	if (**text != character)
		return false;
	(*text)++;
	return true;
}

bool hex_bytes(const char *text, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	for (size_t i = 0; i < len; i++) {
		int high = digit_value(text[2 * i]);
		int low = high < 0 ? -1 : digit_value(text[2 * i + 1]);

		if (low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

char *hex_put(char *text, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[from[i] >> 4];
		*text++ = digits[from[i] & 15];
	}
	return text;
}
