/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_EXECUTE_H
#define VMM_X86_EXECUTE_H

/*
 * The run loop proper: executes decoded code until something else is to be done.
 */

#include "x86/insn.h"

/*
 * Execute from the block on, which is valid. Returns when the budget does not suffice for the next
 * block, when the block ends with a stop, or when x86_run() is to have a look:
 * x86_wants_attention(), cpu->leave. cpu->eip is then the next instruction's, cpu->insn is NULL and
 * the rest of the state is exact, the budget too. Exceptions leave it by longjmp().
 */
void x86_execute(struct x86_cpu *cpu, struct x86_block *block);

/*
 * For slow paths: the current instruction shall be the last one of the block, since cpu->leave was
 * set in its middle. Returns a copy of the slot, in whose place the instruction goes on: behind it
 * a slot leaves the block. The budget, in cpu->budget, becomes negative, so that an instruction
 * which jumps ends as well; what it was is in cpu->withheld. In run.c.
 */
struct x86_insn *x86_detour(struct x86_cpu *cpu, const struct x86_insn *insn);

/* The block at cpu->eip, or NULL if the budget is used up; cpu->insn is NULL. from: the slot of the
 * jump there, which is linked to the block, or NULL. Raises what fetching raises. In block.c. */
struct x86_block *x86_next_block(struct x86_cpu *cpu, struct x86_insn *from);

/* After an out-of-line operation, which began with eflags: a halt, a trap or an interrupt may be
 * due, or one instruction without interrupts. */
static inline bool x86_wants_attention(const struct x86_cpu *cpu, uint32_t eflags)
{
	return cpu->leave | cpu->halted | cpu->shadow | cpu->yielded |
	       (cpu->nmi_pending & !cpu->nmi_masked) | ((cpu->eflags & (X86_TF | X86_RF)) != 0) |
	       ((~eflags & cpu->eflags & X86_IF) != 0);
}

#endif
