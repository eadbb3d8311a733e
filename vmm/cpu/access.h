/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ACCESS_H
#define VMM_ACCESS_H

/*
 * Accesses of guest code to ports and devices, on their way from an engine to the machine: they are
 * counted and logged, and an access that nothing answers becomes the report of a crash. On the
 * thread that executes the CPU.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* Makes count accesses of size bytes (1, 2 or 4) to a port, one after the other, as a string
 * instruction does; data is count * size bytes. Returns false if the machine is ending now: then
 * the engine executes no more guest code. */
bool cpu_access_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned size,
	unsigned count);

/* Makes an access of size bytes (1 to 8) to an address that is not RAM, or a store to read-only
 * RAM. Returns as cpu_access_port(). */
bool cpu_access_mmio(
	struct cpu *cpu, uint64_t address, bool is_write, uint8_t *data, unsigned size);

#endif
