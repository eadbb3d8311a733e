/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MONITOR_H
#define VMM_MONITOR_H

/*
 * The commands that a debugger's user gives vole itself, by gdb's "monitor". The machine stands, or
 * has ended.
 */

#include "cpu/cpu.h"
#include "see/text.h"

/* Does what the command asks for, and adds the reply to text. cpu is the one that the user looks
 * at; vm is a struct vm. */
void monitor(void *vm, struct cpu *cpu, const char *command, struct text *text);

#endif
