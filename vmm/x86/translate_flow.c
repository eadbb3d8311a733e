/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots for the stack, for jumps and calls, and for what is out of line. */
#include "x86/decode.h"

/* The run loop's stack operations are those of a flat stack of 32 bits, with 32-bit operands. */
static bool is_flat_stack(const struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const unsigned flat = X86_MODE_FLAT | X86_MODE_STACK32;

	return (builder->block->mode & flat) == flat && decoded->operands.operand_size == 4;
}

void x86_translate_call_out(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit_call(
		builder, decoded, decoded->entry->function, decoded->entry->attributes & X86_ENDS);
}

void x86_translate_call_memory(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (decoded->operands.is_memory)
		x86_translate_call_out(builder, decoded);
	else
		x86_emit_ud(builder, decoded);
}

/* --- groups of out-of-line operations --------------------------------------------------------- */

void x86_translate_group6(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	static x86_operation *const functions[8] = {x86_op_sldt, x86_op_str, x86_op_lldt,
		x86_op_ltr, x86_op_verr, x86_op_verw, x86_op_ud, x86_op_ud};

	x86_emit_call(builder, decoded, functions[decoded->operands.reg], true);
}

/* SGDT to LIDT and INVLPG have memory operands; some of their other encodings are instructions
 * without operands. */
void x86_translate_group7(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	static x86_operation *const functions[8] = {x86_op_sgdt, x86_op_sidt, x86_op_lgdt,
		x86_op_lidt, x86_op_smsw, x86_op_ud, x86_op_lmsw, x86_op_invlpg};
	const struct x86_operands *operands = &decoded->operands;
	x86_operation *function = functions[operands->reg];

	if (!operands->is_memory && operands->reg != 4 && operands->reg != 6)
		function = x86_op_ud;
	if (!operands->is_memory && operands->reg == 1 && operands->rm == 2)
		function = x86_op_clac;
	if (!operands->is_memory && operands->reg == 1 && operands->rm == 3)
		function = x86_op_stac;
	if (!operands->is_memory && operands->reg == 7 && operands->rm == 1)
		function = x86_op_rdtscp;
	x86_emit_call(builder, decoded, function, true);
}

void x86_translate_group9(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (decoded->operands.reg == 1 && decoded->operands.is_memory)
		x86_emit_call(builder, decoded, x86_op_cmpxchg8b, false);
	else
		x86_emit_ud(builder, decoded);
}

/* --- the stack -------------------------------------------------------------------------------- */

void x86_translate_push_r(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (is_flat_stack(builder, decoded))
		x86_emit(builder, decoded, decoded->entry->op)->rm = decoded->operands.reg;
	else
		x86_emit_call(builder, decoded, decoded->entry->function, false);
}

void x86_translate_pop_r(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_translate_push_r(builder, decoded);
}

void x86_translate_push_i(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (is_flat_stack(builder, decoded))
		x86_emit(builder, decoded, decoded->entry->op)->immediate =
			decoded->operands.immediate;
	else
		x86_emit_call(builder, decoded, decoded->entry->function, false);
}

void x86_translate_push_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (!is_flat_stack(builder, decoded))
		x86_emit_call(builder, decoded, x86_op_push_memory, false);
	else if (decoded->operands.is_memory)
		x86_emit_memory(builder, decoded, X86_OP_push_m, 4, X86_READ);
	else
		x86_emit(builder, decoded, X86_OP_push_r)->rm = decoded->operands.rm;
}

void x86_translate_pop_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (decoded->operands.reg != 0)
		x86_emit_ud(builder, decoded);
	else if (!decoded->operands.is_memory && is_flat_stack(builder, decoded))
		x86_emit(builder, decoded, X86_OP_pop_r)->rm = decoded->operands.rm;
	else
		x86_emit_call(builder, decoded, decoded->entry->function, false);
}

void x86_translate_leave(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (is_flat_stack(builder, decoded))
		x86_emit(builder, decoded, decoded->entry->op);
	else
		x86_emit_call(builder, decoded, decoded->entry->function, false);
}

/* --- jumps ------------------------------------------------------------------------------------ */

/* Where a relative jump goes: EIP, or IP with 16-bit operands. */
static uint32_t branch_target(const struct x86_builder *builder, const struct x86_decoded *decoded)
{
	uint32_t target = (uint32_t)builder->eip + decoded->length + decoded->operands.immediate;

	return decoded->operands.operand_size == 2 ? (uint16_t)target : target;
}

/* Append a direct jump. Its target is checked against the limit of CS here, which is a part of the
 * block's key: NULL if the jump must raise #GP when it is taken. */
static struct x86_insn *emit_branch(
	struct x86_builder *builder, const struct x86_decoded *decoded, unsigned op)
{
	uint32_t target = branch_target(builder, decoded);
	struct x86_insn *insn;

	if (!(builder->block->mode & X86_MODE_FLAT) && target > builder->block->cs_limit) {
		x86_emit_call(builder, decoded, decoded->entry->function, true);
		return NULL;
	}
	insn = x86_emit(builder, decoded, op);
	insn->immediate = target;
	return insn;
}

/* The comparison of a pair, for the operation that the slot before the jump has. */
static unsigned pair_op(unsigned comparison)
{
	switch (comparison) {
	case X86_OP_cmp_rr_32:
		return X86_OP_cmp_rr_32_j_o;
	case X86_OP_cmp_ri_32:
		return X86_OP_cmp_ri_32_j_o;
	case X86_OP_cmp_rm_32:
		return X86_OP_cmp_rm_32_j_o;
	case X86_OP_test_rr_32:
		return X86_OP_test_rr_32_j_o;
	case X86_OP_cmp_ri_8:
		return X86_OP_cmp_ri_8_j_o;
	case X86_OP_test_ri_8:
		return X86_OP_test_ri_8_j_o;
	case X86_OP_cmp_mi_8:
		return X86_OP_cmp_mi_8_j_o;
	default:
		return X86_OP_COUNT;
	}
}

/* Make the slot at the end and a conditional jump behind it one slot. A slot that computes the
 * comparison's address tells the same, should it raise. */
static void make_pair(struct x86_builder *builder, const struct x86_decoded *decoded, unsigned op,
	uint32_t target)
{
	unsigned last = builder->slots - 1, first = last;
	struct x86_insn *insn = &builder->block->code[last];

	if (op == X86_OP_cmp_mi_8_j_o)
		insn->reg = (uint8_t)insn->immediate;
	else if (op == X86_OP_cmp_ri_32_j_o || op == X86_OP_cmp_ri_8_j_o ||
		 op == X86_OP_test_ri_8_j_o)
		insn->displacement = insn->immediate;
	insn->immediate = target;
	builder->op[last] = (uint16_t)(op + (decoded->opcode & 15));
	if (last > 0 && builder->op[last - 1] == X86_OP_address)
		first--;
	for (unsigned slot = first; slot <= last; slot++) {
		builder->block->code[slot].end += decoded->length;
		builder->block->code[slot].length += decoded->length;
		builder->block->code[slot].is_pair = 1;
	}
}

/* TEST of a byte register with itself is TEST with an immediate of all ones. */
static void normalize_test(struct x86_builder *builder)
{
	unsigned last = builder->slots - 1;
	struct x86_insn *insn = &builder->block->code[last];

	if (builder->op[last] == X86_OP_test_rr_8 && insn->reg == insn->rm) {
		builder->op[last] = X86_OP_test_ri_8;
		insn->immediate = 0xff;
	}
}

void x86_translate_jcc(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	uint32_t target = branch_target(builder, decoded);
	bool in_limit = builder->block->mode & X86_MODE_FLAT || target <= builder->block->cs_limit;
	unsigned op = X86_OP_COUNT;

	if (builder->slots > 0) {
		normalize_test(builder);
		op = pair_op(builder->op[builder->slots - 1]);
	}
	if (op != X86_OP_COUNT && in_limit)
		make_pair(builder, decoded, op, target);
	else
		emit_branch(builder, decoded, X86_OP_j_o + (decoded->opcode & 15));
}

void x86_translate_jmp(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	emit_branch(builder, decoded, decoded->entry->op);
	builder->ended = true;
}

void x86_translate_loop(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn = emit_branch(builder, decoded, decoded->entry->op);

	if (insn != NULL)
		insn->displacement = decoded->operands.address_size == 2 ? 0xffff : 0xffffffff;
}

void x86_translate_call(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn;

	if (!is_flat_stack(builder, decoded)) {
		x86_emit_call(builder, decoded, decoded->entry->function, true);
		return;
	}
	insn = emit_branch(builder, decoded, decoded->entry->op);
	insn->displacement = (uint32_t)builder->eip + decoded->length;
	builder->ended = true;
}

void x86_translate_return(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (!is_flat_stack(builder, decoded)) {
		x86_emit_call(builder, decoded, decoded->entry->function, true);
		return;
	}
	x86_emit(builder, decoded, decoded->entry->op)->immediate = decoded->operands.immediate;
	builder->ended = true;
}

void x86_translate_jmp_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (!(builder->block->mode & X86_MODE_FLAT) || decoded->operands.operand_size != 4)
		x86_emit_call(builder, decoded, x86_op_jump_near_indirect, true);
	else if (decoded->operands.is_memory)
		x86_emit_memory(builder, decoded, X86_OP_jmp_m, 4, X86_READ);
	else
		x86_emit(builder, decoded, X86_OP_jmp_r)->rm = decoded->operands.rm;
	builder->ended = true;
}

void x86_translate_call_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn;

	if (!is_flat_stack(builder, decoded)) {
		x86_emit_call(builder, decoded, x86_op_call_near_indirect, true);
		return;
	}
	if (decoded->operands.is_memory) {
		insn = x86_emit_memory(builder, decoded, X86_OP_call_m, 4, X86_READ);
	} else {
		insn = x86_emit(builder, decoded, X86_OP_call_r);
		insn->rm = decoded->operands.rm;
	}
	insn->immediate = (uint32_t)builder->eip + decoded->length;
	builder->ended = true;
}
