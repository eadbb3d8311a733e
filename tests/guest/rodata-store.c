/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores to its own constants. Exit status 126, the report names constant_table + 4. */

#include "check.h"
#include "x86.h"

extern const uint32_t constant_table[4];
const uint32_t constant_table[4] = {1, 2, 3, 4};

int main(const struct start_info *info)
{
	(void)info;
	write32((uint32_t)&constant_table[1], 5);
	return 0;
}
