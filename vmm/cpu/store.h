/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORE_H
#define VMM_STORE_H

/*
 * Finds the instruction that has stored. An engine whose position is not exact (cpu_ops) tells
 * where execution goes on after a store: at the instruction, or behind it. The instructions that
 * end there, and the one that begins there, are decoded: the one whose address, width and value are
 * those of the store has made it. MOV, PUSH, CALL, STOS and the arithmetic and logic instructions
 * are known, in 32- and 64-bit code, and OUT in any.
 */

#include "cpu/cpu.h"

struct store {
	gpa_t gpa;
	uint64_t value;
	unsigned len; /* bytes */
};

/*
 * Sets registers->rip, which is the engine's, to the instruction that has made the store. Returns
 * false, and leaves it alone, if none fits or several do. In a callback of this CPU.
 */
bool store_find(struct cpu *cpu, struct cpu_registers *registers, const struct store *store);

/* Does the same for an OUT of len bytes to a port. */
bool store_find_out(struct cpu *cpu, struct cpu_registers *registers, uint16_t port, unsigned len);

#endif
