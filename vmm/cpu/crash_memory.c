/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of loads, stores and jumps where no memory is, or where it may not be written. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cpu/callers.h"
#include "cpu/crash.h"
#include "cpu/place.h"
#include "cpu/report.h"
#include "cpu/stack.h"
#include "layout.h"
#include "log.h"

/* --- jumps ------------------------------------------------------------------------------------ */

/* Returns how the CPU came to its instruction pointer, as far as the stack tells, and puts what it
 * holds of the way back into text. */
static const char *describe_way(
	struct cpu *cpu, const struct cpu_registers *r, char *text, size_t size)
{
	uint64_t rip = r->cs.base + r->rip, esp = r->ss.base + r->general[CPU_RSP], target;
	uint64_t address;
	uint32_t below, top = 0;

	text[0] = '\0';
	if (callers_top(cpu, r, &address, &target)) {
		snprintf(text, size, "; return address %s", place_of(cpu, address).text);
		/* A direct call that leads elsewhere called the function that has jumped. */
		return target == 0 || target == rip ? "calls" : "jumps";
	}
	if (cpu_read_linear(cpu, esp, &top, sizeof top) == sizeof top && top != 0)
		snprintf(text, size, "; at the top of the stack is %s", place_of(cpu, top).text);
	/* RET leaves the address where it was, and so does, by chance, a stack of zeros. */
	if (cpu_read_linear(cpu, esp - sizeof below, &below, sizeof below) < sizeof below ||
		below != r->rip)
		return "jumps";
	return below == 0 ? "jumps or returns" : "returns";
}

/* Reports that the instruction pointer leads to where no code is. Returns false, and reports
 * nothing, if there is code. */
static bool crash_jump(struct cpu *cpu)
{
	uint64_t rip = cpu->ops->position(cpu);
	struct cpu_registers registers;
	char back[160] = "";
	const char *way = "jumps";
	uint8_t byte;

	if (cpu_read_linear(cpu, rip, &byte, 1) == 1)
		return false;
	if (!report_begin(cpu))
		return true;
	if (cpu->ops->registers(cpu, &registers) == 0)
		way = describe_way(cpu, &registers, back, sizeof back);
	if (rip == 0)
		say("guest crashed: CPU %u %s through a null pointer%s", cpu->id, way, back);
	else
		say("guest crashed: CPU %u %s%s 0x%08" PRIx64 ", %s%s", cpu->id, way,
			strcmp(way, "calls") == 0 ? "" : " to", rip,
			rip < PAGE_SIZE ? "through a null pointer" : "where no memory is", back);
	report_cpu(cpu);
	report_end(cpu);
	return true;
}

void crash_instruction(struct cpu *cpu)
{
	if (crash_jump(cpu) || !report_begin(cpu))
		return;
	say("guest crashed: CPU %u cannot execute the instruction at %s", cpu->id,
		place_here(cpu).text);
	report_cpu(cpu);
	report_end(cpu);
}

/* --- accesses --------------------------------------------------------------------------------- */

/* Returns what is wrong with an address: error is that of cpu_host.mmio(). */
static const char *describe_address(uint64_t address, int error)
{
	switch (error) {
	case -EROFS:
		return "which is read-only";
	case -ENODEV:
		return "the window of a device that this machine lacks: the device map lists those "
		       "that it has";
	default:
		return address < PAGE_SIZE ? "through a null pointer" : "where nothing answers";
	}
}

/* Describes the access: "CPU 0 loads 4 bytes from 0x00000004, through a null pointer". */
static void describe_access(struct cpu *cpu, bool is_write, const struct store *access, int error,
	char *text, size_t size)
{
	const char *plural = access->len == 1 ? "" : "s";
	const char *what = describe_address(access->gpa, error);
	struct place place = place_of(cpu, access->gpa);

	if (is_write)
		snprintf(text, size, "CPU %u stores 0x%" PRIx64 " (%u byte%s) to %s, %s", cpu->id,
			access->value, access->len, plural, place.text, what);
	else
		snprintf(text, size, "CPU %u loads %u byte%s from %s, %s", cpu->id, access->len,
			plural, place.text, what);
}

void crash_mmio(struct cpu *cpu, uint64_t address, bool is_write, const uint8_t *data, unsigned len,
	int error)
{
	const struct store access = {.gpa = address, .value = cpu_value(data, len), .len = len};
	struct stack_text stack;
	char text[400];

	/* An engine fetches code that is not in memory like data. */
	if ((!is_write && crash_jump(cpu)) || !report_begin(cpu))
		return;
	describe_access(cpu, is_write, &access, error, text, sizeof text);
	if (stack_explain(cpu, is_write, &access, &stack)) {
		say("guest crashed: %s", stack.text);
		say("  %s", text);
	} else {
		say("guest crashed: %s", text);
	}
	report_access(cpu, is_write ? &access : NULL);
	report_end(cpu);
}
