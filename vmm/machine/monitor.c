/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/monitor.h"

#include "machine/vm.h"

void monitor(void *ctx, struct cpu *cpu, const char *command, struct text *text)
{
	(void)ctx;
	(void)cpu;
	text_line(text, "there is no command \"%s\"", command);
}
