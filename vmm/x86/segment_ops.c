/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions about segment registers and descriptors. */
#include "x86/frame.h"
#include "x86/operands.h"
#include "x86/physical.h"
#include "x86/segment.h"

/* --- segment registers ------------------------------------------------------------------------ */

/* A register gets the selector zero-extended, memory 16 bits of it (SDM 2, MOV). */
void x86_op_mov_from_segment(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->is_memory ? 2 : operands->operand_size;

	if (operands->reg >= X86_SEGMENTS)
		x86_raise(cpu, X86_UD);
	x86_write_rm(cpu, operands, size, cpu->segment[operands->reg].selector);
}

/* SS and the stack pointer are loaded together: no interrupt comes between (SDM 3, 6.8.3). */
static void load_by_instruction(struct x86_cpu *cpu, unsigned number, uint16_t selector)
{
	x86_load_segment(cpu, number, selector);
	if (number == X86_SS)
		cpu->shadow = true;
}

void x86_op_mov_to_segment(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	if (operands->reg >= X86_SEGMENTS || operands->reg == X86_CS)
		x86_raise(cpu, X86_UD);
	load_by_instruction(cpu, operands->reg, (uint16_t)x86_read_rm(cpu, operands, 2));
}

/* PUSH and POP of a segment register have its number in bits 5:3 of the opcode (SDM 2, B.1.4.7). */
static unsigned opcode_segment(const struct x86_operands *operands)
{
	return operands->opcode >> 3 & 7;
}

/* ESP moves by the operand size, but only the selector's 16 bits are stored, as current processors
 * do (SDM 2, PUSH). */
void x86_op_push_segment(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_push(cpu, cpu->segment[opcode_segment(operands)].selector, operands->operand_size);
}

void x86_op_pop_segment(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t esp = (uint32_t)cpu->reg[X86_RSP];
	uint16_t selector = (uint16_t)x86_stack_peek(cpu, 0, operands->operand_size);

	/* By the size of the stack that was popped from, not of the one that POP SS loads. */
	bool is_32 = cpu->segment[X86_SS].rights & X86_SEGMENT_DB;
	uint32_t popped = esp + operands->operand_size;

	load_by_instruction(cpu, opcode_segment(operands), selector);
	cpu->reg[X86_RSP] = is_32 ? popped : (esp & 0xffff0000) | (popped & 0xffff);
}

void x86_read_far_pointer(struct x86_cpu *cpu, const struct x86_operands *operands,
	uint16_t *selector, uint32_t *offset)
{
	unsigned size = operands->operand_size;
	uint64_t at = x86_operand_offset(cpu, operands);
	uint64_t wrap = operands->address_size == 2 ? 0xffff : X86_LINEAR_MASK;
	uint64_t low, high;

	if (!operands->is_memory)
		x86_raise(cpu, X86_UD);
	low = x86_linear(cpu, operands->segment, at, size, X86_READ);
	high = x86_linear(cpu, operands->segment, (at + size) & wrap, 2, X86_READ);
	*offset = (uint32_t)x86_load_linear(cpu, low, size, X86_READ);
	*selector = (uint16_t)x86_load_linear(cpu, high, 2, X86_READ);
}

/* LDS and the like: the decoder gives the general register in reg, and which segment register it is
 * by the opcode (SDM 2, LDS/LES/LFS/LGS/LSS). */
void x86_op_load_far_pointer(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	enum x86_segment_register number;
	uint16_t selector;
	uint32_t offset;

	switch (operands->opcode) {
	case 0xc4:
		number = X86_ES;
		break;
	case 0xc5:
		number = X86_DS;
		break;
	case 0xb2:
		number = X86_SS;
		break;
	case 0xb4:
		number = X86_FS;
		break;
	default:
		number = X86_GS;
	}
	x86_read_far_pointer(cpu, operands, &selector, &offset);
	x86_load_segment(cpu, number, selector);
	x86_write_register(cpu, operands->reg, operands->operand_size, offset);
}

/* --- looking at descriptors ------------------------------------------------------------------- */

/* Real mode does not know these (SDM 3, 21.1.3). */
static void need_protected(struct x86_cpu *cpu)
{
	if (!x86_is_protected(cpu))
		x86_raise(cpu, X86_UD);
}

static void set_zf(struct x86_cpu *cpu, bool is_set)
{
	x86_set_eflags(cpu, is_set ? X86_ZF : 0, X86_ZF);
}

/* Conforming code is visible to all, everything else as DPL says. */
static bool is_visible(const struct x86_cpu *cpu, uint16_t selector, uint16_t rights)
{
	unsigned dpl = X86_SEGMENT_DPL(rights);

	return (x86_is_code(rights) && x86_is_conforming(rights)) ||
	       (dpl >= cpu->cpl && dpl >= X86_RPL(selector));
}

/* Types of system descriptors, a bit each, that are valid for LAR and LSL (SDM 2). */
#define LAR_TYPES 0x1a3eu
#define LSL_TYPES 0x0a0eu

static bool look_at(struct x86_cpu *cpu, const struct x86_operands *operands,
	struct x86_descriptor *descriptor, uint16_t *selector, uint32_t system_types)
{
	uint16_t rights;

	need_protected(cpu);
	*selector = (uint16_t)x86_read_rm(cpu, operands, 2);
	if (!x86_read_descriptor(cpu, *selector, descriptor))
		return false;
	rights = x86_descriptor_rights(descriptor);
	if (!(rights & X86_SEGMENT_S) && !(system_types >> (rights & X86_SEGMENT_TYPE) & 1))
		return false;
	return is_visible(cpu, *selector, rights);
}

void x86_op_lar(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct x86_descriptor descriptor;
	uint16_t selector;
	bool is_valid = look_at(cpu, operands, &descriptor, &selector, LAR_TYPES);

	if (is_valid)
		x86_write_register(
			cpu, operands->reg, operands->operand_size, descriptor.high & 0x00f0ff00);
	set_zf(cpu, is_valid);
}

void x86_op_lsl(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct x86_descriptor descriptor;
	uint16_t selector;
	bool is_valid = look_at(cpu, operands, &descriptor, &selector, LSL_TYPES);

	if (is_valid)
		x86_write_register(cpu, operands->reg, operands->operand_size,
			x86_segment_of(selector, &descriptor).limit);
	set_zf(cpu, is_valid);
}

static void verify(struct x86_cpu *cpu, const struct x86_operands *operands, bool is_write)
{
	struct x86_descriptor descriptor;
	uint16_t selector, rights;
	bool is_valid = look_at(cpu, operands, &descriptor, &selector, 0);

	rights = is_valid ? x86_descriptor_rights(&descriptor) : 0;
	set_zf(cpu,
		is_valid && (is_write ? x86_is_writable_data(rights) : x86_is_readable(rights)));
}

void x86_op_verr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	verify(cpu, operands, false);
}

void x86_op_verw(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	verify(cpu, operands, true);
}

void x86_op_arpl(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint16_t selector, rpl;

	need_protected(cpu);
	selector = (uint16_t)x86_read_rm(cpu, operands, 2);
	rpl = X86_RPL((uint16_t)x86_read_register(cpu, operands->reg, 2));
	if (X86_RPL(selector) < rpl)
		x86_write_rm(cpu, operands, 2, (selector & 0xfffc) | rpl);
	set_zf(cpu, X86_RPL(selector) < rpl);
}
