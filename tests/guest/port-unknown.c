/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a port that the machine does not have: the number on the command line, or 0x3f8. Exit
 * status 126, the report names it. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	return in8((uint16_t)cmdline_number(info, 0x3f8));
}
