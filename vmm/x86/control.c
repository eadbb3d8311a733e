/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/control.h"

#include "x86/operands.h"
#include "x86/physical.h"
#include "x86/segment.h"
#include "x86/walk.h"

void x86_need_cpl0(struct x86_cpu *cpu)
{
	if (cpu->cpl != 0)
		x86_raise_code(cpu, X86_GP, 0);
}

void x86_need_umip_clear(struct x86_cpu *cpu)
{
	if (cpu->cpl == 3 && cpu->cr4 & X86_CR4_UMIP)
		x86_raise_code(cpu, X86_GP, 0);
}

/* --- control registers ------------------------------------------------------------------------ */

static void load_cr0(struct x86_cpu *cpu, uint32_t value)
{
	uint32_t changed;

	value = (value & X86_CR0_BITS) | X86_CR0_ET;
	changed = value ^ (uint32_t)cpu->cr0;
	if ((value & X86_CR0_PG && !(value & X86_CR0_PE)) ||
		(value & X86_CR0_NW && !(value & X86_CR0_CD)))
		x86_raise_code(cpu, X86_GP, 0);
	if (changed & value & X86_CR0_PG && cpu->cr4 & X86_CR4_PAE)
		x86_load_pdptes(cpu, cpu->cr3);
	cpu->cr0 = value;
	if (changed & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE)) {
		x86_tlb_flush(cpu, false);
		x86_mode_changed(cpu);
	}
	if (changed & X86_CR0_PE)
		x86_update_flat(cpu);
}

void x86_load_cr3(struct x86_cpu *cpu, uint32_t value)
{
	if (cpu->cr0 & X86_CR0_PG && cpu->cr4 & X86_CR4_PAE)
		x86_load_pdptes(cpu, value);
	cpu->cr3 = value;
	x86_tlb_flush(cpu, true);
	x86_mode_changed(cpu);
}

/* A bit that CPUID does not announce is reserved (SDM 3, 2.5). */
static void load_cr4(struct x86_cpu *cpu, uint32_t value)
{
	uint32_t changed = value ^ (uint32_t)cpu->cr4;

	if (value & ~X86_CR4_BITS)
		x86_raise_code(cpu, X86_GP, 0);
	if (changed & value & X86_CR4_PAE && cpu->cr0 & X86_CR0_PG)
		x86_load_pdptes(cpu, cpu->cr3);
	cpu->cr4 = value;
	if (changed & (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP)) {
		x86_tlb_flush(cpu, false);
		x86_mode_changed(cpu);
	}
}

/* Which control registers there are: #UD for the others (SDM 2, MOV - Control Registers). */
static void check_cr(struct x86_cpu *cpu, unsigned number)
{
	if (number != 0 && number != 2 && number != 3 && number != 4)
		x86_raise(cpu, X86_UD);
	x86_need_cpl0(cpu);
}

void x86_op_mov_from_cr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	const uint64_t values[] = {cpu->cr0, 0, cpu->cr2, cpu->cr3, cpu->cr4};

	check_cr(cpu, operands->reg);
	x86_write_register(cpu, operands->rm, 4, values[operands->reg]);
}

void x86_op_mov_to_cr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t value = (uint32_t)x86_read_register(cpu, operands->rm, 4);

	check_cr(cpu, operands->reg);
	switch (operands->reg) {
	case 0:
		load_cr0(cpu, value);
		break;
	case 2:
		cpu->cr2 = value;
		break;
	case 3:
		x86_load_cr3(cpu, value);
		break;
	default:
		load_cr4(cpu, value);
	}
}

/* LMSW writes PE, MP, EM and TS, and cannot clear PE (SDM 2, LMSW). */
void x86_op_lmsw(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t written = X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS;
	uint32_t value;

	x86_need_cpl0(cpu);
	value = (uint32_t)x86_read_rm(cpu, operands, 2) & written;
	load_cr0(cpu, ((uint32_t)cpu->cr0 & (~written | X86_CR0_PE)) | value);
}

/* Memory gets 16 bits, a register as many as it has (SDM 2, SMSW). */
void x86_op_smsw(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_need_umip_clear(cpu);
	x86_write_rm(cpu, operands, operands->is_memory ? 2 : operands->operand_size, cpu->cr0);
}

void x86_op_clts(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_need_cpl0(cpu);
	cpu->cr0 &= ~(uint64_t)X86_CR0_TS;
}

/* The address is not checked against the segment, since nothing is accessed (SDM 2, INVLPG). */
void x86_op_invlpg(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t base;

	if (!operands->is_memory)
		x86_raise(cpu, X86_UD);
	x86_need_cpl0(cpu);
	base = cpu->segment[operands->segment].base;
	x86_tlb_flush_page(cpu, (base + x86_operand_offset(cpu, operands)) & X86_LINEAR_MASK);
	x86_mode_changed(cpu);
}

/* --- debug registers -------------------------------------------------------------------------- */

/*
 * DR4 and DR5 are DR6 and DR7, since CR4.DE cannot be set (SDM 3, 18.2.2). With DR7.GD set, any
 * access is a #DB fault that says so (18.2.4), whose delivery clears GD. The registers can be read
 * and written, but hardware breakpoints stop nothing; INT3 and single steps do.
 */
static unsigned find_dr(struct x86_cpu *cpu, unsigned number)
{
	if (number > 7)
		x86_raise(cpu, X86_UD);
	x86_need_cpl0(cpu);
	if (cpu->dr[7] & X86_DR7_GD) {
		cpu->dr[6] |= X86_DR6_BD;
		x86_raise(cpu, X86_DB);
	}
	return number == 4 || number == 5 ? number + 2 : number;
}

void x86_op_mov_from_dr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned number = find_dr(cpu, operands->reg);

	x86_write_register(cpu, operands->rm, 4, cpu->dr[number]);
}

void x86_op_mov_to_dr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned number = find_dr(cpu, operands->reg);
	uint32_t value = (uint32_t)x86_read_register(cpu, operands->rm, 4);

	if (number == 6)
		value = (value & X86_DR6_BITS) | X86_DR6_ONES;
	if (number == 7)
		value = (value & X86_DR7_BITS) | X86_DR7_ONES;
	cpu->dr[number] = value;
}
