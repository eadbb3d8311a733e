/* SPDX-License-Identifier: BSD-2-Clause */
/* Pushes until the stack is full. Exit status 126, the report names an address just below the
 * stack. */

#include "check.h"

int main(const struct start_info *info)
{
	(void)info;
	__asm__ volatile("1: pushl $0x5aa5; jmp 1b");
	return 0;
}
