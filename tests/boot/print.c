/* SPDX-License-Identifier: BSD-2-Clause */
#include "print.h"

#include "x86.h"

#define LINE_STATUS (SERIAL + 5)
#define THR_EMPTY   0x20

void put(char c)
{
	while (!(in8(LINE_STATUS) & THR_EMPTY))
		;
	out8(SERIAL, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		put(*text++);
}

void print_hex(uint64_t value)
{
	unsigned shift = 60;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		put("0123456789abcdef"[value >> shift & 15]);
		if (shift == 0)
			break;
	}
}

void say(const char *what, uint64_t value)
{
	print(what);
	put(' ');
	print_hex(value);
	put('\n');
}
