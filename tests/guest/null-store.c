/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores through a null pointer. Exit status 126, the report names address 0 and store_to_null. */

#include "check.h"
#include "x86.h"

__attribute__((noinline)) static void store_to_null(void)
{
	write32(0, 0x12345678);
}

int main(const struct start_info *info)
{
	(void)info;
	store_to_null();
	return 0;
}
