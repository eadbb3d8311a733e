/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BOOT_PRINT_H
#define TESTS_BOOT_PRINT_H

/* Test kernels on a PC's board print on its first serial port. */

#include <stdint.h>

#define SERIAL 0x3f8

void put(char c);
void print(const char *text);

/* Prints a number in hexadecimal without leading zeros. */
void print_hex(uint64_t value);

/* Prints a line: what, a space, and the value in hexadecimal. */
void say(const char *what, uint64_t value);

#endif
