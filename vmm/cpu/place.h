/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PLACE_H
#define VMM_PLACE_H

/*
 * Places in guest code, as messages name them. On the thread that executes the CPU, or on the I/O
 * thread while all CPUs are paused or have ended.
 */

#include <stdint.h>

#include "cpu/cpu.h"

/* Text for a message: "0x00101052 (divide+0x10)", or the number alone where no symbol is known. */
struct place {
	char text[128];
};

/* Returns the place of a linear address: with the symbol it lies in, or after. */
struct place place_of(struct cpu *cpu, uint64_t address);

/* Returns the symbol and the offset alone, "divide+0x10" or, at its beginning, "divide"; or the
 * number where no symbol is known. */
struct place place_short(struct cpu *cpu, uint64_t address);

/* Returns the symbol and the offset of a return address alone, "main+0x1f", or the number where no
 * symbol is known. The symbol is that of the call before it, which may be the last instruction of
 * its function. */
struct place place_of_return(struct cpu *cpu, uint64_t address);

/* Returns the place of CS:RIP, by cpu_ops.position. */
struct place place_here(struct cpu *cpu);

#endif
