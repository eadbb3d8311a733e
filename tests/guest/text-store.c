/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores to its own code. Exit status 126, the report names main. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	write8((uint32_t)main, 0xc3);
	return 0;
}
