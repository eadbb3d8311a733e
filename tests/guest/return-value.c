/* SPDX-License-Identifier: BSD-2-Clause */
/* Returns from its entry point. Exit status: the number on the command line. */

#include "check.h"

int main(const struct start_info *info)
{
	return (int)cmdline_number(info, 0);
}
