/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a triple fault: the exception that began it, and why it could not be delivered. */
#include <stdio.h>

#include "cpu/crash.h"
#include "cpu/delivery.h"
#include "cpu/fault.h"
#include "cpu/place.h"
#include "cpu/report.h"
#include "cpu/stack.h"
#include "log.h"

#define DOUBLE_FAULT 8 /* vector, with an error code of 0 (Intel SDM 3, 6.15) */

/* The error codes of this vector and of general protection name the gate that could not be used
 * (Intel SDM 3, 6.13). */
#define SEGMENT_NOT_PRESENT 11

struct reason {
	enum delivery_obstacle obstacle;
	char text[320];
};

/* Returns why an exception could not be delivered, to follow a statement that it could not. */
static struct reason reason_of(
	struct cpu *cpu, const struct cpu_registers *r, unsigned vector, bool has_error)
{
	struct reason reason = {.text = ": "};

	reason.obstacle = delivery_explain(
		cpu, r, vector, has_error, reason.text + 2, sizeof reason.text - 2);
	if (reason.obstacle == DELIVERY_POSSIBLE)
		reason.text[0] = '\0';
	return reason;
}

static bool is_same(const struct cpu_fault *a, const struct cpu_fault *b)
{
	return a->vector == b->vector && a->has_error == b->has_error && a->error == b->error;
}

/* Says the exceptions that came up on the way, from this one on. */
static void say_others(const struct cpu_fault *faults, unsigned first, unsigned count)
{
	char line[1000];
	size_t len = (size_t)snprintf(line, sizeof line, "  triple fault: its delivery raised ");
	unsigned times;

	if (first >= count)
		return;
	for (unsigned i = first; i < count && len < sizeof line; i += times) {
		for (times = 1; i + times < count && is_same(&faults[i], &faults[i + times]);)
			times++;
		len += (size_t)snprintf(line + len, sizeof line - len, "%s%.120s",
			i > first ? ", then " : "", fault_name(&faults[i]).text);
		if (times > 1 && len < sizeof line)
			len += (size_t)snprintf(
				line + len, sizeof line - len, " (%u times)", times);
	}
	say("%s", line);
}

/* Returns the vector of the interrupt or NMI whose gate raised the first exception; -1: that is not
 * what raised it. The code's bit for an event from outside is set for debug traps and INT1, too. */
static int find_interrupt(const struct cpu_fault *first)
{
	const uint32_t bits = FAULT_ERROR_EXT | FAULT_ERROR_IDT;
	unsigned vector = first->error >> 3 & 0xff;

	if (!first->has_error || (first->error & bits) != bits ||
		(first->vector != FAULT_GENERAL_PROTECTION && first->vector != SEGMENT_NOT_PRESENT))
		return -1;
	return vector == FAULT_NMI || vector >= FAULT_FIRST_INTERRUPT ? (int)vector : -1;
}

/* Reports a triple fault that an interrupt from outside the CPU has begun. */
static void report_interrupt(struct cpu *cpu, const struct cpu_registers *r,
	const struct cpu_fault *faults, unsigned count, unsigned vector)
{
	char name[64], source[96];

	if (vector == FAULT_NMI)
		snprintf(name, sizeof name, "%s (%u)", exception_name(vector), vector);
	else
		snprintf(name, sizeof name, "interrupt 0x%02x", vector);
	say("guest crashed: %s on CPU %u at %s could not be delivered%s", name, cpu->id,
		place_of(cpu, faults[0].rip).text, reason_of(cpu, r, vector, false).text);
	if (cpu->host->interrupt_source &&
		cpu->host->interrupt_source(cpu, vector, source, sizeof source))
		say("  it came from %s", source);
	say_others(faults, 0, count);
	report_state(cpu, r);
}

static void report_known(struct cpu *cpu, const struct cpu_registers *r,
	const struct cpu_fault *faults, unsigned count)
{
	const struct cpu_fault *first = &faults[0];
	int interrupt = find_interrupt(first);

	if (interrupt >= 0) {
		report_interrupt(cpu, r, faults, count, (unsigned)interrupt);
		return;
	}
	say("guest crashed: %s; it could not be delivered%s", fault_describe(cpu, first, r).text,
		reason_of(cpu, r, first->vector, first->has_error).text);
	fault_say_walk(cpu, first, r);
	say_others(faults, 1, count);
	report_state(cpu, r);
}

/* The engine does not know the exceptions, but the last one was a double fault. */
static void report_unknown(struct cpu *cpu, const struct cpu_registers *r)
{
	struct reason reason = reason_of(cpu, r, DOUBLE_FAULT, true);
	struct stack_text stack;

	if (reason.obstacle == DELIVERY_BY_STACK && stack_explain_delivery(cpu, r, &stack))
		say("guest crashed: %s, which became a triple fault on CPU %u", stack.text,
			cpu->id);
	else
		say("guest crashed: triple fault on CPU %u at %s", cpu->id, place_here(cpu).text);
	if (reason.text[0])
		say("  a double fault (%u) could not be delivered%s", DOUBLE_FAULT, reason.text);
	say("  run again with --engine soft, which tells the exceptions that led to it");
	report_state(cpu, r);
}

void crash_triple_fault(struct cpu *cpu, const struct cpu_fault *faults, unsigned count)
{
	struct cpu_registers r;

	if (!report_begin(cpu))
		return;
	if (cpu->ops->registers(cpu, &r) < 0) {
		say("guest crashed: triple fault on CPU %u", cpu->id);
		report_cpu(cpu);
	} else if (count > 0) {
		report_known(cpu, &r, faults, count);
	} else {
		report_unknown(cpu, &r);
	}
	report_end(cpu);
}
