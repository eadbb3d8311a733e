/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the exception table away and then raises an exception: ud2, or int3 if the command line
 * says so. Exit status 126, the report has EIP in main and the instruction's bytes, 0f 0b or cc.
 */

#include "check.h"

int main(const struct start_info *info)
{
	static const uint16_t empty[3] = {0, 0, 0}; /* limit and base */

	__asm__ volatile("lidt %0" : : "m"(empty));
	if (strcmp(info_cmdline(info), "int3") == 0)
		__asm__ volatile("int3");
	else
		__asm__ volatile("ud2");
	return 0;
}
