/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

/*
 * The other CPUs. They wait, switched off, until the boot CPU starts each by a write to
 * VOLE_PORT_CPU (vole/ports.h). A started CPU has the boot CPU's exception table, a stack of its
 * own and interrupts off; devices interrupt the boot CPU only.
 */

#include <stdint.h>

#include <vole/start_info.h>

#define CPU_STACK_PAGES 2

typedef void cpu_function(void *ctx);

void cpu_init(const struct start_info *info);

/* How many CPUs the machine has, the boot CPU counted: numbers 0 to cpu_count() - 1. */
unsigned cpu_count(void);

/*
 * Boot CPU: have function(ctx) run on another CPU; when it returns, that CPU halts for good.
 * Returns when the CPU is up and about to call it. 0, or -ENOMEM without room for a stack, -ENODEV
 * if there is no such CPU, -EBUSY if it was started before.
 */
int cpu_run(unsigned cpu, cpu_function *function, void *ctx);

#endif
