/* SPDX-License-Identifier: BSD-2-Clause */
/* Divides by zero without a handler: the library prints "exception 0 (divide error)", registers,
 * and powers off. Exit status 100. */

#include "check.h"

int main(const struct start_info *info)
{
	(void)info;
	__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0) : "cc");
	return 0;
}
