/* SPDX-License-Identifier: BSD-2-Clause */
#include "idt.h"

#include <vole/machine.h>
#include <vole/start_info.h>

#include "irq.h"
#include "power.h"
#include "printf.h"
#include "vectors.h"
#include "x86.h"

#define EXCEPTIONS           32
#define EXCEPTION_PAGE_FAULT 14
#define STUB_SIZE            16     /* of each in trap.S */
#define GATE_INTERRUPT       0x8e00 /* present, 32 bits, interrupts off on entry (SDM 3, 6.11) */
#define EXIT_CODE_EXCEPTION  100
#define EXIT_CODE_MAX        119

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t attributes;
	uint16_t offset_high;
};

struct table_register {
	uint16_t limit; /* bytes - 1 */
	uint32_t base;
} __attribute__((packed));

static struct gate idt[VECTOR_COUNT];
static trap_handler *exception_handlers[EXCEPTIONS];

static const char *const exception_names[EXCEPTIONS] = {
	[0] = "divide error",
	[1] = "debug",
	[2] = "NMI",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "invalid opcode",
	[7] = "no coprocessor",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack fault",
	[13] = "general protection",
	[14] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD error",
};

extern const char trap_stubs[];

/* The gate to the vector's stub in trap.S. */
static struct gate own_gate(unsigned vector)
{
	uint32_t stub = (uint32_t)trap_stubs + vector * STUB_SIZE;

	return (struct gate){
		.offset_low = (uint16_t)stub,
		.selector = VOLE_SELECTOR_CODE,
		.attributes = GATE_INTERRUPT,
		.offset_high = (uint16_t)(stub >> 16),
	};
}

/* The table that vole has loaded, or NULL under another VMM: that has none of just this size. */
static const struct gate *vole_idt(void)
{
	struct table_register idtr;
	const struct gate *gates;

	__asm__ volatile("sidt %0" : "=m"(idtr));
	if (idtr.limit != VOLE_IDT_VECTORS * sizeof(struct gate) - 1)
		return NULL;
	gates = (const struct gate *)idtr.base;
	return gates[0].attributes == GATE_INTERRUPT && gates[0].selector == VOLE_SELECTOR_CODE
		       ? gates
		       : NULL;
}

void idt_init(void)
{
	const struct gate *gates = vole_idt();

	for (unsigned i = 0; i < VECTOR_COUNT; i++)
		idt[i] = gates && i < EXCEPTIONS ? gates[i] : own_gate(i);
	idt_load();
}

void idt_load(void)
{
	struct table_register idtr = {.limit = sizeof(idt) - 1, .base = (uint32_t)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void exception_handle(unsigned vector, trap_handler *handler)
{
	exception_handlers[vector] = handler;
	idt[vector] = own_gate(vector);
}

/* Nobody knows what to do about this exception, nor does the VMM. Nothing is certain now, so it
 * goes the shortest way out: the debug port. */
_Noreturn static void report(const struct trap_frame *frame)
{
	const char *name = exception_names[frame->vector];
	uint32_t code = EXIT_CODE_EXCEPTION + frame->vector;

	printf_emergency();
	printf("\nexception %u (%s) on CPU %u, error code 0x%x", frame->vector,
		name ? name : "reserved", irq_this_cpu(), frame->error_code);
	if (frame->vector == EXCEPTION_PAGE_FAULT)
		printf(", address 0x%08x", read_cr2());
	printf("\n  eip %08x  cs  %08x  eflags %08x\n", frame->eip, frame->cs, frame->eflags);
	printf("  eax %08x  ebx %08x  ecx %08x  edx %08x\n", frame->eax, frame->ebx, frame->ecx,
		frame->edx);
	/* The frame is on the stack that was interrupted: there it began where the frame ends. */
	printf("  esi %08x  edi %08x  ebp %08x  esp %08x\n", frame->esi, frame->edi, frame->ebp,
		(uint32_t)(frame + 1));
	power_off(code < EXIT_CODE_MAX ? code : EXIT_CODE_MAX);
}

void trap(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_IRQ_FIRST)
		irq_handle(frame->vector - VECTOR_IRQ_FIRST);
	else if (exception_handlers[frame->vector])
		exception_handlers[frame->vector](frame);
	else
		report(frame);
}
