/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores to where nothing answers. Exit status 126, the report names 0xc8000000. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	write32(0xc8000000, 1);
	return 0;
}
