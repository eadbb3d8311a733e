/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/frame.h"

#include "x86/physical.h"

/* The bits of ESP that are the stack pointer (SDM 1, 6.2.3). */
static uint32_t pointer_mask(const struct x86_segment *stack)
{
	return stack->rights & X86_SEGMENT_DB ? 0xffffffff : 0xffff;
}

static uint32_t move_pointer(const struct x86_segment *stack, uint32_t esp, uint32_t change)
{
	uint32_t mask = pointer_mask(stack);

	return (esp & ~mask) | ((esp + change) & mask);
}

struct x86_stack x86_current_stack(const struct x86_cpu *cpu, uint32_t error)
{
	return (struct x86_stack){
		.segment = cpu->segment[X86_SS],
		.esp = (uint32_t)cpu->reg[X86_RSP],
		.error = error,
	};
}

static uint64_t stack_linear(
	struct x86_cpu *cpu, const struct x86_stack *stack, uint32_t esp, unsigned size)
{
	const struct x86_segment *segment = &stack->segment;
	uint32_t offset = esp & pointer_mask(segment);
	bool is_usable = !x86_is_protected(cpu) ||
			 (segment->rights & X86_SEGMENT_P && x86_is_writable_data(segment->rights));

	if (!is_usable || !x86_is_within(segment, offset, size))
		x86_raise_code(cpu, X86_SS_FAULT, stack->error);
	return (segment->base + offset) & X86_LINEAR_MASK;
}

void x86_stack_push(struct x86_cpu *cpu, struct x86_stack *stack, const uint32_t *values,
	unsigned count, unsigned size)
{
	uint32_t esp = stack->esp;

	for (unsigned i = 0; i < count; i++) {
		esp = move_pointer(&stack->segment, esp, -size);
		x86_check_write(cpu, stack_linear(cpu, stack, esp, size), size, stack->access);
	}
	for (unsigned i = 0; i < count; i++) {
		stack->esp = move_pointer(&stack->segment, stack->esp, -size);
		x86_store_linear(cpu, stack_linear(cpu, stack, stack->esp, size), values[i], size,
			X86_WRITE | stack->access);
	}
}

uint32_t x86_stack_peek(struct x86_cpu *cpu, uint32_t bytes, unsigned size)
{
	const struct x86_segment *segment = &cpu->segment[X86_SS];
	uint32_t esp = move_pointer(segment, (uint32_t)cpu->reg[X86_RSP], bytes);
	uint64_t linear = x86_linear(cpu, X86_SS, esp & pointer_mask(segment), size, X86_READ);

	return (uint32_t)x86_load_linear(cpu, linear, size, X86_READ);
}

void x86_set_esp(struct x86_cpu *cpu, uint32_t esp)
{
	uint32_t mask = pointer_mask(&cpu->segment[X86_SS]);

	cpu->reg[X86_RSP] = ((uint32_t)cpu->reg[X86_RSP] & ~mask) | (esp & mask);
}
