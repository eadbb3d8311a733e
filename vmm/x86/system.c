/* SPDX-License-Identifier: BSD-2-Clause */
/* System instructions: descriptor-table registers, flags, halting, fast system calls, and what this
 * CPU lacks. */
#include "x86/control.h"
#include "x86/operands.h"
#include "x86/physical.h"
#include "x86/segment.h"

/* --- descriptor-table registers --------------------------------------------------------------- */

/* The two parts of the 6-byte operand (SDM 2, SGDT). */
static void table_operand(struct x86_cpu *cpu, const struct x86_operands *operands,
	enum x86_access access, uint64_t *limit, uint64_t *base)
{
	uint64_t offset = x86_operand_offset(cpu, operands);
	uint64_t wrap = operands->address_size == 2 ? 0xffff : X86_LINEAR_MASK;

	*limit = x86_linear(cpu, operands->segment, offset, 2, access);
	*base = x86_linear(cpu, operands->segment, (offset + 2) & wrap, 4, access);
}

/* All 32 bits of the base are stored, whatever the operand size, as all processors since the 386
 * do. */
static void store_table(
	struct x86_cpu *cpu, const struct x86_operands *operands, const struct x86_table *table)
{
	uint64_t limit, base;

	if (!operands->is_memory)
		x86_raise(cpu, X86_UD);
	x86_need_umip_clear(cpu);
	table_operand(cpu, operands, X86_WRITE, &limit, &base);
	x86_check_write(cpu, limit, 2, 0);
	x86_check_write(cpu, base, 4, 0);
	x86_store_linear(cpu, limit, table->limit, 2, X86_WRITE);
	x86_store_linear(cpu, base, table->base, 4, X86_WRITE);
}

/* 16-bit operand size loads 24 bits of base (SDM 2, LGDT). */
static void load_table(
	struct x86_cpu *cpu, const struct x86_operands *operands, struct x86_table *table)
{
	uint64_t limit, base, mask = operands->operand_size == 2 ? 0xffffff : X86_LINEAR_MASK;
	struct x86_table loaded;

	if (!operands->is_memory)
		x86_raise(cpu, X86_UD);
	x86_need_cpl0(cpu);
	table_operand(cpu, operands, X86_READ, &limit, &base);
	loaded.limit = (uint16_t)x86_load_linear(cpu, limit, 2, X86_READ);
	loaded.base = x86_load_linear(cpu, base, 4, X86_READ) & mask;
	*table = loaded;
}

void x86_op_sgdt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	store_table(cpu, operands, &cpu->gdtr);
}

void x86_op_sidt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	store_table(cpu, operands, &cpu->idtr);
}

void x86_op_lgdt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	load_table(cpu, operands, &cpu->gdtr);
}

void x86_op_lidt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	load_table(cpu, operands, &cpu->idtr);
}

/* Memory gets 16 bits, a register the selector zero-extended (SDM 2, SLDT and STR). */
static void store_selector(
	struct x86_cpu *cpu, const struct x86_operands *operands, uint16_t selector)
{
	if (!x86_is_protected(cpu))
		x86_raise(cpu, X86_UD);
	x86_need_umip_clear(cpu);
	x86_write_rm(cpu, operands, operands->is_memory ? 2 : operands->operand_size, selector);
}

void x86_op_sldt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	store_selector(cpu, operands, cpu->ldtr.selector);
}

void x86_op_str(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	store_selector(cpu, operands, cpu->tr.selector);
}

/* LLDT and LTR: a selector of the GDT, with the one type that is wanted, whatever its size. */
static struct x86_descriptor load_system(
	struct x86_cpu *cpu, uint16_t selector, unsigned type, unsigned ignored)
{
	struct x86_descriptor descriptor;

	if (selector & X86_SELECTOR_TI)
		x86_raise_code(cpu, X86_GP, X86_ERROR(selector, 0));
	x86_need_descriptor(cpu, selector, &descriptor, X86_GP, 0);
	if ((x86_descriptor_type(&descriptor) & ~ignored) != type)
		x86_raise_code(cpu, X86_GP, X86_ERROR(selector, 0));
	if (!(x86_descriptor_rights(&descriptor) & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(selector, 0));
	return descriptor;
}

static uint16_t read_selector(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	if (!x86_is_protected(cpu))
		x86_raise(cpu, X86_UD);
	x86_need_cpl0(cpu);
	return (uint16_t)x86_read_rm(cpu, operands, 2);
}

void x86_op_lldt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint16_t selector = read_selector(cpu, operands);
	struct x86_descriptor descriptor;

	if (X86_IS_NULL(selector)) {
		cpu->ldtr = (struct x86_segment){.selector = selector};
		return;
	}
	descriptor = load_system(cpu, selector, X86_TYPE_LDT, 0);
	cpu->ldtr = x86_segment_of(selector, &descriptor);
}

void x86_op_ltr(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint16_t selector = read_selector(cpu, operands);
	struct x86_descriptor descriptor =
		load_system(cpu, selector, X86_TYPE_TSS_16, X86_TYPE_IS_32);

	x86_mark_busy(cpu, &descriptor, true);
	cpu->tr = x86_segment_of(selector, &descriptor);
}

/* --- flags, halting, caches ------------------------------------------------------------------- */

static void need_iopl(struct x86_cpu *cpu)
{
	if (cpu->cpl > X86_IOPL(cpu->eflags))
		x86_raise_code(cpu, X86_GP, 0);
}

void x86_op_cli(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	need_iopl(cpu);
	cpu->eflags &= ~X86_IF;
}

/* The instruction after STI is protected only if STI sets IF (SDM 2, STI). */
void x86_op_sti(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	need_iopl(cpu);
	if (!(cpu->eflags & X86_IF))
		cpu->shadow = true;
	cpu->eflags |= X86_IF;
}

/* STAC and CLAC are unknown to a user (SDM 2, STAC). */
static void set_ac(struct x86_cpu *cpu, uint32_t value)
{
	if (cpu->cpl != 0)
		x86_raise(cpu, X86_UD);
	cpu->eflags = (cpu->eflags & ~X86_AC) | value;
}

void x86_op_stac(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	set_ac(cpu, X86_AC);
}

void x86_op_clac(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	set_ac(cpu, 0);
}

void x86_op_hlt(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_need_cpl0(cpu);
	cpu->halted = true;
}

/* INVD as well: there are no caches. */
void x86_op_wbinvd(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_need_cpl0(cpu);
}

void x86_op_pause(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	cpu->yielded = true;
}

/* --- fast system calls ------------------------------------------------------------------------ */

/* Code or data that is flat, 32 bits wide and present (SDM 2, SYSENTER). */
static void load_flat(struct x86_cpu *cpu, unsigned number, uint32_t selector, unsigned dpl)
{
	struct x86_segment segment = {
		.selector = (uint16_t)((selector & 0xfffc) | dpl),
		.rights = (uint16_t)(X86_SEGMENT_P | X86_SEGMENT_S | X86_SEGMENT_WRITE |
				     X86_SEGMENT_ACCESSED | X86_SEGMENT_DB | X86_SEGMENT_G |
				     dpl << 5 | (number == X86_CS ? X86_SEGMENT_CODE : 0)),
		.limit = 0xffffffff,
	};

	x86_set_segment(cpu, number, &segment);
}

static void need_sysenter(struct x86_cpu *cpu)
{
	if (!x86_is_protected(cpu) || X86_IS_NULL(cpu->sysenter_cs))
		x86_raise_code(cpu, X86_GP, 0);
}

void x86_op_sysenter(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t selector = (uint32_t)cpu->sysenter_cs;

	(void)operands;
	need_sysenter(cpu);
	cpu->eflags &= ~(X86_VM | X86_IF | X86_RF);
	load_flat(cpu, X86_CS, selector, 0);
	load_flat(cpu, X86_SS, selector + 8, 0);
	x86_set_cpl(cpu, 0);
	cpu->reg[X86_RSP] = (uint32_t)cpu->sysenter_esp;
	cpu->next_eip = (uint32_t)cpu->sysenter_eip;
}

void x86_op_sysexit(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint32_t selector = (uint32_t)cpu->sysenter_cs;

	(void)operands;
	need_sysenter(cpu);
	x86_need_cpl0(cpu);
	load_flat(cpu, X86_CS, selector + 16, 3);
	load_flat(cpu, X86_SS, selector + 24, 3);
	x86_set_cpl(cpu, 3);
	cpu->reg[X86_RSP] = (uint32_t)cpu->reg[X86_RCX];
	cpu->next_eip = (uint32_t)cpu->reg[X86_RDX];
}

/* --- what this CPU lacks ---------------------------------------------------------------------- */

void x86_op_ud(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_raise(cpu, X86_UD);
}

/* An x87 instruction: the system software may want to emulate it, or to switch states first; else
 * it does not exist (SDM 3, 2.5, CR0.EM and TS). */
void x86_op_x87(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_note_missing(cpu, X86_MISSING_FPU);
	x86_raise(cpu, cpu->cr0 & (X86_CR0_EM | X86_CR0_TS) ? X86_NM : X86_UD);
}

/* WAIT has nothing to wait for, but it tells of a switched task (SDM 3, 2.5, CR0.MP). */
void x86_op_wait(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	if (cpu->cr0 & X86_CR0_MP && cpu->cr0 & X86_CR0_TS)
		x86_raise(cpu, X86_NM);
}

void x86_op_simd(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_note_missing(cpu, X86_MISSING_SIMD);
	x86_raise(cpu, X86_UD);
}
