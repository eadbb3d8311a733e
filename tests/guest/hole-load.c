/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads from where nothing answers. Exit status 126, the report names 0xc8000000. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	printf("nothing answers, and yet: 0x%x\n", read32(0xc8000000));
	return 0;
}
