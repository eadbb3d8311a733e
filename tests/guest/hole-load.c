/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads from where nothing answers: the address on the command line, or 0xc8000000. Exit status
 * 126, the report names it. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	printf("nothing answers, and yet: 0x%x\n", read32(cmdline_number(info, 0xc8000000)));
	return 0;
}
