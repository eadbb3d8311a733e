/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_STRING_H
#define GUEST_STRING_H

/*
 * The C library's functions that a kernel cannot do without. The first four are not a matter of
 * taste: compilers call them on their own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *__restrict dst, const void *__restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* The number that text begins with, decimal or 0x and hexadecimal, after blanks. True if there is
 * one of at most 32 bits, followed by a blank or the end; *rest, unless rest is NULL, is what comes
 * after it and the blanks that follow. */
bool parse_number(const char *text, uint32_t *value, const char **rest);

#endif
