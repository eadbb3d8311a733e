/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots for moves, bit instructions and conversions. */
#include "x86/decode.h"

void x86_translate_mov_r_i(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned size = operands->operand_size;
	struct x86_insn *insn =
		x86_emit(builder, decoded, x86_form_of(decoded->entry->op, X86_RI, size));

	insn->rm = x86_slot_register(operands->reg, size);
	insn->immediate = operands->immediate;
}

/* 0xa0 and 0xa1 load the accumulator from an offset, 0xa2 and 0xa3 store it. */
void x86_translate_mov_offset(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	bool is_load = decoded->opcode < 0xa2;
	unsigned size = decoded->operands.operand_size;

	x86_emit_memory(builder, decoded,
		x86_form_of(decoded->entry->op, is_load ? X86_RM : X86_MR, size), size,
		is_load ? X86_READ : X86_WRITE)
		->reg = X86_RAX;
}

void x86_translate_mov_rm_i(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (decoded->operands.reg != 0)
		x86_emit_ud(builder, decoded);
	else
		x86_emit_rm_i(builder, decoded, decoded->entry->op);
}

/* A word to a word is a move. */
static void extend_nothing(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (operands->is_memory) {
		x86_emit_memory(builder, decoded, X86_OP_mov_rm_16, 2, X86_READ)->reg =
			operands->reg;
		return;
	}
	insn = x86_emit(builder, decoded, X86_OP_mov_rr_16);
	insn->rm = operands->reg;
	insn->reg = operands->rm;
}

/* MOVZX and MOVSX. The operation for memory follows that for a register. */
void x86_translate_extend(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned op = decoded->entry->op;
	unsigned from = op == X86_OP_movzx_r_8_32 || op == X86_OP_movsx_r_8_32 ? 1 : 2;
	struct x86_insn *insn;

	if (operands->operand_size == 2 && from == 2) {
		extend_nothing(builder, decoded);
		return;
	}
	if (operands->operand_size == 2)
		op = op == X86_OP_movzx_r_8_32 ? X86_OP_movzx_r_8_16 : X86_OP_movsx_r_8_16;
	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, op + 1, from, X86_READ);
	} else {
		insn = x86_emit(builder, decoded, op);
		insn->rm = x86_slot_register(operands->rm, from);
	}
	insn->reg = operands->reg;
}

void x86_translate_lea(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (!operands->is_memory) {
		x86_emit_ud(builder, decoded);
		return;
	}
	insn = x86_emit(
		builder, decoded, operands->operand_size == 4 ? X86_OP_lea_32 : X86_OP_lea_16);
	x86_set_address(insn, operands);
	insn->reg = operands->reg;
	insn->immediate = operands->address_size == 2 ? 0xffff : 0xffffffff;
}

void x86_translate_xchg(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned size = operands->operand_size;
	struct x86_insn *insn;

	if (operands->is_memory && size != 4) {
		x86_emit_call(builder, decoded, x86_op_xchg, false);
		return;
	}
	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, X86_OP_xchg_rm_32, size, X86_WRITE);
	} else {
		insn = x86_emit(builder, decoded, decoded->entry->op + x86_size_index(size));
		insn->rm = x86_slot_register(operands->rm, size);
	}
	insn->reg = x86_slot_register(operands->reg, size);
}

void x86_translate_xchg_a(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn = x86_emit(builder, decoded,
		decoded->entry->op + x86_size_index(decoded->operands.operand_size));

	insn->rm = X86_RAX;
	insn->reg = decoded->operands.reg;
}

/* IMUL with two operands; the operation for memory follows that for registers. */
void x86_translate_imul_r_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (operands->operand_size != 4) {
		x86_emit_call(builder, decoded, decoded->entry->function, false);
		return;
	}
	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, decoded->entry->op + 1u, 4, X86_READ);
	} else {
		insn = x86_emit(builder, decoded, decoded->entry->op);
		insn->rm = operands->rm;
	}
	insn->reg = operands->reg;
}

void x86_translate_imul_i(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_translate_imul_r_rm(builder, decoded);
	if (decoded->operands.operand_size == 4)
		builder->block->code[builder->slots - 1].immediate = decoded->operands.immediate;
}

/* BT of registers; with memory, or changing the bit, out of line. */
void x86_translate_bit(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (operands->is_memory || operands->operand_size != 4) {
		x86_emit_call(builder, decoded, decoded->entry->function, false);
		return;
	}
	insn = x86_emit(builder, decoded, decoded->entry->op);
	insn->rm = operands->rm;
	insn->reg = operands->reg;
	insn->immediate = operands->immediate;
}

void x86_translate_group8(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	if (decoded->operands.reg < 4)
		x86_emit_ud(builder, decoded);
	else if (decoded->operands.reg == 4)
		x86_translate_bit(builder, decoded);
	else
		x86_emit_call(builder, decoded, decoded->entry->function, false);
}

void x86_translate_bit_scan(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_translate_bit(builder, decoded);
}

/* Of 16 bits the result is undefined; processors give 0. */
void x86_translate_bswap(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn;

	if (decoded->operands.operand_size == 2) {
		insn = x86_emit(builder, decoded, X86_OP_mov_ri_16);
		insn->immediate = 0;
	} else {
		insn = x86_emit(builder, decoded, decoded->entry->op);
	}
	insn->rm = decoded->operands.reg;
}

/* SETcc and CMOVcc: sixteen operations for registers, then sixteen for memory. */
void x86_translate_setcc(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned condition = decoded->opcode & 15;

	if (operands->is_memory)
		x86_emit_memory(builder, decoded, X86_OP_set_m_o + condition, 1, X86_WRITE);
	else
		x86_emit(builder, decoded, X86_OP_set_r_o + condition)->rm =
			x86_slot_register(operands->rm, 1);
}

void x86_translate_cmovcc(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned condition = decoded->opcode & 15;
	struct x86_insn *insn;

	if (operands->operand_size != 4) {
		x86_emit_call(builder, decoded, decoded->entry->function, false);
		return;
	}
	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, X86_OP_cmov_m_o + condition, 4, X86_READ);
	} else {
		insn = x86_emit(builder, decoded, X86_OP_cmov_r_o + condition);
		insn->rm = operands->rm;
	}
	insn->reg = operands->reg;
}

void x86_translate_convert_a(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit(builder, decoded, decoded->operands.operand_size == 4 ? X86_OP_cwde : X86_OP_cbw);
}

void x86_translate_convert_d(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit(builder, decoded, decoded->operands.operand_size == 4 ? X86_OP_cdq : X86_OP_cwd);
}

void x86_translate_nop(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit(builder, decoded, X86_OP_nop);
}

void x86_translate_simple(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit(builder, decoded, decoded->entry->op);
}
