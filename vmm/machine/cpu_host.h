/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_HOST_H
#define VMM_CPU_HOST_H

/*
 * What the CPUs of the machine ask of the rest of it: accesses to ports and devices, reports, the
 * end.
 */

#include "cpu/cpu.h"

/* For every CPU; the context is the struct vm. */
extern const struct cpu_host machine_cpu_host;

#endif
