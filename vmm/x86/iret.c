/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/iret.h"

#include "x86/frame.h"
#include "x86/operands.h"
#include "x86/task.h"

/* A far return in the making. */
struct far_return {
	unsigned size; /* bytes of a stack entry */
	uint32_t eip;
	uint16_t selector;
	uint32_t flags; /* IRET */
	bool has_flags;
	uint32_t popped;  /* bytes of what the above took */
	uint32_t release; /* bytes of parameters above it, on both stacks */
};

/* EFLAGS as IRET pops it, at the privilege before the return (SDM 2, IRET). RF is not kept, since
 * there are no instruction breakpoints to suppress. */
static void restore_flags(struct x86_cpu *cpu, uint32_t flags, unsigned size)
{
	uint32_t mask = X86_ARITHMETIC | X86_TF | X86_DF | X86_NT;

	if (size == 4)
		mask |= X86_AC | X86_ID;
	if (cpu->cpl <= X86_IOPL(cpu->eflags))
		mask |= X86_IF;
	if (cpu->cpl == 0)
		mask |= X86_IOPL_MASK;
	x86_set_eflags(cpu, flags, mask);
}

static struct far_return peek_return(
	struct x86_cpu *cpu, unsigned size, uint32_t release, bool has_flags)
{
	struct far_return back = {.size = size, .release = release, .has_flags = has_flags};

	back.eip = x86_stack_peek(cpu, 0, size);
	back.selector = (uint16_t)x86_stack_peek(cpu, size, size);
	back.flags = has_flags ? x86_stack_peek(cpu, 2 * size, size) : 0;
	back.popped = (has_flags ? 3 : 2) * size;
	return back;
}

static void return_real(struct x86_cpu *cpu, const struct far_return *back)
{
	if (!x86_is_within(&cpu->segment[X86_CS], back->eip, 1))
		x86_raise_code(cpu, X86_GP, 0);
	x86_set_esp(cpu, (uint32_t)cpu->reg[X86_RSP] + back->popped + back->release);
	x86_load_real(cpu, X86_CS, back->selector);
	cpu->next_eip = back->eip;
	if (back->has_flags)
		restore_flags(cpu, back->flags, back->size);
}

/* The code segment that is returned to (SDM 2, RET and IRET). */
static struct x86_descriptor check_code(struct x86_cpu *cpu, uint16_t selector)
{
	struct x86_descriptor code;
	uint16_t rights;
	unsigned dpl;

	x86_need_descriptor(cpu, selector, &code, X86_GP, 0);
	rights = x86_descriptor_rights(&code);
	dpl = X86_SEGMENT_DPL(rights);
	if (!x86_is_code(rights) || X86_RPL(selector) < cpu->cpl ||
		(x86_is_conforming(rights) ? dpl > X86_RPL(selector) : dpl != X86_RPL(selector)))
		x86_raise_code(cpu, X86_GP, X86_ERROR(selector, 0));
	if (!(rights & X86_SEGMENT_P))
		x86_raise_code(cpu, X86_NP, X86_ERROR(selector, 0));
	return code;
}

/* A less privileged program must not keep a more privileged one's data segments. */
static void drop_inner_segments(struct x86_cpu *cpu)
{
	static const uint8_t numbers[] = {X86_ES, X86_DS, X86_FS, X86_GS};
	static const struct x86_segment null;

	for (unsigned i = 0; i < sizeof numbers; i++) {
		uint16_t rights = cpu->segment[numbers[i]].rights;

		if (rights & X86_SEGMENT_P && X86_SEGMENT_DPL(rights) < cpu->cpl &&
			!(x86_is_code(rights) && x86_is_conforming(rights)))
			x86_set_segment(cpu, numbers[i], &null);
	}
}

/* Finish a return, in whose way nothing can be any more. */
static void resume(
	struct x86_cpu *cpu, const struct far_return *back, const struct x86_descriptor *code)
{
	if (back->has_flags)
		restore_flags(cpu, back->flags, back->size);
	x86_load_code(cpu, back->selector, code, X86_RPL(back->selector), back->eip);
}

static void return_outer(
	struct x86_cpu *cpu, const struct far_return *back, struct x86_descriptor *code)
{
	uint32_t above = back->popped + back->release;
	uint32_t esp = x86_stack_peek(cpu, above, back->size);
	uint16_t selector = (uint16_t)x86_stack_peek(cpu, above + back->size, back->size);
	struct x86_segment stack =
		x86_check_stack(cpu, selector, X86_RPL(back->selector), X86_GP, 0);

	x86_mark_accessed(cpu, code);
	resume(cpu, back, code);
	x86_set_segment(cpu, X86_SS, &stack);
	x86_set_esp(cpu, esp + back->release);
	drop_inner_segments(cpu);
}

static void return_protected(struct x86_cpu *cpu, const struct far_return *back)
{
	struct x86_descriptor code = check_code(cpu, back->selector);
	struct x86_segment segment = x86_segment_of(back->selector, &code);

	if (!x86_is_within(&segment, back->eip, 1))
		x86_raise_code(cpu, X86_GP, 0);
	if (X86_RPL(back->selector) != cpu->cpl) {
		return_outer(cpu, back, &code);
		return;
	}
	x86_mark_accessed(cpu, &code);
	resume(cpu, back, &code);
	x86_set_esp(cpu, (uint32_t)cpu->reg[X86_RSP] + back->popped + back->release);
}

void x86_return_far(struct x86_cpu *cpu, unsigned size, uint32_t release)
{
	struct far_return back = peek_return(cpu, size, release, false);

	if (x86_is_protected(cpu))
		return_protected(cpu, &back);
	else
		return_real(cpu, &back);
}

void x86_op_iret(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct far_return back;

	if (x86_is_protected(cpu) && cpu->eflags & X86_NT) {
		x86_task_return(cpu);
		cpu->nmi_masked = false;
		return;
	}
	back = peek_return(cpu, operands->operand_size, 0, true);
	if (x86_is_protected(cpu)) {
		if (back.size == 4 && back.flags & X86_VM && cpu->cpl == 0)
			x86_refuse(cpu, X86_MISSING_VIRTUAL_8086);
		return_protected(cpu, &back);
	} else {
		return_real(cpu, &back);
	}
	/* IRET lets the next NMI in (SDM 3, 6.7.1). */
	cpu->nmi_masked = false;
}
