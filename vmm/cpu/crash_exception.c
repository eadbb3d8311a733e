/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of exceptions and interrupts that the kernel has no handler for. */
#include <inttypes.h>

#include "cpu/crash.h"
#include "cpu/fault.h"
#include "cpu/float_code.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "cpu/report.h"
#include "log.h"

#define INVALID_OPCODE 6
#define NO_FPU         7

/* Returns whether the exception is one that no processor raises, but a KVM that interprets guest
 * code does (spec/machine.md, section 2): the instruction is a MOV to CR0 (0F 22 /0) that turns
 * 32-bit paging on, of a value with which that is permitted (Intel SDM 3, 2.5 and 4.1.1). */
static bool is_refused_paging(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *r)
{
	uint8_t code[3];
	uint64_t value;

	if (fault->vector != FAULT_GENERAL_PROTECTION || fault->error != 0 || r->cs.selector & 3 ||
		r->cr0 & X86_CR0_PG || r->cr4 & X86_CR4_PAE || r->efer & X86_EFER_LME ||
		cpu_read_linear(cpu, fault->rip, code, sizeof code) < sizeof code ||
		code[0] != 0x0f || code[1] != 0x22 || (code[2] & 0x38) != 0)
		return false;
	value = r->general[code[2] & 7];
	return (value & (X86_CR0_PG | X86_CR0_PE)) == (X86_CR0_PG | X86_CR0_PE) &&
	       (value & (X86_CR0_NW | X86_CR0_CD)) != X86_CR0_NW;
}

static void say_interrupt(struct cpu *cpu, const struct cpu_fault *fault)
{
	say("guest crashed: %s 0x%x without a handler on CPU %u at %s",
		fault->by_instruction ? "INT" : "interrupt", fault->vector, cpu->id,
		place_of(cpu, fault->rip).text);
	if (fault->source)
		say("  it came from %s", fault->source);
}

void crash_exception(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers)
{
	if (!report_begin(cpu))
		return;
	if (fault->is_frame_lost)
		say("guest crashed: vector 0x%x on CPU %u at an unknown place: its frame is lost, "
		    "since no memory is at ESP, 0x%08" PRIx64,
			fault->vector, cpu->id, registers->general[CPU_RSP]);
	else if (fault->is_real_mode && fault->by_instruction)
		say("guest crashed: int 0x%x on CPU %u at %s: there is no BIOS here", fault->vector,
			cpu->id, place_of(cpu, fault->rip).text);
	else if (fault->vector < FAULT_FIRST_INTERRUPT)
		say("guest crashed: %s", fault_describe(cpu, fault, registers).text);
	else
		say_interrupt(cpu, fault);
	fault_say_walk(cpu, fault, registers);
	if (is_refused_paging(cpu, fault, registers))
		say("  this host's KVM has no 32-bit paging (vole doctor): run again with --engine "
		    "soft, which has");
	if (fault->vector == INVALID_OPCODE || fault->vector == NO_FPU)
		say_float_code(cpu, fault->rip);
	if (fault->is_at_entry)
		say("  the kernel has loaded no interrupt table of its own (LIDT)");
	if (fault->is_real_mode)
		say("  the guest has set no vector 0x%x, at 0x%x", fault->vector,
			4 * fault->vector);
	report_state(cpu, registers);
	report_end(cpu);
}
