/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU does, and which interrupts it has not finished or not begun. */
#include "see/state_parts.h"

#define CPUS_SHOWN    16
#define VECTORS_SHOWN 4

/* Vectors whose upper four bits are equal have the same priority (Intel SDM 3, 11.8.3). */
#define PRIORITY_CLASS 0xf0

static bool has_vector(const uint32_t bits[8], unsigned vector)
{
	return bits[vector / 32] >> vector % 32 & 1;
}

/* The highest vector; -1: there is none. */
static int highest(const uint32_t bits[8])
{
	for (int vector = 255; vector >= 0; vector--)
		if (has_vector(bits, (unsigned)vector))
			return vector;
	return -1;
}

/* What interrupts with a vector: a pin and its device, or the local APIC's timer. */
static void add_source(const struct state *state, const struct cpu_lapic *lapic, unsigned vector,
	struct text *text)
{
	for (unsigned i = 0; i < IOAPIC_PINS; i++) {
		const struct state_pin *pin = &state->pins[i];

		if (pin->owner && pin->pin.vector == vector &&
			state_pin_reaches(&pin->pin, lapic)) {
			text_add(text, " (pin %u, %s)", i, pin->owner);
			return;
		}
	}
	if ((lapic->lvt[CPU_LVT_TIMER] & 0xff) == vector)
		text_add(text, " (its timer)");
}

/* "vector 0x40 (pin 3, block)" or "vectors 0x40 (...) and 0x41", the highest first. */
static void add_vectors(const struct state *state, const struct cpu_lapic *lapic,
	const uint32_t bits[8], struct text *text)
{
	unsigned count = 0, shown = 0;

	for (unsigned vector = 0; vector < 256; vector++)
		count += has_vector(bits, vector);
	text_add(text, count == 1 ? "vector" : "vectors");
	for (unsigned vector = 256; vector-- > 0 && shown < VECTORS_SHOWN;) {
		if (!has_vector(bits, vector))
			continue;
		text_add(text, "%s 0x%02x",
			shown == 0           ? ""
			: shown + 1 == count ? " and"
					     : ",",
			vector);
		add_source(state, lapic, vector, text);
		shown++;
	}
	if (shown < count)
		text_add(text, " and %u more", count - shown);
}

/* Why the highest requested vector does not interrupt the CPU; NULL if nothing is in its way but
 * time. */
static const char *obstacle(const struct cpu_state *cpu, int in_service, int requested)
{
	if (in_service >= 0 && (requested & PRIORITY_CLASS) <= (in_service & PRIORITY_CLASS))
		return "pending behind it";
	if (!cpu->interrupts_on)
		return "pending, but interrupts are off";
	if (((uint32_t)requested & PRIORITY_CLASS) <= (cpu->lapic.tpr & PRIORITY_CLASS))
		return "pending, but the task priority (TPR) holds it back (Intel SDM 3, 11.8.3)";
	return "pending";
}

static void add_interrupts(
	const struct state *state, const struct cpu_state *cpu, struct text *text)
{
	const struct cpu_lapic *lapic = &cpu->lapic;
	int in_service = highest(lapic->isr), requested = highest(lapic->irr);

	if (in_service >= 0) {
		text_add(text, "; ");
		add_vectors(state, lapic, lapic->isr, text);
		text_add(text, " in service, without an EOI so far (Intel SDM 3, 11.8.5)");
	}
	if (requested >= 0) {
		text_add(text, "; ");
		add_vectors(state, lapic, lapic->irr, text);
		text_add(text, " %s", obstacle(cpu, in_service, requested));
	}
	if (cpu->nmi_pending)
		text_add(text, "; an NMI pending");
}

static void report_cpu(const struct state *state, unsigned id, struct text *text)
{
	const struct state_cpu *shown = &state->cpus[id];
	const struct cpu_state *cpu = &shown->state;
	const char *at = shown->place.text[0] ? " at " : "";

	text_add(text, "  CPU %u ", id);
	if (!shown->is_known || cpu->activity == CPU_UNKNOWN) {
		text_line(text, "does not answer: it waits for a reader of what vole says or for a "
				"disk, or the host's KVM does not leave it");
		return;
	}
	switch (cpu->activity) {
	case CPU_HALTED:
		text_add(text, "halted, interrupts on,%s%s", at, shown->place.text);
		break;
	case CPU_HALTED_FOR_GOOD:
		text_add(text, "halted with interrupts off%s%s", at, shown->place.text);
		break;
	default:
		text_add(text, "running, interrupts %s,%s%s", cpu->interrupts_on ? "on" : "off", at,
			shown->place.text);
		break;
	}
	if (shown->callers[0])
		text_add(text, ", %s", shown->callers);
	if (cpu->in_callback)
		text_add(text, "; vole has not finished its last access");
	add_interrupts(state, cpu, text);
	text_line(text, "%s", "");
}

/* CPUs that were not started are told of together, as there is nothing to say of each. */
static void report_waiting(const struct state *state, struct text *text)
{
	unsigned count = 0, first = 0;

	for (unsigned id = state->cpu_count; id-- > 0;) {
		if (!state->cpus[id].is_known || state->cpus[id].state.activity != CPU_NOT_STARTED)
			continue;
		first = id;
		count++;
	}
	if (count == 1)
		text_line(text, "  CPU %u not started", first);
	else if (count > 1)
		text_line(text, "  %u CPUs not started", count);
}

void state_report_cpus(const struct state *state, struct text *text)
{
	unsigned shown = 0, left = 0;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct state_cpu *cpu = &state->cpus[id];

		if (cpu->is_known && cpu->state.activity == CPU_NOT_STARTED)
			continue;
		if (shown < CPUS_SHOWN)
			report_cpu(state, id, text);
		else
			left++;
		shown += shown < CPUS_SHOWN;
	}
	if (left > 0)
		text_line(text, "  and %u more %s", left, left == 1 ? "CPU" : "CPUs");
	report_waiting(state, text);
}
