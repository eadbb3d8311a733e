/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_TRAIL_H
#define VMM_X86_TRAIL_H

/*
 * The trail of a CPU: the blocks that it entered last, for the branches that a report shows. The
 * run loop needs the current block anyway, and keeps it at the end of a ring instead of in one
 * place: x86_cpu.trail, with the place of the current one in x86_cpu.trail_at. The run loop's
 * entries are struct x86_block pointers; the notes below stand between them, with a bit set that no
 * pointer has.
 */

#include "x86/insn.h"

#define X86_TRAIL_NOTE 1u

/* An exception or interrupt was delivered, or an INIT reset the CPU: the vector in bits 16:8, the
 * linear address of the instruction before which it was in bits 63:32. */
#define X86_TRAIL_VECTOR(vector, linear) \
	((uint64_t)(uint32_t)(linear) << 32 | (uint64_t)(vector) << 8 | 2 | X86_TRAIL_NOTE)
/* The block was left in its middle, without a branch. */
#define X86_TRAIL_LEFT ((uint64_t)X86_TRAIL_NOTE)
/* What was here is not known any more. */
#define X86_TRAIL_LOST ((uint64_t)X86_TRAIL_NOTE | 4)

static inline void x86_trail_add(struct x86_cpu *cpu, uint64_t entry)
{
	cpu->trail_at = (uint8_t)(cpu->trail_at + sizeof entry);
	cpu->trail[cpu->trail_at / sizeof entry] = entry;
}

static inline uint64_t x86_trail_block(const struct x86_block *block)
{
	return (uint64_t)(uintptr_t)block;
}

/* The block that is being executed, or was last. Exact wherever cpu->insn is. */
static inline struct x86_block *x86_current_block(const struct x86_cpu *cpu)
{
	return (struct x86_block *)(uintptr_t)cpu->trail[cpu->trail_at / sizeof *cpu->trail];
}

/* Replaces a block of the trail by another entry, before its memory is used for another one. */
void x86_trail_replace(struct x86_cpu *cpu, const struct x86_block *block, uint64_t entry);

/* Forgets all blocks, before their memory is used for others. The current one may be asked for
 * while its instruction is being executed: its head is copied to copy, which takes its place. */
void x86_trail_forget(struct x86_cpu *cpu, struct x86_block *copy);

#endif
