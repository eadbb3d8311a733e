/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/frame.h"
#include "x86/iret.h"
#include "x86/operands.h"
#include "x86/segment.h"
#include "x86/task.h"

/* A far JMP or CALL in the making. */
struct transfer {
	bool is_call;
	uint16_t selector;
	uint32_t eip;  /* where to */
	unsigned size; /* bytes of what CALL pushes: 2 or 4 */
};

/* CS and EIP for the return, on the current stack. */
static void push_return(struct x86_cpu *cpu, unsigned size)
{
	struct x86_stack stack = x86_current_stack(cpu, 0);
	uint32_t frame[2] = {cpu->segment[X86_CS].selector, (uint32_t)cpu->next_eip};

	x86_stack_push(cpu, &stack, frame, 2, size);
	cpu->reg[X86_RSP] = stack.esp;
}

static void transfer_real(struct x86_cpu *cpu, const struct transfer *to)
{
	if (!x86_is_within(&cpu->segment[X86_CS], to->eip, 1))
		x86_raise_code(cpu, X86_GP, 0);
	if (to->is_call)
		push_return(cpu, to->size);
	x86_load_real(cpu, X86_CS, to->selector);
	cpu->next_eip = to->eip;
}

/* To code of the same privilege, which all checks allow but that of the limit. */
static void transfer_same(
	struct x86_cpu *cpu, const struct transfer *to, struct x86_descriptor *code)
{
	struct x86_segment segment = x86_segment_of(to->selector, code);

	if (!x86_is_within(&segment, to->eip, 1))
		x86_raise_code(cpu, X86_GP, 0);
	x86_mark_accessed(cpu, code);
	if (to->is_call)
		push_return(cpu, to->size);
	x86_load_code(cpu, to->selector, code, cpu->cpl, to->eip);
}

/* Without a gate (SDM 3, 5.8.1). */
static void transfer_direct(
	struct x86_cpu *cpu, const struct transfer *to, struct x86_descriptor *code)
{
	uint16_t rights = x86_descriptor_rights(code);
	unsigned dpl = X86_SEGMENT_DPL(rights);

	if (!x86_is_code(rights) ||
		(x86_is_conforming(rights) ? dpl > cpu->cpl
					   : dpl != cpu->cpl || X86_RPL(to->selector) > cpu->cpl))
		x86_raise_code(cpu, X86_GP, X86_ERROR(to->selector, 0));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(to->selector, 0));
	transfer_same(cpu, to, code);
}

/* Parameters that a call gate can copy (SDM 3, 5.8.3). */
#define PARAMETERS_MAX 31

/* CALL through a gate to an inner level: its stack gets SS and ESP, the parameters in the order in
 * which they lie, and the return (SDM 3, 5.8.5). */
static void call_inner(struct x86_cpu *cpu, const struct transfer *to, struct x86_descriptor *code,
	unsigned parameters)
{
	unsigned cpl = X86_SEGMENT_DPL(x86_descriptor_rights(code));
	struct x86_segment segment = x86_segment_of(to->selector, code);
	struct x86_stack stack = {.access = X86_SYSTEM};
	uint32_t frame[PARAMETERS_MAX + 4];
	unsigned count = 0;
	uint16_t selector;

	x86_tss_stack(cpu, cpl, 0, &selector, &stack.esp);
	stack.segment = x86_check_stack(cpu, selector, cpl, X86_TS, 0);
	stack.error = X86_ERROR(selector, 0);
	if (!x86_is_within(&segment, to->eip, 1))
		x86_raise_code(cpu, X86_GP, 0);
	frame[count++] = cpu->segment[X86_SS].selector;
	frame[count++] = (uint32_t)cpu->reg[X86_RSP];
	for (unsigned i = parameters; i-- > 0;)
		frame[count++] = x86_stack_peek(cpu, i * to->size, to->size);
	frame[count++] = cpu->segment[X86_CS].selector;
	frame[count++] = (uint32_t)cpu->next_eip;
	x86_mark_accessed(cpu, code);
	x86_stack_push(cpu, &stack, frame, count, to->size);

	x86_load_code(cpu, to->selector, code, cpl, to->eip);
	x86_set_segment(cpu, X86_SS, &stack.segment);
	cpu->reg[X86_RSP] = stack.esp;
}

/* SDM 3, 5.8.4. The gate's own privilege and presence have been checked. */
static void transfer_by_gate(
	struct x86_cpu *cpu, const struct transfer *from, const struct x86_descriptor *gate)
{
	struct transfer to = {
		.is_call = from->is_call,
		.selector = x86_gate_selector(gate),
		.eip = x86_gate_offset(gate),
		.size = gate->high >> 8 & X86_TYPE_IS_32 ? 4 : 2,
	};
	struct x86_descriptor code;
	uint16_t rights;
	bool is_inner;

	x86_need_descriptor(cpu, to.selector, &code, X86_GP, 0);
	rights = x86_descriptor_rights(&code);
	is_inner = !x86_is_conforming(rights) && X86_SEGMENT_DPL(rights) < cpu->cpl;
	if (!x86_is_code(rights) || X86_SEGMENT_DPL(rights) > cpu->cpl || (is_inner && !to.is_call))
		x86_raise_code(cpu, X86_GP, X86_ERROR(to.selector, 0));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(to.selector, 0));
	if (is_inner)
		call_inner(cpu, &to, &code, gate->high & PARAMETERS_MAX);
	else
		transfer_same(cpu, &to, &code);
}

/* To a gate or a task: DPL must allow both CPL and RPL. Returns if there is such a thing. */
static void check_system(
	struct x86_cpu *cpu, const struct transfer *to, const struct x86_descriptor *descriptor)
{
	unsigned dpl = X86_SEGMENT_DPL(x86_descriptor_rights(descriptor));

	switch (x86_descriptor_type(descriptor)) {
	case X86_TYPE_CALL_16:
	case X86_TYPE_CALL_32:
	case X86_TYPE_TASK:
	case X86_TYPE_TSS_16:
	case X86_TYPE_TSS_32:
		if (dpl >= cpu->cpl && dpl >= X86_RPL(to->selector))
			break;
		/* fallthrough */
	default:
		x86_raise_code(cpu, X86_GP, X86_ERROR(to->selector, 0));
	}
	if (!(descriptor->high >> 8 & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(to->selector, 0));
}

static void transfer(struct x86_cpu *cpu, const struct transfer *to)
{
	struct x86_task_switch how = {
		.reason = to->is_call ? X86_TASK_CALL : X86_TASK_JUMP,
		.eip = (uint32_t)cpu->next_eip,
	};
	struct x86_descriptor descriptor;

	if (!x86_is_protected(cpu)) {
		transfer_real(cpu, to);
		return;
	}
	x86_need_descriptor(cpu, to->selector, &descriptor, X86_GP, 0);
	if (x86_descriptor_rights(&descriptor) & X86_SEGMENT_S) {
		transfer_direct(cpu, to, &descriptor);
		return;
	}
	check_system(cpu, to, &descriptor);
	switch (x86_descriptor_type(&descriptor)) {
	case X86_TYPE_CALL_16:
	case X86_TYPE_CALL_32:
		transfer_by_gate(cpu, to, &descriptor);
		break;
	case X86_TYPE_TASK:
		x86_task_gate(cpu, &descriptor, &how);
		break;
	default:
		x86_task_switch(cpu, to->selector, &descriptor, &how);
	}
}

/* --- instructions ----------------------------------------------------------------------------- */

/* ptr16:16 and ptr16:32. */
static void transfer_immediate(
	struct x86_cpu *cpu, const struct x86_operands *operands, bool is_call)
{
	unsigned size = operands->operand_size;
	struct transfer to = {
		.is_call = is_call,
		.selector = operands->selector,
		.eip = size == 2 ? operands->immediate & 0xffff : operands->immediate,
		.size = size,
	};

	transfer(cpu, &to);
}

/* m16:16 and m16:32. */
static void transfer_memory(struct x86_cpu *cpu, const struct x86_operands *operands, bool is_call)
{
	struct transfer to = {.is_call = is_call, .size = operands->operand_size};

	x86_read_far_pointer(cpu, operands, &to.selector, &to.eip);
	transfer(cpu, &to);
}

void x86_op_far_jump(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	transfer_immediate(cpu, operands, false);
}

void x86_op_far_call(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	transfer_immediate(cpu, operands, true);
}

void x86_op_far_jump_memory(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	transfer_memory(cpu, operands, false);
}

void x86_op_far_call_memory(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	transfer_memory(cpu, operands, true);
}

/* RET without an immediate has 0. */
void x86_op_far_return(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	x86_return_far(cpu, operands->operand_size, operands->immediate & 0xffff);
}
