/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/control.h"
#include "x86/frame.h"
#include "x86/operands.h"
#include "x86/physical.h"
#include "x86/segment.h"
#include "x86/task.h"

/* An interrupt or exception on its way to the handler. */
struct delivery {
	unsigned vector;
	enum x86_interrupt_kind kind;
	unsigned ext; /* bit 0 of error codes: not of the program's own will (SDM 3, 6.13) */
	bool has_error;
	uint32_t error;
	uint32_t eip; /* to return to */
};

/* Bit 1 of an error code: the index is one into the IDT (SDM 3, 6.13). */
#define ERROR_IDT 2u

static uint32_t idt_error(const struct delivery *delivery)
{
	return delivery->vector << 3 | ERROR_IDT | delivery->ext;
}

/* What a gate clears (SDM 3, 6.12.1.3); IF goes if it is an interrupt gate's. */
static void enter_handler(struct x86_cpu *cpu, bool masks_interrupts)
{
	cpu->eflags &= ~(X86_TF | X86_NT | X86_RF | X86_VM);
	if (masks_interrupts)
		cpu->eflags &= ~X86_IF;
}

/* EFLAGS as it is pushed. RF is set for a fault, so that its handler returns past an instruction
 * breakpoint (SDM 3, 18.3.1.1). */
static uint32_t flags_image(const struct x86_cpu *cpu, const struct delivery *delivery)
{
	uint32_t flags = x86_eflags(cpu) & ~X86_RF;

	return delivery->kind == X86_FAULT ? flags | X86_RF : flags;
}

/* SDM 3, 20.1.4. There are no error codes in real mode. */
static void deliver_real(struct x86_cpu *cpu, const struct delivery *delivery)
{
	struct x86_stack stack = x86_current_stack(cpu, 0);
	uint32_t frame[3], target;

	if (delivery->vector * 4 + 3 > cpu->idtr.limit)
		x86_raise_code(cpu, X86_GP, idt_error(delivery));
	target = (uint32_t)x86_load_linear(cpu,
		(cpu->idtr.base + delivery->vector * 4) & X86_LINEAR_MASK, 4,
		X86_READ | X86_SYSTEM);
	frame[0] = flags_image(cpu, delivery);
	frame[1] = cpu->segment[X86_CS].selector;
	frame[2] = delivery->eip;
	x86_stack_push(cpu, &stack, frame, 3, 2);
	cpu->reg[X86_RSP] = stack.esp;
	x86_load_real(cpu, X86_CS, (uint16_t)(target >> 16));
	cpu->next_eip = target & 0xffff;
	enter_handler(cpu, true);
	cpu->eflags &= ~X86_AC;
}

/* Read and check the gate (SDM 3, 6.12.1). */
static struct x86_descriptor read_gate(struct x86_cpu *cpu, const struct delivery *delivery)
{
	uint32_t offset = delivery->vector * 8;
	struct x86_descriptor gate;
	uint64_t value;
	uint16_t rights;

	if (offset + 7 > cpu->idtr.limit)
		x86_raise_code(cpu, X86_GP, idt_error(delivery));
	gate.linear = (cpu->idtr.base + offset) & X86_LINEAR_MASK;
	value = x86_load_linear(cpu, gate.linear, 8, X86_READ | X86_SYSTEM);
	gate.low = (uint32_t)value;
	gate.high = (uint32_t)(value >> 32);

	switch (x86_descriptor_type(&gate)) {
	case X86_TYPE_TASK:
	case X86_TYPE_INTERRUPT_16:
	case X86_TYPE_TRAP_16:
	case X86_TYPE_INTERRUPT_32:
	case X86_TYPE_TRAP_32:
		break;
	default:
		x86_raise_code(cpu, X86_GP, idt_error(delivery));
	}
	rights = x86_descriptor_rights(&gate);
	if (delivery->kind == X86_SOFTWARE && X86_SEGMENT_DPL(rights) < cpu->cpl)
		x86_raise_code(cpu, X86_GP, idt_error(delivery));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, idt_error(delivery));
	return gate;
}

/* The handler's code segment. */
static struct x86_descriptor read_handler(
	struct x86_cpu *cpu, uint16_t selector, const struct delivery *delivery)
{
	struct x86_descriptor code;
	uint16_t rights;

	x86_need_descriptor(cpu, selector, &code, X86_GP, delivery->ext);
	rights = x86_descriptor_rights(&code);
	if (!x86_is_code(rights) || X86_SEGMENT_DPL(rights) > cpu->cpl)
		x86_raise_code(cpu, X86_GP, X86_ERROR(selector, delivery->ext));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(selector, delivery->ext));
	return code;
}

/* The stack of inner level cpl, as the TSS has it (SDM 3, 6.12.1). */
static struct x86_stack inner_stack(struct x86_cpu *cpu, unsigned cpl, unsigned ext)
{
	struct x86_stack stack = {.access = X86_SYSTEM};
	uint16_t selector;

	x86_tss_stack(cpu, cpl, ext, &selector, &stack.esp);
	stack.segment = x86_check_stack(cpu, selector, cpl, X86_TS, ext);
	stack.error = X86_ERROR(selector, ext);
	return stack;
}

/* Through an interrupt or trap gate (SDM 3, 6.12.1). */
static void deliver_by_gate(
	struct x86_cpu *cpu, const struct x86_descriptor *gate, const struct delivery *delivery)
{
	unsigned type = x86_descriptor_type(gate);
	uint16_t selector = x86_gate_selector(gate);
	struct x86_descriptor code = read_handler(cpu, selector, delivery);
	uint16_t rights = x86_descriptor_rights(&code);
	bool is_inner = !x86_is_conforming(rights) && X86_SEGMENT_DPL(rights) < cpu->cpl;
	unsigned cpl = is_inner ? X86_SEGMENT_DPL(rights) : cpu->cpl;
	struct x86_stack stack = is_inner ? inner_stack(cpu, cpl, delivery->ext)
					  : x86_current_stack(cpu, delivery->ext);
	struct x86_segment segment = x86_segment_of(selector, &code);
	uint32_t frame[6];
	unsigned count = 0;

	if (!x86_is_within(&segment, x86_gate_offset(gate), 1))
		x86_raise_code(cpu, X86_GP, delivery->ext);
	if (is_inner) {
		frame[count++] = cpu->segment[X86_SS].selector;
		frame[count++] = (uint32_t)cpu->reg[X86_RSP];
	}
	frame[count++] = flags_image(cpu, delivery);
	frame[count++] = cpu->segment[X86_CS].selector;
	frame[count++] = delivery->eip;
	if (delivery->has_error)
		frame[count++] = delivery->error;
	x86_mark_accessed(cpu, &code);
	x86_stack_push(cpu, &stack, frame, count, type & X86_TYPE_IS_32 ? 4 : 2);

	/* Nothing can fault from here on. */
	x86_load_code(cpu, selector, &code, cpl, x86_gate_offset(gate));
	x86_set_segment(cpu, X86_SS, &stack.segment);
	cpu->reg[X86_RSP] = stack.esp;
	enter_handler(cpu, type == X86_TYPE_INTERRUPT_16 || type == X86_TYPE_INTERRUPT_32);
}

void x86_interrupt(struct x86_cpu *cpu, unsigned vector, enum x86_interrupt_kind kind,
	bool has_error, uint32_t error)
{
	struct delivery delivery = {
		.vector = vector,
		.kind = kind,
		.ext = kind != X86_SOFTWARE,
		.has_error = has_error,
		.error = error,
		.eip = (uint32_t)(kind == X86_FAULT ? cpu->eip : cpu->next_eip),
	};
	struct x86_descriptor gate;

	if (!x86_is_protected(cpu)) {
		deliver_real(cpu, &delivery);
		return;
	}
	gate = read_gate(cpu, &delivery);
	if (x86_descriptor_type(&gate) == X86_TYPE_TASK)
		x86_task_gate(cpu, &gate,
			&(struct x86_task_switch){
				.reason = X86_TASK_INTERRUPT,
				.ext = delivery.ext,
				.eip = delivery.eip,
				.has_error = has_error,
				.error = error,
			});
	else
		deliver_by_gate(cpu, &gate, &delivery);
	/* The handler of #DB may access debug registers (SDM 3, 18.2.4). */
	if (vector == X86_DB && kind != X86_SOFTWARE)
		cpu->dr[7] &= ~(uint64_t)X86_DR7_GD;
}

/* --- instructions ----------------------------------------------------------------------------- */

void x86_op_int3(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_interrupt(cpu, X86_BP, X86_SOFTWARE, false, 0);
}

void x86_op_int(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_interrupt(cpu, operands->immediate & 0xff, X86_SOFTWARE, false, 0);
}

void x86_op_into(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	if (x86_eflags(cpu) & X86_OF)
		x86_interrupt(cpu, X86_OF_TRAP, X86_SOFTWARE, false, 0);
}

/* INT1 checks no DPL, as an interrupt from outside (SDM 2, INT). */
void x86_op_int1(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	(void)operands;
	x86_interrupt(cpu, X86_DB, X86_TRAP, false, 0);
}
