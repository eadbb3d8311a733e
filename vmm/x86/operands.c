/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands of out-of-line operations. */
#include "x86/operands.h"

#include "x86/frame.h"

/* The linear address of the memory operand, checked. */
static uint64_t address(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size,
	enum x86_access access)
{
	return x86_linear(cpu, operands->segment, x86_operand_offset(cpu, operands), size, access);
}

uint64_t x86_read_rm(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size)
{
	if (!operands->is_memory)
		return x86_read_register(cpu, operands->rm, size);
	return x86_load_linear(cpu, address(cpu, operands, size, X86_READ), size, X86_READ);
}

void x86_write_rm(
	struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size, uint64_t value)
{
	if (!operands->is_memory)
		x86_write_register(cpu, operands->rm, size, value);
	else
		x86_store_linear(
			cpu, address(cpu, operands, size, X86_WRITE), value, size, X86_WRITE);
}

void x86_check_write_rm(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size)
{
	if (operands->is_memory)
		x86_check_write(cpu, address(cpu, operands, size, X86_WRITE), size, X86_WRITE);
}

uint64_t x86_read_rm_to_change(
	struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size)
{
	x86_check_write_rm(cpu, operands, size);
	return x86_read_rm(cpu, operands, size);
}

uint64_t x86_read_register(const struct x86_cpu *cpu, unsigned number, unsigned size)
{
	switch (size) {
	case 1:
		return (uint8_t)(number < 4 ? cpu->reg[number] : cpu->reg[number - 4] >> 8);
	case 2:
		return (uint16_t)cpu->reg[number];
	case 4:
		return (uint32_t)cpu->reg[number];
	default:
		return cpu->reg[number];
	}
}

void x86_write_register(struct x86_cpu *cpu, unsigned number, unsigned size, uint64_t value)
{
	unsigned shift = size == 1 && number >= 4 ? 8 : 0;
	uint64_t mask = (size == 1 ? UINT64_C(0xff) : UINT64_C(0xffff)) << shift;
	uint64_t *reg = &cpu->reg[shift != 0 ? number - 4 : number];

	if (size >= 4)
		*reg = size == 4 ? (uint32_t)value : value;
	else
		*reg = (*reg & ~mask) | (value << shift & mask);
}

/* --- the stack -------------------------------------------------------------------------------- */

/* The bits of RSP that are the stack pointer (SDM 1, 6.2.3). */
static uint64_t stack_mask(const struct x86_cpu *cpu)
{
	return cpu->segment[X86_SS].rights & X86_SEGMENT_DB ? UINT32_MAX : UINT16_MAX;
}

void x86_push(struct x86_cpu *cpu, uint64_t value, unsigned size)
{
	uint64_t offset = (cpu->reg[X86_RSP] - size) & stack_mask(cpu);
	uint64_t linear = x86_linear(cpu, X86_SS, offset, size, X86_WRITE);

	x86_store_linear(cpu, linear, value, size, X86_WRITE);
	x86_set_esp(cpu, (uint32_t)offset);
}

uint64_t x86_pop(struct x86_cpu *cpu, unsigned size)
{
	uint64_t value = x86_stack_peek(cpu, 0, size);

	x86_set_esp(cpu, (uint32_t)cpu->reg[X86_RSP] + size);
	return value;
}

void x86_check_push(struct x86_cpu *cpu, unsigned depth, unsigned size)
{
	uint64_t offset = (cpu->reg[X86_RSP] - depth) & stack_mask(cpu);

	x86_check_write(cpu, x86_linear(cpu, X86_SS, offset, size, X86_WRITE), size, X86_WRITE);
}
