/* SPDX-License-Identifier: BSD-2-Clause */
/* Divides by zero without a handler: the library leaves that to vole, whose report names main.
 * Given "alone", it does so under a VMM that has loaded no interrupt table: the library prints
 * "exception 0 (divide error)", registers, and powers off. Exit status 126, or 100. */

#include "check.h"
#include "idt.h"

int main(const struct start_info *info)
{
	if (strcmp(info_cmdline(info), "alone") == 0) {
		static const uint16_t empty[3] = {0, 0, 0}; /* limit and base */

		__asm__ volatile("lidt %0" : : "m"(empty));
		idt_init();
	}
	__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0) : "cc");
	return 0;
}
