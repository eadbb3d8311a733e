/* SPDX-License-Identifier: BSD-2-Clause */
/* All CPUs crash at the same moment, each at an address of its own that nothing answers, so that
 * there is a report of each to be had; one is made. Exit status of vole 126. */

#include <stdatomic.h>

#include "check.h"
#include "cpu.h"
#include "x86.h"

#define HOLE 0xc8000000

static atomic_uint ready;

static void crash(void *ctx)
{
	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < cpu_count())
		cpu_relax();
	write32(HOLE + 4 * (unsigned)ctx, 0);
}

int main(const struct start_info *info)
{
	(void)info;
	for (unsigned i = 1; i < cpu_count(); i++)
		cpu_run(i, crash, (void *)i);
	crash(0);
	halt_forever();
}
