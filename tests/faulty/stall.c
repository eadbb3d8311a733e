/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "faulty.h"

void stall(void)
{
	const char *name = getenv("VOLE_STALL"), *stalled = getenv("VOLE_STALLED");

	if (!name || !stalled || access(name, F_OK) < 0)
		return;
	rename(name, stalled);
	while (access(stalled, F_OK) == 0)
		usleep(10000);
}
