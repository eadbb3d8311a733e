/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a port that the machine does not have. Exit status 126, the report names 0x3f8. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	return in8(0x3f8);
}
