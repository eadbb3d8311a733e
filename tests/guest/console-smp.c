/* SPDX-License-Identifier: BSD-2-Clause */
/* All CPUs print on the virtio console at once, each 20 lines "CPU n line m"; no line is mixed with
 * another. Exit status 0. */

#include <stdatomic.h>

#include "check.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "x86.h"

#define LINES 20

static struct console console;
static atomic_uint finished;

static void print_lines(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < LINES; i++)
		printf("CPU %u line %u\n", irq_this_cpu(), i);
	atomic_fetch_add(&finished, 1);
}

int main(const struct start_info *info)
{
	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	printf_to(console_print, &console);
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, print_lines, NULL) == 0, "CPU %u starts", i);
	print_lines(NULL);
	while (atomic_load(&finished) < cpu_count())
		cpu_relax();
	return check_done();
}
