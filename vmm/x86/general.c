/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSHF, POPF, BOUND, XLAT and decimal arithmetic (SDM 2). */
#include "x86/flags.h"
#include "x86/operands.h"

/* The flags are pushed without RF and VM. */
void x86_op_pushf(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_push(cpu, x86_eflags(cpu) & ~(X86_RF | X86_VM), operands->operand_size);
}

/* IF changes only if CPL is at most IOPL, IOPL itself only at CPL 0, and neither is a reason to
 * fault. RF is cleared. */
void x86_op_popf(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t mask = X86_ARITHMETIC | X86_TF | X86_DF | X86_NT | X86_AC | X86_ID;
	uint32_t value;

	if (operands->operand_size == 2)
		mask &= 0xffff;
	if (cpu->cpl <= X86_IOPL(cpu->eflags))
		mask |= X86_IF;
	if (cpu->cpl == 0)
		mask |= X86_IOPL_MASK;
	value = (uint32_t)x86_pop(cpu, operands->operand_size);
	x86_set_eflags(cpu, value & ~X86_RF, mask | X86_RF);
}

/* The bounds are signed. */
void x86_op_bound(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	struct x86_operands upper_operand = *operands;
	int32_t index = (int32_t)x86_read_register(cpu, operands->reg, size);
	int32_t lower = (int32_t)x86_read_rm(cpu, operands, size), upper;

	upper_operand.displacement += size;
	upper = (int32_t)x86_read_rm(cpu, &upper_operand, size);
	if (size == 2) {
		index = (int16_t)index;
		lower = (int16_t)lower;
		upper = (int16_t)upper;
	}
	if (index < lower || index > upper)
		x86_raise(cpu, X86_BR);
}

/* AL is an index into a table at EBX or BX; the segment can be overridden. */
void x86_op_xlat(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct x86_operands entry = *operands;
	uint64_t offset = cpu->reg[X86_RBX] + x86_read_register(cpu, X86_RAX, 1), linear;

	entry.base = X86_ZERO;
	entry.displacement = (uint32_t)offset;
	linear = x86_linear(cpu, operands->segment, x86_operand_offset(cpu, &entry), 1, X86_READ);
	x86_write_register(cpu, X86_RAX, 1, x86_load_linear(cpu, linear, 1, X86_READ));
}

/* Opcode 0xd6, which the SDM does not list and every processor has outside of 64-bit mode: all bits
 * of AL become CF. */
void x86_op_salc(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_write_register(cpu, X86_RAX, 1, x86_flag_cf(cpu->flags_carry) ? 0xff : 0);
}

/* --- decimal arithmetic ----------------------------------------------------------------------- */

/* AL, with SF, ZF and PF by it; CF and AF as given. OF is undefined: cleared. */
static void set_al(struct x86_cpu *cpu, unsigned al, bool cf, bool af)
{
	x86_write_register(cpu, X86_RAX, 1, al);
	cpu->flags_result = (int64_t)(int8_t)al;
	cpu->flags_carry = x86_carry_of(cf, cf) | (af ? X86_CARRY_AF : 0);
	cpu->flags_carry = x86_carry_replace(cpu->flags_carry, cf, 0);
}

/* DAA adds to both digits what a decimal sum needs, DAS subtracts it. */
static void adjust_decimal(struct x86_cpu *cpu, bool subtract)
{
	unsigned old = (unsigned)x86_read_register(cpu, X86_RAX, 1), al = old;
	bool old_cf = x86_flag_cf(cpu->flags_carry), cf = false;
	bool af = (al & 15) > 9 || x86_flag_af(cpu->flags_carry);

	if (af) {
		cf = old_cf || (subtract ? al < 6 : al > 0xff - 6);
		al += subtract ? -6u : 6u;
	}
	if (old > 0x99 || old_cf) {
		al += subtract ? -0x60u : 0x60u;
		cf = true;
	}
	set_al(cpu, al & 0xff, cf, af);
}

void x86_op_daa(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	adjust_decimal(cpu, false);
}

void x86_op_das(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	adjust_decimal(cpu, true);
}

/* AAA and AAS carry into AH. SF, ZF and PF are undefined: they are of AL. */
static void adjust_ascii(struct x86_cpu *cpu, bool subtract)
{
	unsigned ax = (unsigned)x86_read_register(cpu, X86_RAX, 2);
	bool carry = (ax & 15) > 9 || x86_flag_af(cpu->flags_carry);

	if (carry)
		ax += subtract ? -0x106u : 0x106u;
	x86_write_register(cpu, X86_RAX, 2, ax);
	set_al(cpu, ax & 15, carry, carry);
}

void x86_op_aaa(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	adjust_ascii(cpu, false);
}

void x86_op_aas(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	adjust_ascii(cpu, true);
}

void x86_op_aam(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned al = (unsigned)x86_read_register(cpu, X86_RAX, 1), base = operands->immediate;

	if (base == 0)
		x86_raise(cpu, X86_DE);
	x86_write_register(cpu, X86_RAX, 2, al / base << 8);
	set_al(cpu, al % base, false, false);
}

void x86_op_aad(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned ax = (unsigned)x86_read_register(cpu, X86_RAX, 2);
	unsigned al = (ax & 0xff) + (ax >> 8) * operands->immediate;

	x86_write_register(cpu, X86_RAX, 2, 0);
	set_al(cpu, al & 0xff, false, false);
}
