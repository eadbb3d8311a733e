/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How software CPUs begin: the entry states of boot protocols, and INIT and SIPI from other CPUs.
 */
#include "x86/block.h"
#include "x86/soft.h"
#include "x86/trail.h"

/* Access rights of flat 32-bit segments and of real mode's, accessed (Intel SDM 3, 3.4.5). */
#define RIGHTS_DATA (X86_SEGMENT_P | X86_SEGMENT_S | X86_SEGMENT_WRITE | X86_SEGMENT_ACCESSED)
#define RIGHTS_CODE (RIGHTS_DATA | X86_SEGMENT_CODE)
#define RIGHTS_FLAT (X86_SEGMENT_DB | X86_SEGMENT_G)
#define REAL_LIMIT  0xffffu
#define SIPI_CS(v)  ((uint16_t)((v) << 8))

static const enum x86_segment_register data_segments[] = {X86_ES, X86_SS, X86_DS, X86_FS, X86_GS};

static void set_flat32(struct x86_cpu *x86, const struct entry_state *state)
{
	struct x86_segment segment = {
		.selector = state->code_selector,
		.rights = RIGHTS_CODE | RIGHTS_FLAT,
		.limit = UINT32_MAX,
	};

	x86->cr0 = X86_CR0_PE | X86_CR0_ET;
	x86->cr4 = 0;
	x86->gdtr = (struct x86_table){state->gdt_base, state->gdt_limit};
	x86->idtr = (struct x86_table){state->idt_base, state->idt_limit};
	x86->ldtr = (struct x86_segment){0};
	x86_set_segment(x86, X86_CS, &segment);
	segment.selector = state->data_selector;
	segment.rights = RIGHTS_DATA | RIGHTS_FLAT;
	for (size_t i = 0; i < sizeof data_segments / sizeof *data_segments; i++)
		x86_set_segment(x86, data_segments[i], &segment);
}

/* As after a load of the selector in real mode (Intel SDM 3, 21.1.1). */
static struct x86_segment real_segment(uint16_t selector, uint16_t rights)
{
	return (struct x86_segment){
		.selector = selector,
		.rights = rights,
		.limit = REAL_LIMIT,
		.base = 16u * selector,
	};
}

static void set_real16(struct x86_cpu *x86, const struct entry_state *state)
{
	struct x86_segment segment = real_segment(state->code_selector, RIGHTS_CODE);

	x86_set_segment(x86, X86_CS, &segment);
	segment = real_segment(state->data_selector, RIGHTS_DATA);
	for (size_t i = 0; i < sizeof data_segments / sizeof *data_segments; i++)
		x86_set_segment(x86, data_segments[i], &segment);
}

void soft_set_state(struct x86_cpu *x86, const struct entry_state *state)
{
	x86_cpu_reset(x86, false);
	if (state->mode == ENTRY_RESET)
		return;
	if (state->mode == ENTRY_FLAT32)
		set_flat32(x86, state);
	else
		set_real16(x86, state);
	x86->reg[X86_RAX] = state->eax;
	x86->reg[X86_RCX] = 0;
	x86->reg[X86_RDX] = 0;
	x86->reg[X86_RBX] = state->ebx;
	x86->reg[X86_RSP] = state->esp;
	x86->reg[X86_RSI] = state->esi;
	x86->eip = x86->next_eip = state->eip;
	x86_mode_changed(x86);
}

/* --- INIT, SIPI and NMI ----------------------------------------------------------------------- */

/* For the branches of a report: the way to the reset vector was none of the guest's jumps. */
static void note_init(struct x86_cpu *x86)
{
	uint64_t linear = x86_code_linear(x86, x86_position(x86));

	x86_trail_add(x86, X86_TRAIL_VECTOR(CPU_BRANCH_INIT, linear));
}

void soft_take_init(struct soft_cpu *cpu)
{
	struct x86_cpu *x86 = soft_x86(cpu);
	struct x86_segment segment;

	if (cpu->init_pending) {
		cpu->init_pending = false;
		if (!cpu->is_waiting)
			note_init(x86);
		x86_cpu_reset(x86, true);
		/* The boot CPU starts at the reset vector, the others wait (Intel SDM 3, 9.4.2). */
		cpu->is_waiting = cpu->cpu.id != 0;
	}
	if (!cpu->sipi_pending)
		return;
	cpu->sipi_pending = false;
	if (!cpu->is_waiting)
		return;
	x86_cpu_reset(x86, true);
	segment = real_segment(SIPI_CS(cpu->sipi_vector), RIGHTS_CODE);
	x86_set_segment(x86, X86_CS, &segment);
	x86->eip = x86->next_eip = 0;
	x86_mode_changed(x86);
	cpu->started = true;
	cpu->is_waiting = false;
}

/* The CPU that executes now may be this one, or keep this one from its turn. */
static void lapic_wake(void *ctx, unsigned cpu)
{
	(void)cpu;
	soft_break(ctx);
}

static void lapic_nmi(void *ctx, unsigned cpu)
{
	struct soft_engine *engine = ctx;

	engine->system.cpus[cpu].nmi_pending = true;
	soft_break(engine);
}

/* There is no system-management mode: an SMI is lost. */
static void lapic_smi(void *ctx, unsigned cpu)
{
	(void)ctx;
	(void)cpu;
}

static void lapic_init_cpu(void *ctx, unsigned cpu)
{
	struct soft_engine *engine = ctx;

	engine->cpus[cpu].init_pending = true;
	engine->cpus[cpu].sipi_pending = false;
	soft_break(engine);
}

static void lapic_sipi(void *ctx, unsigned cpu, uint8_t vector)
{
	struct soft_engine *engine = ctx;

	engine->cpus[cpu].sipi_pending = true;
	engine->cpus[cpu].sipi_vector = vector;
	soft_break(engine);
}

const struct lapic_ops soft_lapic_ops = {
	.wake = lapic_wake,
	.nmi = lapic_nmi,
	.smi = lapic_smi,
	.init = lapic_init_cpu,
	.sipi = lapic_sipi,
};
