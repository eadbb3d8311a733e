/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots for arithmetic and moves. A translator has the opcode's row and its operands; it chooses
 * the operation's form and fills a slot's fields. */
#include "x86/decode.h"

#include <string.h>

/* --- appending slots -------------------------------------------------------------------------- */

struct x86_insn *x86_emit(
	struct x86_builder *builder, const struct x86_decoded *decoded, unsigned op)
{
	struct x86_insn *insn = &builder->block->code[builder->slots];

	*insn = (struct x86_insn){
		.link = builder->dead,
		.base = X86_ZERO,
		.index = X86_ZERO,
		.end = (builder->eip + decoded->length - builder->block->eip) & 0x3ff,
		.length = decoded->length & 0x1f,
	};
	builder->op[builder->slots] = (uint16_t)op;
	builder->slots++;
	return insn;
}

void x86_set_address(struct x86_insn *insn, const struct x86_operands *operands)
{
	insn->base = operands->base;
	insn->index = operands->index;
	insn->scale = operands->scale;
	insn->displacement = operands->displacement;
}

/* Flat segments need no check: neither those of DS, ES and SS, nor reads through CS. */
static bool needs_check(const struct x86_builder *builder, const struct x86_operands *operands,
	enum x86_access access)
{
	if (!(builder->block->mode & X86_MODE_FLAT) || operands->address_size == 2)
		return true;
	return operands->segment >= X86_FS || (operands->segment == X86_CS && access == X86_WRITE);
}

struct x86_insn *x86_emit_memory(struct x86_builder *builder, const struct x86_decoded *decoded,
	unsigned op, unsigned size, enum x86_access access)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (!needs_check(builder, operands, access)) {
		insn = x86_emit(builder, decoded, op);
		x86_set_address(insn, operands);
		return insn;
	}
	insn = x86_emit(builder, decoded, X86_OP_address);
	x86_set_address(insn, operands);
	insn->reg = operands->segment;
	insn->rm = (uint8_t)size;
	insn->immediate = (uint32_t)access | (operands->address_size == 2 ? X86_ADDRESS_16 : 0);
	insn = x86_emit(builder, decoded, op);
	insn->base = X86_TEMP;
	return insn;
}

void x86_emit_call(struct x86_builder *builder, const struct x86_decoded *decoded,
	x86_operation *function, bool ends)
{
	struct x86_operands *operands;

	x86_emit(builder, decoded, ends ? X86_OP_call_out : X86_OP_call_inline);
	operands = (struct x86_operands *)&builder->block->code[builder->slots];
	memset(&builder->block->code[builder->slots], 0, sizeof(struct x86_insn));
	*operands = decoded->operands;
	operands->function = function;
	builder->op[builder->slots++] = X86_OP_COUNT;
	builder->ended |= ends;
}

void x86_emit_ud(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit_call(builder, decoded, x86_op_ud, true);
}

void x86_translate_insn(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	decoded->entry->translate(builder, decoded);
	builder->instructions++;
}

/* --- translators ------------------------------------------------------------------------------ */

static bool is_compare(unsigned family)
{
	return family == X86_OP_cmp_rr_32 || family == X86_OP_test_rr_32;
}

/* E is the r/m operand, G the register, as in the tables of SDM 2, appendix A. Here: E, G. */
void x86_translate_alu_rm_r(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned family = decoded->entry->op, size = operands->operand_size;
	struct x86_insn *insn;

	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, x86_form_of(family, X86_MR, size), size,
			is_compare(family) ? X86_READ : X86_WRITE);
	} else if ((family == X86_OP_xor_rr_32 || family == X86_OP_sub_rr_32) && size == 4 &&
		   operands->reg == operands->rm) {
		insn = x86_emit(builder, decoded, X86_OP_zero_r);
	} else {
		insn = x86_emit(builder, decoded, x86_form_of(family, X86_RR, size));
	}
	insn->reg = x86_slot_register(operands->reg, size);
	if (!operands->is_memory)
		insn->rm = x86_slot_register(operands->rm, size);
}

/* G, E. Between registers the destination is what a slot calls rm. */
void x86_translate_alu_r_rm(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned family = decoded->entry->op, size = operands->operand_size;
	struct x86_insn *insn;

	if (operands->is_memory) {
		insn = x86_emit_memory(
			builder, decoded, x86_form_of(family, X86_RM, size), size, X86_READ);
		insn->reg = x86_slot_register(operands->reg, size);
		return;
	}
	insn = x86_emit(builder, decoded, x86_form_of(family, X86_RR, size));
	insn->rm = x86_slot_register(operands->reg, size);
	insn->reg = x86_slot_register(operands->rm, size);
}

/* AL, AX or EAX and an immediate. */
void x86_translate_alu_a_i(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	struct x86_insn *insn = x86_emit(builder, decoded,
		x86_form_of(decoded->entry->op, X86_RI, decoded->operands.operand_size));

	insn->rm = X86_RAX;
	insn->immediate = decoded->operands.immediate;
}

void x86_emit_rm_i(struct x86_builder *builder, const struct x86_decoded *decoded, unsigned family)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned size = operands->operand_size;
	struct x86_insn *insn;

	if (operands->is_memory) {
		insn = x86_emit_memory(builder, decoded, x86_form_of(family, X86_MI, size), size,
			is_compare(family) ? X86_READ : X86_WRITE);
	} else {
		insn = x86_emit(builder, decoded, x86_form_of(family, X86_RI, size));
		insn->rm = x86_slot_register(operands->rm, size);
	}
	insn->immediate = operands->immediate;
}

/* The families of ADD to CMP follow each other in the order of ModRM.reg. */
void x86_translate_group1(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const unsigned families = 3 * X86_FORM_COUNT;

	x86_emit_rm_i(builder, decoded, X86_OP_add_rr_32 + decoded->operands.reg * families);
}

/* An operation of one operand: for a register and for memory, in three sizes each. */
static void emit_unary(struct x86_builder *builder, const struct x86_decoded *decoded,
	unsigned op_r, unsigned op_m)
{
	const struct x86_operands *operands = &decoded->operands;
	unsigned size = operands->operand_size;

	if (operands->is_memory)
		x86_emit_memory(builder, decoded, op_m + x86_size_index(size), size, X86_WRITE);
	else
		x86_emit(builder, decoded, op_r + x86_size_index(size))->rm =
			x86_slot_register(operands->rm, size);
}

/* MUL, IMUL, DIV and IDIV have an operation of 32 bits. */
static void emit_multiplication(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	static const uint16_t ops[4] = {
		X86_OP_mul_r_32, X86_OP_imul_r_32, X86_OP_div_r_32, X86_OP_idiv_r_32};
	const struct x86_operands *operands = &decoded->operands;
	unsigned op = ops[operands->reg & 3];

	if (operands->operand_size != 4)
		x86_emit_call(builder, decoded, operands->reg < 6 ? x86_op_multiply : x86_op_divide,
			false);
	else if (operands->is_memory)
		x86_emit_memory(builder, decoded, op + 1, 4, X86_READ);
	else
		x86_emit(builder, decoded, op)->rm = operands->rm;
}

void x86_translate_group3(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	switch (decoded->operands.reg) {
	case 0:
	case 1:
		x86_emit_rm_i(builder, decoded, X86_OP_test_rr_32);
		break;
	case 2:
		emit_unary(builder, decoded, X86_OP_not_r_32, X86_OP_not_m_32);
		break;
	case 3:
		emit_unary(builder, decoded, X86_OP_neg_r_32, X86_OP_neg_m_32);
		break;
	default:
		emit_multiplication(builder, decoded);
		break;
	}
}

/* Group 4 is the first two of group 5, for bytes. */
void x86_translate_group4_5(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;

	if (operands->operand_size == 1 && operands->reg > 1) {
		x86_emit_ud(builder, decoded);
		return;
	}
	switch (operands->reg) {
	case 0:
		emit_unary(builder, decoded, X86_OP_inc_r_32, X86_OP_inc_m_32);
		break;
	case 1:
		emit_unary(builder, decoded, X86_OP_dec_r_32, X86_OP_dec_m_32);
		break;
	case 2:
		x86_translate_call_rm(builder, decoded);
		break;
	case 3:
	case 5:
		if (!operands->is_memory)
			x86_emit_ud(builder, decoded);
		else
			x86_emit_call(builder, decoded,
				operands->reg == 3 ? x86_op_far_call_memory
						   : x86_op_far_jump_memory,
				true);
		break;
	case 4:
		x86_translate_jmp_rm(builder, decoded);
		break;
	case 6:
		x86_translate_push_rm(builder, decoded);
		break;
	default:
		x86_emit_ud(builder, decoded);
		break;
	}
}

void x86_translate_inc_dec(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	x86_emit(builder, decoded,
		decoded->entry->op + x86_size_index(decoded->operands.operand_size))
		->rm = decoded->operands.reg;
}

/* Shifts and rotates by ModRM.reg; the rest of them is out of line. */
struct shift_ops {
	uint16_t ri, rc, mi; /* 0: there is none. ri: of 32 bits, then 16 and 8 */
};
static const struct shift_ops shift_ops[8] = {
	[0] = {X86_OP_rol_ri_32, X86_OP_rol_rc_32, 0},
	[1] = {X86_OP_ror_ri_32, X86_OP_ror_rc_32, 0},
	[4] = {X86_OP_shl_ri_32, X86_OP_shl_rc_32, X86_OP_shl_mi_32},
	[5] = {X86_OP_shr_ri_32, X86_OP_shr_rc_32, X86_OP_shr_mi_32},
	[6] = {X86_OP_shl_ri_32, X86_OP_shl_rc_32, X86_OP_shl_mi_32},
	[7] = {X86_OP_sar_ri_32, X86_OP_sar_rc_32, X86_OP_sar_mi_32},
};

/* 0xc0 and 0xc1 have an immediate, 0xd0 and 0xd1 shift by 1, 0xd2 and 0xd3 by CL. */
void x86_translate_shift(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	const struct shift_ops *ops = &shift_ops[operands->reg];
	unsigned size = operands->operand_size;
	bool by_cl = decoded->opcode >= 0xd2;
	unsigned count = decoded->opcode < 0xd0 ? operands->immediate & 31 : 1;
	struct x86_insn *insn;

	if (!by_cl && count == 0 && !operands->is_memory) {
		x86_emit(builder, decoded, X86_OP_nop);
	} else if (!by_cl && !operands->is_memory && ops->ri != 0) {
		insn = x86_emit(builder, decoded, ops->ri + x86_size_index(size));
		insn->rm = x86_slot_register(operands->rm, size);
		insn->immediate = count;
	} else if (by_cl && !operands->is_memory && size == 4 && ops->rc != 0) {
		x86_emit(builder, decoded, ops->rc)->rm = operands->rm;
	} else if (!by_cl && operands->is_memory && size == 4 && count != 0 && ops->mi != 0) {
		x86_emit_memory(builder, decoded, ops->mi, 4, X86_WRITE)->immediate = count;
	} else {
		x86_emit_call(builder, decoded, x86_op_shift, false);
	}
}

/* SHLD and SHRD by an immediate. */
void x86_translate_double_shift(struct x86_builder *builder, const struct x86_decoded *decoded)
{
	const struct x86_operands *operands = &decoded->operands;
	struct x86_insn *insn;

	if (operands->is_memory || operands->operand_size != 4 || (operands->immediate & 31) == 0) {
		x86_emit_call(builder, decoded, decoded->entry->function, false);
		return;
	}
	insn = x86_emit(builder, decoded, decoded->entry->op);
	insn->rm = operands->rm;
	insn->reg = operands->reg;
	insn->immediate = operands->immediate & 31;
}
