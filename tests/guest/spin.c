/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints "busy" and loops on all CPUs without end. Ends by --timeout only, exit status 124. */

#include "check.h"
#include "cpu.h"

static void loop(void *ctx)
{
	(void)ctx;
	for (;;)
		__asm__ volatile("");
}

int main(const struct start_info *info)
{
	(void)info;
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, loop, NULL) == 0, "CPU %u starts", i);
	printf("busy\n");
	loop(NULL);
	return 0;
}
