/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_START_H
#define VMM_CPU_START_H

/*
 * The port by which one CPU starts another (VOLE_PORT_CPU, spec/machine.md).
 */

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* A vm_port_access. */
int cpu_start_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
