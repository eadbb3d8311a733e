/* SPDX-License-Identifier: BSD-2-Clause */
#include "string.h"

/*
 * Copying and filling are string instructions, four bytes at a time: where guest code is emulated,
 * every instruction and every repetition has its price. (A loop in C would also be recognised by
 * the compiler and turned into a call of the very function it is in.)
 */

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	void *to = dst;
	size_t words = len / 4;

	len %= 4;
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(len) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	uint8_t *to = dst;
	const uint8_t *from = src;

	if ((uintptr_t)dst - (uintptr_t)src >= len) /* dst is outside [src, src + len) */
		return memcpy(dst, src, len);
	to += len - 1;
	from += len - 1;
	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	uint32_t word = (uint8_t)byte * 0x01010101u;
	void *to = dst;
	size_t words = len / 4;

	len %= 4;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(word) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(word) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *left = a, *right = b;

	for (size_t i = 0; i < len; i++)
		if (left[i] != right[i])
			return left[i] - right[i];
	return 0;
}

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end)
		end++;
	return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (uint8_t)*a - (uint8_t)*b;
}

/* The value of a digit, 16 or more for what is none. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

bool parse_number(const char *text, uint32_t *value, const char **rest)
{
	unsigned base = 10;
	uint64_t number = 0;

	while (*text == ' ')
		text++;
	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (digit(*text) >= base)
		return false;
	for (; digit(*text) < base; text++) {
		number = number * base + digit(*text);
		if (number > UINT32_MAX)
			return false;
	}
	if (*text && *text != ' ')
		return false;
	while (*text == ' ')
		text++;
	*value = (uint32_t)number;
	if (rest)
		*rest = text;
	return true;
}
