/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exact stops. A budget seldom ends where a block does, so the beginning of the block is copied and
 * a stop put behind it: that costs less than decoding it again. Interrupts, quanta and single steps
 * come this way.
 */
#include <string.h>

#include "x86/block.h"
#include "x86/decode.h"

/* How many slots the first *count instructions are. They may be one less: a comparison is not
 * parted from its jump. */
static unsigned slots_of(struct x86_block *block, unsigned *count)
{
	const uint16_t *ops = x86_block_ops(block);
	unsigned slots = 0, done = 0;

	for (unsigned slot = 0; slot < block->slots && done < *count; slot++) {
		unsigned before = block->count - x86_insn_pending(&block->code[slot]);

		if (ops[slot] == X86_OP_COUNT)
			continue;
		if (before > *count || ops[slot] == X86_OP_next)
			break;
		if (before > done) {
			slots = slot;
			done = before;
		}
	}
	*count = done;
	return slots;
}

/* Instructions behind each slot are fewer now. The last ones that set flags may have left them out,
 * because later ones of the block set them; those are not executed now. */
static void adapt(struct x86_block *once, const uint16_t *ops, unsigned slots, unsigned fewer)
{
	for (unsigned slot = 0; slot < slots; slot++) {
		struct x86_insn *insn = &once->code[slot];
		unsigned op = ops[slot];

		if (op == X86_OP_COUNT)
			continue;
		insn->remaining -= fewer;
		if (x86_with_flags(op) != op)
			insn->handler = x86_handler(x86_with_flags(op));
	}
}

struct x86_block *x86_stop_block(struct x86_cpu *cpu, struct x86_block *block, unsigned count)
{
	struct x86_block *once = cpu->cache->once;
	unsigned slots = slots_of(block, &count);
	struct x86_insn *stop = &once->code[slots];

	/* The first instructions cannot be parted from each other where they are fused. */
	if (count == 0)
		return x86_build_once(cpu, block->gpa[0], block);
	x86_settle_once(cpu);
	memcpy(once, block, sizeof *block + (slots + 1) * sizeof block->code[0]);
	adapt(once, x86_block_ops(block), slots, block->count - count);
	*stop = (struct x86_insn){
		.handler = x86_handler(X86_OP_stop),
		.end = (stop->end - stop->length) & 0x3ff,
	};
	once->count = (uint16_t)count;
	once->slots = (uint16_t)(slots + 1);
	cpu->cache->once_from = block;
	return once;
}
