/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_START_H
#define VMM_CPU_START_H

/*
 * The port by which one CPU starts another (VOLE_PORT_CPU, spec/machine.md).
 */

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Handles an access to VOLE_PORT_CPU, as vm_port_access says. */
int cpu_start_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
