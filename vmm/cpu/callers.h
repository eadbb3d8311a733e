/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CALLERS_H
#define VMM_CALLERS_H

/*
 * The chain of callers of guest code: return addresses, found by the frame pointers that a compiler
 * leaves on the stack (-fno-omit-frame-pointer), else by a search of the stack for addresses that
 * follow a call instruction. 32- and 64-bit code in protected mode.
 *
 * The stack and the registers are the guest's and may have any content. The work is bounded:
 * CALLERS_MAX frames, or CALLERS_STACK bytes of stack, with one look at the code for each word.
 */

#include "cpu/cpu.h"

#define CALLERS_MAX   16
#define CALLERS_STACK 4096 /* bytes of stack that are searched */

struct callers {
	unsigned count;
	unsigned certain;              /* the first so many are certain; the others may be stale */
	bool is_cut;                   /* there are more than CALLERS_MAX */
	uint64_t address[CALLERS_MAX]; /* linear return addresses, the innermost first */
};

/* Finds the callers of the code that a CPU executes with these registers. In a callback of this
 * CPU, or while it executes nothing. */
void callers_find(struct cpu *cpu, const struct cpu_registers *registers, struct callers *callers);

/* Finds those alone that are certain, without a search of the stack. As above. */
void callers_find_certain(
	struct cpu *cpu, const struct cpu_registers *registers, struct callers *callers);

/* Returns whether the word at the top of the stack is the return address of a call, and sets
 * *address to it. *target is where that call leads to, or 0 if it is one through a register or
 * memory. As above. */
bool callers_top(struct cpu *cpu, const struct cpu_registers *registers, uint64_t *address,
	uint64_t *target);

/* Says the callers in indented lines of at most about 100 columns; nothing if there are none.
 * Within a report. */
void callers_say(struct cpu *cpu, const struct callers *callers);

#endif
