/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of exceptions and interrupts that the kernel has no handler for. */
#include "cpu/crash.h"
#include "cpu/fault.h"
#include "cpu/place.h"
#include "cpu/report.h"
#include "log.h"

#define FIRST_INTERRUPT 32 /* vectors below are exceptions (Intel SDM 3, 6.2) */

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
	if (fault->is_real_mode && fault->by_instruction)
		say("guest crashed: int 0x%x on CPU %u at %s: there is no BIOS here", fault->vector,
			cpu->id, place_of(cpu, fault->rip).text);
	else if (fault->vector < FIRST_INTERRUPT)
		say("guest crashed: %s", fault_describe(cpu, fault, registers).text);
	else
		say_interrupt(cpu, fault);
	fault_say_walk(cpu, fault, registers);
	if (fault->is_at_entry)
		say("  the kernel has loaded no interrupt table of its own (LIDT)");
	if (fault->is_real_mode)
		say("  the guest has set no vector 0x%x, at 0x%x", fault->vector,
			4 * fault->vector);
	report_state(cpu, registers);
	report_end(cpu);
}
