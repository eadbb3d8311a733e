/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSH, POP, PUSHA, POPA, ENTER, LEAVE, and near transfers, in all sizes and on any stack (SDM 2).
 * The run loop has its own for the flat stack of 32 bits. */
#include "x86/flags.h"
#include "x86/frame.h"
#include "x86/operands.h"

void x86_op_push(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;

	x86_push(cpu, x86_read_register(cpu, operands->reg, size), size);
}

void x86_op_push_immediate(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_push(cpu, operands->immediate, operands->operand_size);
}

void x86_op_push_memory(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_push(cpu, x86_read_rm(cpu, operands, operands->operand_size), operands->operand_size);
}

void x86_op_pop(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;

	x86_write_register(cpu, operands->reg, size, x86_pop(cpu, size));
}

/* The address is computed with the stack pointer as it is after the pop (SDM 2, POP). If the store
 * faults, the pop has not happened. */
void x86_op_pop_memory(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t rsp = cpu->reg[X86_RSP], value = x86_pop(cpu, size), after = cpu->reg[X86_RSP];
	uint64_t linear;

	if (!operands->is_memory) {
		x86_write_register(cpu, operands->rm, size, value);
		return;
	}
	linear = x86_operand_offset(cpu, operands);
	cpu->reg[X86_RSP] = rsp;
	linear = x86_linear(cpu, operands->segment, linear, size, X86_WRITE);
	x86_store_linear(cpu, linear, value, size, X86_WRITE);
	cpu->reg[X86_RSP] = after;
}

/* --- PUSHA, POPA, ENTER, LEAVE ---------------------------------------------------------------- */

void x86_op_pusha(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t rsp = cpu->reg[X86_RSP];

	/* All of the stack that is needed is looked at before anything is stored. */
	for (unsigned i = 1; i <= 8; i++)
		x86_check_push(cpu, i * size, size);
	for (unsigned number = 0; number < 8; number++) {
		uint64_t value = number == X86_RSP ? rsp : cpu->reg[number];

		x86_push(cpu, value, size);
	}
}

void x86_op_popa(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t values[8];

	for (unsigned i = 0; i < 8; i++)
		values[i] = x86_stack_peek(cpu, i * size, size);
	for (unsigned i = 0; i < 8; i++)
		if (7 - i != X86_RSP)
			x86_write_register(cpu, 7 - i, size, values[i]);
	x86_set_esp(cpu, (uint32_t)(cpu->reg[X86_RSP] + 8 * size));
}

/* The frame pointers of the enclosing levels are copied from the old frame (SDM 2, ENTER). A fault
 * on the way finds the registers as they were; the stores are then repeated. */
void x86_op_enter(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size, level = operands->selector & 31;
	uint64_t rsp = cpu->reg[X86_RSP], frame, link = cpu->reg[X86_RBP], after;
	bool is_wide = cpu->segment[X86_SS].rights & X86_SEGMENT_DB;

	for (unsigned i = 1; i <= level + 1; i++)
		x86_check_push(cpu, i * size, size);
	x86_check_push(cpu, (level + 1) * size + operands->immediate, size);
	for (unsigned i = 1; i < level; i++) {
		link -= size;
		x86_linear(cpu, X86_SS, is_wide ? (uint32_t)link : (uint16_t)link, size, X86_READ);
	}
	link = cpu->reg[X86_RBP];
	x86_push(cpu, link, size);
	frame = cpu->reg[X86_RSP];
	for (unsigned i = 1; i < level; i++) {
		uint64_t linear, value;

		link -= size;
		after = cpu->reg[X86_RSP];
		cpu->reg[X86_RSP] = rsp;
		linear = x86_linear(
			cpu, X86_SS, is_wide ? (uint32_t)link : (uint16_t)link, size, X86_READ);
		value = x86_load_linear(cpu, linear, size, X86_READ);
		cpu->reg[X86_RSP] = after;
		x86_push(cpu, value, size);
	}
	if (level > 0)
		x86_push(cpu, frame, size);
	x86_write_register(cpu, X86_RBP, size, frame);
	x86_set_esp(cpu, (uint32_t)(cpu->reg[X86_RSP] - operands->immediate));
}

void x86_op_leave(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t rsp = cpu->reg[X86_RSP], value, after;

	x86_set_esp(cpu, (uint32_t)(cpu->reg[X86_RBP]));
	after = cpu->reg[X86_RSP];
	cpu->reg[X86_RSP] = rsp;
	value = x86_stack_peek(cpu, (unsigned)(after - rsp), size);
	cpu->reg[X86_RSP] = after;
	x86_set_esp(cpu, (uint32_t)(after + size));
	x86_write_register(cpu, X86_RBP, size, value);
}

/* --- near transfers --------------------------------------------------------------------------- */

/* The target of a near transfer, wrapped to the operand size. Beyond the limit of CS it is #GP(0)
 * of the transfer itself (SDM 2, JMP). */
static uint64_t near_target(
	struct x86_cpu *cpu, const struct x86_operands *operands, uint64_t target)
{
	target = operands->operand_size == 2 ? (uint16_t)target : (uint32_t)target;
	if (target > cpu->segment[X86_CS].limit)
		x86_raise_code(cpu, X86_GP, 0);
	return target;
}

static void call(struct x86_cpu *cpu, const struct x86_operands *operands, uint64_t target)
{
	target = near_target(cpu, operands, target);
	x86_push(cpu, cpu->next_eip, operands->operand_size);
	cpu->next_eip = target;
}

void x86_op_call_near(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	call(cpu, operands, cpu->next_eip + operands->immediate);
}

void x86_op_call_near_indirect(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	call(cpu, operands, x86_read_rm(cpu, operands, operands->operand_size));
}

void x86_op_jump_near_indirect(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t target = x86_read_rm(cpu, operands, operands->operand_size);

	cpu->next_eip = near_target(cpu, operands, target);
}

/* RET; immediate is what it releases beside the return address. */
void x86_op_return_near(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;

	cpu->next_eip = near_target(cpu, operands, x86_stack_peek(cpu, 0, size));
	x86_set_esp(cpu, (uint32_t)(cpu->reg[X86_RSP] + size + operands->immediate));
}

/* --- jumps that the run loop cannot do -------------------------------------------------------- */

/* The sixteen conditions (SDM 2, B.1.4.7): bit 0 negates. */
bool x86_condition(const struct x86_cpu *cpu, unsigned condition)
{
	int64_t result = cpu->flags_result;
	uint64_t carry = cpu->flags_carry;
	unsigned sign_differs = x86_flag_sf(result, carry) ^ x86_flag_of(carry);
	const unsigned values[8] = {
		x86_flag_of(carry),
		x86_flag_cf(carry),
		x86_flag_zf(result),
		x86_flag_cf(carry) | x86_flag_zf(result),
		x86_flag_sf(result, carry),
		x86_flag_pf(result, carry),
		sign_differs,
		sign_differs | x86_flag_zf(result),
	};

	return values[condition >> 1 & 7] != (condition & 1);
}

/* LOOPNE, LOOPE, LOOP and JCXZ are opcodes 0xe0 to 0xe3. Counts, and tells whether it jumps. */
static bool loop_jumps(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t mask = operands->address_size == 2 ? UINT16_MAX : UINT32_MAX;
	uint64_t count = cpu->reg[X86_RCX] & mask;

	if (operands->opcode == 0xe3)
		return count == 0;
	if (((count - 1) & mask) == 0)
		return false;
	return operands->opcode == 0xe2 ||
	       x86_flag_zf(cpu->flags_result) == (operands->opcode == 0xe1);
}

/* A direct jump whose target is beyond the limit of CS: #GP(0) if it is taken, and then nothing of
 * it has happened. */
void x86_op_branch_beyond_limit(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	bool is_loop = (operands->opcode & 0xfc) == 0xe0;
	bool is_jump = operands->opcode == 0xe9 || operands->opcode == 0xeb;

	if (is_loop ? loop_jumps(cpu, operands)
		    : is_jump || x86_condition(cpu, operands->opcode & 15))
		x86_raise_code(cpu, X86_GP, 0);
	if (is_loop && operands->opcode != 0xe3)
		x86_write_register(cpu, X86_RCX, operands->address_size, cpu->reg[X86_RCX] - 1);
}

/* An instruction of more than 15 bytes (SDM 2, 2.3.11). */
void x86_op_too_long(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_raise_code(cpu, X86_GP, 0);
}
