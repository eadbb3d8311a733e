/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/task.h"

#include "x86/control.h"
#include "x86/frame.h"
#include "x86/physical.h"

/* Offsets in a TSS (SDM 3, 8.2.1 and 8.6). Selectors are in the order of enum x86_segment_register,
 * general registers in that of enum x86_register. */
struct layout {
	uint8_t size;   /* bytes of a register, and of an error code */
	uint8_t stacks; /* ESP0 and SS0, then those of levels 1 and 2 */
	uint8_t eip, eflags, registers, selectors, ldt;
	uint8_t segments;         /* selectors that there are */
	uint8_t limit;            /* the least, in bytes less 1 */
	uint8_t saved, saved_end; /* what a switch away writes */
};

static const struct layout layout_16 = {2, 2, 0x0e, 0x10, 0x12, 0x22, 0x2a, 4, 0x2b, 0x0e, 0x2a};
static const struct layout layout_32 = {4, 4, 0x20, 0x24, 0x28, 0x48, 0x60, 6, 0x67, 0x20, 0x60};

/* In 32-bit TSSs alone. */
#define TSS_CR3    0x1c
#define TSS_TRAP   0x64 /* bit 0: debug trap */
#define TSS_IO_MAP 0x66

#define TSS_LINK 0x00

/* What a TSS holds of a task. */
struct task {
	uint32_t cr3, eip, eflags, reg[8];
	uint16_t selector[X86_SEGMENTS], ldt;
	bool traps;
};

static const struct layout *layout_of(uint16_t rights)
{
	return rights & X86_TYPE_IS_32 ? &layout_32 : &layout_16;
}

static uint32_t load(
	struct x86_cpu *cpu, const struct x86_segment *tss, uint32_t offset, unsigned size)
{
	return (uint32_t)x86_load_linear(
		cpu, (tss->base + offset) & X86_LINEAR_MASK, size, X86_READ | X86_SYSTEM);
}

static void store(struct x86_cpu *cpu, const struct x86_segment *tss, uint32_t offset,
	uint32_t value, unsigned size)
{
	x86_store_linear(
		cpu, (tss->base + offset) & X86_LINEAR_MASK, value, size, X86_WRITE | X86_SYSTEM);
}

/* --- what TR's TSS is asked for --------------------------------------------------------------- */

void x86_tss_stack(
	struct x86_cpu *cpu, unsigned cpl, unsigned ext, uint16_t *selector, uint32_t *esp)
{
	const struct layout *layout = layout_of(cpu->tr.rights);
	uint32_t offset = layout->stacks + cpl * 2 * layout->size;

	if (!(cpu->tr.rights & X86_SEGMENT_P) || offset + layout->size + 1 > cpu->tr.limit)
		x86_raise_code(cpu, X86_TS, X86_ERROR(cpu->tr.selector, ext));
	*esp = load(cpu, &cpu->tr, offset, layout->size);
	*selector = (uint16_t)load(cpu, &cpu->tr, offset + layout->size, 2);
}

void x86_check_port(struct x86_cpu *cpu, uint16_t port, unsigned len)
{
	const struct x86_segment *tss = &cpu->tr;
	uint32_t offset;

	if (!x86_is_protected(cpu) || cpu->cpl <= X86_IOPL(cpu->eflags))
		return;
	if (!(tss->rights & X86_SEGMENT_P) || !(tss->rights & X86_TYPE_IS_32) ||
		tss->limit < layout_32.limit)
		x86_raise_code(cpu, X86_GP, 0);
	/* Two bytes are read, since ports may be on both sides of a byte's end. */
	offset = load(cpu, tss, TSS_IO_MAP, 2) + port / 8;
	if (offset + 1 > tss->limit || load(cpu, tss, offset, 2) >> port % 8 & ((1u << len) - 1))
		x86_raise_code(cpu, X86_GP, 0);
}

/* --- the switch ------------------------------------------------------------------------------- */

/* SDM 3, 8.3, steps 3 and 4, and table 8-1. */
static void check_new_task(struct x86_cpu *cpu, uint16_t selector,
	const struct x86_descriptor *descriptor, const struct x86_task_switch *how)
{
	bool returns = how->reason == X86_TASK_RETURN;
	unsigned type = x86_descriptor_type(descriptor);
	struct x86_segment tss = x86_segment_of(selector, descriptor);
	uint32_t error = X86_ERROR(selector, how->ext);

	if (selector & X86_SELECTOR_TI ||
		(type | X86_TYPE_IS_32) != (X86_TYPE_TSS_32 | (returns ? X86_TYPE_BUSY : 0)))
		x86_raise_code(cpu, returns ? X86_TS : X86_GP, error);
	if (!(tss.rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, error);
	if (tss.limit < layout_of(tss.rights)->limit)
		x86_raise_code(cpu, X86_TS, error);
}

static void check_range(
	struct x86_cpu *cpu, const struct x86_segment *tss, uint32_t offset, unsigned size)
{
	x86_check_write(cpu, (tss->base + offset) & X86_LINEAR_MASK, size, X86_SYSTEM);
}

/* Write the old task's state to its TSS; the parts between are left alone (SDM 3, 8.3, step 8). */
static void save_task(
	struct x86_cpu *cpu, const struct x86_segment *tss, uint32_t eip, uint32_t eflags)
{
	const struct layout *layout = layout_of(tss->rights);
	unsigned size = layout->size;

	store(cpu, tss, layout->eip, eip, size);
	store(cpu, tss, layout->eflags, eflags, size);
	for (unsigned i = 0; i < 8; i++)
		store(cpu, tss, layout->registers + i * size, (uint32_t)cpu->reg[i], size);
	for (unsigned i = 0; i < layout->segments; i++)
		store(cpu, tss, layout->selectors + i * size, cpu->segment[i].selector, 2);
}

static struct task load_task(struct x86_cpu *cpu, const struct x86_segment *tss)
{
	const struct layout *layout = layout_of(tss->rights);
	unsigned size = layout->size;
	struct task task = {
		.eip = load(cpu, tss, layout->eip, size),
		.eflags = load(cpu, tss, layout->eflags, size),
		.ldt = (uint16_t)load(cpu, tss, layout->ldt, 2),
	};

	/* A 16-bit TSS leaves ones in the upper halves, as processors do; the SDM is silent. */
	for (unsigned i = 0; i < 8; i++)
		task.reg[i] = load(cpu, tss, layout->registers + i * size, size) |
			      (size == 2 ? 0xffff0000 : 0);
	for (unsigned i = 0; i < layout->segments; i++)
		task.selector[i] = (uint16_t)load(cpu, tss, layout->selectors + i * size, 2);
	if (size == 4) {
		task.cr3 = load(cpu, tss, TSS_CR3, 4);
		task.traps = load(cpu, tss, TSS_TRAP, 2) & 1;
	}
	return task;
}

/* The byte with the type, in which a TSS is busy or not. */
static void check_busy(struct x86_cpu *cpu, const struct x86_descriptor *descriptor)
{
	x86_check_write(cpu, (descriptor->linear + 5) & X86_LINEAR_MASK, 1, X86_SYSTEM);
}

/* JMP and IRET leave the old task for good, all but IRET make the new one busy (SDM 3, table 7-2).
 * The old descriptor may have gone since LTR. */
static void move_busy(
	struct x86_cpu *cpu, struct x86_descriptor *descriptor, const struct x86_task_switch *how)
{
	bool leaves = how->reason == X86_TASK_JUMP || how->reason == X86_TASK_RETURN;
	struct x86_descriptor old;

	leaves = leaves && x86_read_descriptor(cpu, cpu->tr.selector, &old);
	if (leaves)
		check_busy(cpu, &old);
	if (how->reason != X86_TASK_RETURN)
		check_busy(cpu, descriptor);
	if (leaves)
		x86_mark_busy(cpu, &old, false);
	if (how->reason != X86_TASK_RETURN)
		x86_mark_busy(cpu, descriptor, true);
}

/* General registers, EFLAGS and selectors, with nothing behind the selectors as yet: faults from
 * here on are those of the new task (SDM 3, 8.3, step 12). */
static void load_registers(struct x86_cpu *cpu, const struct task *task, uint32_t eflags)
{
	for (unsigned i = 0; i < 8; i++)
		cpu->reg[i] = task->reg[i];
	for (unsigned i = 0; i < X86_SEGMENTS; i++)
		x86_set_segment(cpu, i, &(struct x86_segment){.selector = task->selector[i]});
	cpu->ldtr = (struct x86_segment){.selector = task->ldt};
	x86_set_eflags(cpu, eflags,
		X86_ARITHMETIC | X86_TF | X86_IF | X86_DF | X86_IOPL_MASK | X86_NT | X86_AC |
			X86_ID);
	x86_set_cpl(cpu, X86_RPL(task->selector[X86_CS]));
	/* The instruction that switched is over: what is raised from here on is the next one's. */
	cpu->insn = NULL;
	cpu->eip = task->eip;
	cpu->next_eip = task->eip;
	cpu->dr[7] &= ~UINT64_C(0x155); /* L0 to L3 and LE */
}

static void load_ldt(struct x86_cpu *cpu, uint16_t selector, unsigned ext)
{
	struct x86_descriptor ldt;

	if (X86_IS_NULL(selector))
		return;
	if (selector & X86_SELECTOR_TI || !x86_read_descriptor(cpu, selector, &ldt) ||
		x86_descriptor_type(&ldt) != X86_TYPE_LDT ||
		!(x86_descriptor_rights(&ldt) & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_TS, X86_ERROR(selector, ext));
	cpu->ldtr = x86_segment_of(selector, &ldt);
}

static void load_code(struct x86_cpu *cpu, uint16_t selector, unsigned ext)
{
	struct x86_descriptor code;
	uint16_t rights;
	unsigned dpl;

	x86_need_descriptor(cpu, selector, &code, X86_TS, ext);
	rights = x86_descriptor_rights(&code);
	dpl = X86_SEGMENT_DPL(rights);
	if (!x86_is_code(rights) || (x86_is_conforming(rights) ? dpl > cpu->cpl : dpl != cpu->cpl))
		x86_raise_code(cpu, X86_TS, X86_ERROR(selector, ext));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(selector, ext));
	x86_mark_accessed(cpu, &code);
	x86_load_code(cpu, selector, &code, cpu->cpl, (uint32_t)cpu->eip);
}

/* SDM 3, table 8-1, from the LDT on. */
static void load_segments(struct x86_cpu *cpu, const struct task *task, unsigned ext)
{
	static const uint8_t data[] = {X86_DS, X86_ES, X86_FS, X86_GS};
	struct x86_segment segment;

	load_ldt(cpu, task->ldt, ext);
	load_code(cpu, task->selector[X86_CS], ext);
	segment = x86_check_stack(cpu, task->selector[X86_SS], cpu->cpl, X86_TS, ext);
	x86_set_segment(cpu, X86_SS, &segment);
	for (unsigned i = 0; i < sizeof data; i++) {
		segment = x86_check_data(cpu, task->selector[data[i]], X86_TS, ext);
		x86_set_segment(cpu, data[i], &segment);
	}
}

/* The new task's own: it may fault, and then has begun. */
static void begin_task(
	struct x86_cpu *cpu, const struct task *task, bool is_32, const struct x86_task_switch *how)
{
	if (is_32 && cpu->cr0 & X86_CR0_PG)
		x86_load_cr3(cpu, task->cr3);
	load_segments(cpu, task, how->ext);
	if (how->has_error) {
		struct x86_stack stack = x86_current_stack(cpu, how->ext);

		x86_stack_push(cpu, &stack, &how->error, 1, is_32 ? 4 : 2);
		cpu->reg[X86_RSP] = stack.esp;
	}
	if (!x86_is_within(&cpu->segment[X86_CS], task->eip, 1))
		x86_raise_code(cpu, X86_GP, how->ext);
	if (task->traps) {
		cpu->dr[6] |= X86_DR6_BT;
		x86_raise(cpu, X86_DB);
	}
}

void x86_task_switch(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor,
	const struct x86_task_switch *how)
{
	bool nests = how->reason == X86_TASK_CALL || how->reason == X86_TASK_INTERRUPT;
	uint32_t eflags = x86_eflags(cpu);
	struct x86_segment tss, old = cpu->tr;
	const struct layout *layout = layout_of(old.rights);
	struct task task;
	bool is_32;

	check_new_task(cpu, selector, descriptor, how);
	tss = x86_segment_of(selector, descriptor);
	tss.rights |= X86_TYPE_BUSY;
	is_32 = tss.rights & X86_TYPE_IS_32;

	/* Whatever can fault in the old task does so before the first write. */
	load_task(cpu, &tss);
	check_range(cpu, &old, layout->saved, layout->saved_end - layout->saved);
	if (nests)
		check_range(cpu, &tss, TSS_LINK, 2);
	move_busy(cpu, descriptor, how);

	if (how->reason == X86_TASK_RETURN)
		eflags &= ~X86_NT;
	cpu->saves_task = true;
	save_task(cpu, &old, how->eip, eflags);
	if (nests)
		store(cpu, &tss, TSS_LINK, old.selector, 2);
	cpu->saves_task = false;
	task = load_task(cpu, &tss);
	if (is_32 && task.eflags & X86_VM)
		x86_refuse(cpu, X86_MISSING_VIRTUAL_8086);
	cpu->tr = tss;
	cpu->cr0 |= X86_CR0_TS;
	load_registers(cpu, &task, nests ? task.eflags | X86_NT : task.eflags);
	begin_task(cpu, &task, is_32, how);
}

void x86_task_gate(
	struct x86_cpu *cpu, const struct x86_descriptor *gate, const struct x86_task_switch *how)
{
	uint16_t selector = x86_gate_selector(gate);
	struct x86_descriptor tss;

	if (selector & X86_SELECTOR_TI)
		x86_raise_code(cpu, X86_GP, X86_ERROR(selector, how->ext));
	x86_need_descriptor(cpu, selector, &tss, X86_GP, how->ext);
	x86_task_switch(cpu, selector, &tss, how);
}

void x86_task_return(struct x86_cpu *cpu)
{
	struct x86_task_switch how = {.reason = X86_TASK_RETURN, .eip = (uint32_t)cpu->next_eip};
	uint16_t selector = (uint16_t)load(cpu, &cpu->tr, TSS_LINK, 2);
	struct x86_descriptor tss;

	if (selector & X86_SELECTOR_TI)
		x86_raise_code(cpu, X86_TS, X86_ERROR(selector, 0));
	x86_need_descriptor(cpu, selector, &tss, X86_TS, 0);
	x86_task_switch(cpu, selector, &tss, &how);
}
