/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/fault.h"

#include <inttypes.h>
#include <stdio.h>

#include "cpu/page_walk.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"

const char *exception_name(unsigned vector)
{
	static const char *const names[] = {"divide error", "debug exception",
		"non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
		"invalid opcode", "device not available", "double fault", NULL, "invalid TSS",
		"segment not present", "stack-segment fault", "general protection", "page fault",
		NULL, "x87 floating-point error", "alignment check", "machine check",
		"SIMD floating-point error", "virtualization exception",
		"control protection exception"};

	if (vector < sizeof names / sizeof *names && names[vector])
		return names[vector];
	return "interrupt";
}

struct gate_text fault_gate(unsigned vector)
{
	struct gate_text gate;

	snprintf(gate.text, sizeof gate.text,
		vector < FAULT_FIRST_INTERRUPT ? "gate %u" : "gate 0x%02x", vector);
	return gate;
}

/* Error codes of the exceptions from this vector to general protection's name a selector or a gate
 * (Intel SDM 3, 6.13). */
#define INVALID_TSS 10

/* Opcodes behind 0x0f */
#define WRMSR 0x30
#define RDMSR 0x32

struct fault_text fault_name(const struct cpu_fault *fault)
{
	struct fault_text name;
	unsigned index = fault->error >> 3 & 0x1fff;
	int len = snprintf(name.text, sizeof name.text, "%s (%u)", exception_name(fault->vector),
		fault->vector);

	if (fault->has_error)
		len += snprintf(name.text + len, sizeof name.text - (size_t)len,
			", error code 0x%x", fault->error);
	if (!fault->has_error || fault->vector < INVALID_TSS ||
		fault->vector > FAULT_GENERAL_PROTECTION || fault->error == 0)
		return name;
	if (fault->error & FAULT_ERROR_IDT)
		snprintf(name.text + len, sizeof name.text - (size_t)len, ": %s",
			fault_gate(index).text);
	else
		snprintf(name.text + len, sizeof name.text - (size_t)len, ": selector 0x%x%s",
			fault->error & 0xfff8, fault->error & FAULT_ERROR_TI ? " in the LDT" : "");
	return name;
}

/* Describes the access that a page fault refused: "write to 0xdead0000, not mapped: ...". */
static void describe_access(struct cpu *cpu, const struct cpu_fault *fault,
	const struct cpu_registers *r, char *text, size_t size)
{
	struct page_walk walk;
	char why[160];

	if (r && page_walk(cpu->gmem, r, fault->cr2, fault->error, &walk))
		page_walk_explain(&walk, fault->error, why, sizeof why);
	else
		snprintf(why, sizeof why, "%s",
			fault->error & PAGE_FAULT_PRESENT ? "not permitted" : "not mapped");
	snprintf(text, size, "%s 0x%08" PRIx64 "%s, %s",
		fault->error & PAGE_FAULT_FETCH   ? "instruction fetch from"
		: fault->error & PAGE_FAULT_WRITE ? "write to"
						  : "read of",
		fault->cr2, fault->error & PAGE_FAULT_USER ? " in user mode" : "", why);
}

/* Describes the use of an MSR that a general protection refused, to follow where it was; nothing
 * for other faults. Outside of user mode and virtual-8086 mode the MSR is the reason: it does not
 * exist, is only written or only read, or does not take the value (Intel SDM 2, RDMSR, WRMSR). */
static void describe_msr(struct cpu *cpu, const struct cpu_fault *fault,
	const struct cpu_registers *r, char *text, size_t size)
{
	uint64_t value;
	uint8_t code[2];
	uint32_t msr;

	text[0] = '\0';
	if (!r || fault->vector != FAULT_GENERAL_PROTECTION || !fault->has_error ||
		fault->error != 0 || r->rflags & X86_VM ||
		(r->cr0 & X86_CR0_PE && r->cs.selector & 3) ||
		cpu_read_linear(cpu, fault->rip, code, sizeof code) < sizeof code ||
		code[0] != 0x0f)
		return;
	msr = (uint32_t)r->general[CPU_RCX];
	value = r->general[CPU_RDX] << 32 | (uint32_t)r->general[CPU_RAX];
	if (code[1] == RDMSR)
		snprintf(text, size, ": read of MSR 0x%x: this CPU has none that can be read there",
			msr);
	else if (code[1] == WRMSR)
		snprintf(text, size,
			": write of 0x%" PRIx64 " to MSR 0x%x: this CPU has none that takes it",
			value, msr);
}

struct fault_text fault_describe(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers)
{
	struct fault_text name = fault_name(fault), text;
	char access[240];

	if (fault->vector == FAULT_PAGE && fault->has_error) {
		describe_access(cpu, fault, registers, access, sizeof access);
		snprintf(text.text, sizeof text.text, "page fault (14) on CPU %u at %s: %s",
			cpu->id, place_of(cpu, fault->rip).text, access);
	} else {
		describe_msr(cpu, fault, registers, access, sizeof access);
		snprintf(text.text, sizeof text.text, "%.120s on CPU %u at %s%s", name.text,
			cpu->id, place_of(cpu, fault->rip).text, access);
	}
	return text;
}

void fault_say_walk(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers)
{
	struct page_walk walk;

	if (fault->vector == FAULT_PAGE && registers &&
		page_walk(cpu->gmem, registers, fault->cr2, fault->error, &walk))
		page_walk_say(&walk);
}
