/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_HOST_H
#define VMM_CPU_HOST_H

/*
 * The machine's side of struct cpu_host: accesses to ports and devices, crash reports, the end of
 * the machine.
 */

#include "cpu/cpu.h"

/* The callbacks of every CPU; cpu->ctx is the struct vm. */
extern const struct cpu_host machine_cpu_host;

#endif
