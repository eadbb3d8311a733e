/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/stack.h"

#include <inttypes.h>
#include <stdio.h>

#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "layout.h"

/* An access belongs to the stack if it is at most so far below ESP, where the CPU pushes; or, while
 * ESP itself is where nothing can be written, at most so far above it, as in a large frame. */
#define BELOW_MAX 64u
#define ABOVE_MAX 0x10000u

/* Addresses from here on are those of a stack that has grown past 0: there is no memory up
 * there. */
#define WRAPPED_MIN 0xffff0000u

/* And from here on those of a stack that began at 0, where nothing has set ESP. */
#define ZERO_MIN 0xffffffc0u

/* What an exception pushes: EFLAGS, CS, EIP and perhaps an error code (Intel SDM 3, 6.12.1). */
#define DELIVERY_WORDS 4

/* Sets *esp to the guest-physical address that ESP points to. Returns false if it is not known. */
static bool find_stack_pointer(struct cpu *cpu, const struct cpu_registers *r, gpa_t *esp)
{
	uint64_t linear = r->ss.base + r->general[CPU_RSP];

	if (!(r->efer & X86_EFER_LMA))
		linear = (uint32_t)linear;
	return cpu->ops->translate(cpu, linear, esp) == 0;
}

static bool is_stack_access(const struct cpu *cpu, bool is_write, gpa_t gpa, gpa_t esp)
{
	if (is_write && (uint32_t)(esp - gpa) <= BELOW_MAX)
		return true;
	/* No frame begins at 0: what is used above it is a null pointer. */
	return esp != 0 && !cpu_memory_is_writable(cpu, esp) && (uint32_t)(gpa - esp) < ABOVE_MAX;
}

/* Whether the boot CPU's first stack, or a frame on it, has grown to an address. Other boards than
 * vole's own do not have it. */
static bool is_below_boot_stack(const struct cpu *cpu, gpa_t gpa)
{
	if (cpu_memory_is_writable(cpu, BOOT_STACK - 1) || !cpu_memory_is_writable(cpu, BOOT_STACK))
		return false;
	return gpa < BOOT_STACK || (cpu->id == 0 && gpa >= WRAPPED_MIN && gpa < ZERO_MIN);
}

/* Says what is wrong with the stack, that has been used at an address. */
static void explain(struct cpu *cpu, const struct cpu_registers *r, gpa_t gpa, gpa_t esp,
	struct stack_text *explanation)
{
	char *text = explanation->text;
	size_t size = sizeof explanation->text;
	gpa_t above = (gpa | (PAGE_SIZE - 1)) + 1;
	struct place place = place_of(cpu, r->cs.base + r->rip);

	if (is_below_boot_stack(cpu, gpa))
		snprintf(text, size, "the boot stack (0x%x to 0x%x) has overflowed at %s",
			BOOT_STACK, BOOT_STACK_TOP - 1, place.text);
	else if (cpu->id != 0 && gpa >= WRAPPED_MIN)
		snprintf(text, size, "CPU %u uses a stack at %s, but was started without one",
			cpu->id, place.text);
	else if (cpu_memory_is_writable(cpu, above))
		snprintf(text, size,
			"the stack that begins at 0x%08" PRIx64 " has overflowed at %s", above,
			place.text);
	else
		snprintf(text, size, "ESP is 0x%08" PRIx64 " at %s, where no stack can be", esp,
			place.text);
}

bool stack_explain(
	struct cpu *cpu, bool is_write, const struct store *access, struct stack_text *explanation)
{
	struct cpu_registers r;
	gpa_t esp;

	if (cpu->ops->registers(cpu, &r) < 0 || !find_stack_pointer(cpu, &r, &esp) ||
		!is_stack_access(cpu, is_write, access->gpa, esp))
		return false;
	if (is_write && !cpu->ops->position_is_exact)
		store_find(cpu, &r, access);
	explain(cpu, &r, access->gpa, esp, explanation);
	return true;
}

bool stack_explain_delivery(
	struct cpu *cpu, const struct cpu_registers *r, struct stack_text *explanation)
{
	gpa_t esp, gpa;

	if (!(r->cr0 & X86_CR0_PE) || r->efer & X86_EFER_LMA || X86_RPL(r->cs.selector) ||
		!find_stack_pointer(cpu, r, &esp))
		return false;
	for (unsigned word = 1; word <= DELIVERY_WORDS; word++) {
		gpa = (uint32_t)(esp - 4 * word);
		if (cpu_memory_is_writable(cpu, gpa))
			continue;
		explain(cpu, r, gpa, esp, explanation);
		return true;
	}
	return false;
}
