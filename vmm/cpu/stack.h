/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STACK_H
#define VMM_STACK_H

/*
 * Stacks that have overflowed, and stack pointers that point to no stack. On the thread that
 * executes the CPU, within a report.
 */

#include "cpu/cpu.h"
#include "cpu/store.h"

struct stack_text {
	char text[400];
};

/*
 * Judges an access that was refused: true if it is one to the stack, by where ESP is. Then text
 * says what is wrong with the stack: "the boot stack (0x4000 to 0x7fff) has overflowed at
 * 0x0010123c (deep+0xc)". The CPU's own pushes, of a call or an exception, are such accesses as
 * well.
 */
bool stack_explain(
	struct cpu *cpu, bool is_write, const struct store *access, struct stack_text *explanation);

/* Does the same for an exception that could not be delivered: true if there is no room on the stack
 * for the frame of one with an error code, by registers. In protected mode, but not long mode, and
 * for code of ring 0, whose stack is not changed. */
bool stack_explain_delivery(
	struct cpu *cpu, const struct cpu_registers *registers, struct stack_text *explanation);

#endif
