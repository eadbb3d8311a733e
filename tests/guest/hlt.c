/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints "idle" and waits for an interrupt that never comes. Ends by --timeout only, exit status
 * 124, without having used CPU time. */

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	(void)info;
	printf("idle\n");
	for (;;)
		halt_once();
}
