/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For execute.c, which has the macros: the parts that handlers share, and all handlers. Included at
 * the top level, where they are functions, or in one function, where they are labels.
 */

/* Leaves before a block for which the budget does not suffice. */
X86_SHARED(no_budget)
{
	const struct x86_block *before = BLOCK;

	BUDGET += before->count;
	TRAIL_MOVE(-1);
	LEAVE(before->eip);
}

/* Goes on with the block of the slot's link, or at cpu->eip with any. To find a block may raise:
 * then the jump itself is over. */
X86_SHARED(slow_jump)
{
	cpu->eip = insn->immediate;
	FIND_BLOCK(insn);
}
X86_SHARED(slow_jump_to)
{
	FIND_BLOCK(NULL);
}

#include "x86/op_alu.h"
#include "x86/op_flow.h"
#include "x86/op_move.h"
#include "x86/op_shift.h"
