/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers off through the exit port. Exit status: the number on the command line. */

#include "check.h"

int main(const struct start_info *info)
{
	power_off(cmdline_number(info, 0));
}
