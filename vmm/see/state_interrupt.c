/* SPDX-License-Identifier: BSD-2-Clause */
/* What keeps interrupts from CPUs: local APICs and pins of the IOAPIC. */
#include "see/state_parts.h"

#include <vole/virtio_config.h>

#define BROADCAST   0xff      /* a destination (Intel SDM 3, 11.6.2) */
#define SVR_ENABLED (1u << 8) /* Intel SDM 3, 11.9 */
#define DFR_MODEL   28        /* Intel SDM 3, 11.6.2.2 */
#define DFR_FLAT    0xf

#define LVT_TIMER_MODE (3u << 17) /* 0: one-shot */

/* By 11.6.2.2: the flat model's bits, or a cluster and its bits. */
static bool matches_logical(const struct cpu_lapic *lapic, uint8_t destination)
{
	uint8_t ldr = (uint8_t)(lapic->ldr >> 24);

	if (lapic->dfr >> DFR_MODEL == DFR_FLAT)
		return ldr & destination;
	return ldr >> 4 == destination >> 4 && ldr & destination & 0xf;
}

static bool is_destination(const struct ioapic_pin *pin, const struct cpu_lapic *lapic)
{
	if (pin->destination == BROADCAST)
		return true;
	return pin->is_logical ? matches_logical(lapic, pin->destination)
			       : lapic->id == pin->destination;
}

bool state_pin_reaches(const struct ioapic_pin *pin, const struct cpu_lapic *lapic)
{
	return pin->obstacle == IOAPIC_OPEN && lapic->enabled && is_destination(pin, lapic);
}

static bool accepts_fixed(const struct cpu_lapic *lapic)
{
	return lapic->enabled && lapic->svr & SVR_ENABLED;
}

/* Whether an edge of the pin does something to some CPU; fixed interrupts, or what else. */
static bool pin_works(const struct state *state, const struct ioapic_pin *pin)
{
	bool is_fixed = pin->delivery <= IOAPIC_LOWEST_PRIORITY;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_lapic *lapic = &state->cpus[id].state.lapic;

		if (state_pin_reaches(pin, lapic) && (!is_fixed || accepts_fixed(lapic)))
			return true;
	}
	return false;
}

/* --- the whole machine ------------------------------------------------------------------------ */

/* Whether an NMI or INIT can come from the IOAPIC. */
static bool can_be_woken_by_force(const struct state *state)
{
	for (unsigned i = 0; i < IOAPIC_PINS; i++) {
		const struct ioapic_pin *pin = &state->pins[i].pin;

		if (state->pins[i].owner && pin->delivery > IOAPIC_LOWEST_PRIORITY &&
			pin_works(state, pin))
			return true;
	}
	return false;
}

unsigned state_count_started(const struct state *state)
{
	unsigned count = 0;

	for (unsigned id = 0; id < state->cpu_count; id++)
		count += state->cpus[id].state.activity != CPU_NOT_STARTED;
	return count;
}

bool state_is_dead(const struct state *state)
{
	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct state_cpu *cpu = &state->cpus[id];

		if (!cpu->is_known || cpu->state.in_callback ||
			(cpu->state.nmi_pending && !cpu->state.nmi_masked))
			return false;
		if (cpu->state.activity != CPU_HALTED_FOR_GOOD &&
			cpu->state.activity != CPU_NOT_STARTED)
			return false;
	}
	return !can_be_woken_by_force(state);
}

/* Whether some CPU has halted with interrupts on. */
static bool is_waiting(const struct state *state)
{
	for (unsigned id = 0; id < state->cpu_count; id++)
		if (state->cpus[id].state.activity == CPU_HALTED)
			return true;
	return false;
}

/* Whether all CPUs wait and nothing can interrupt any of them. */
static bool waits_in_vain(const struct state *state)
{
	if (!is_waiting(state))
		return false;
	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;

		if (!state->cpus[id].is_known || cpu->activity == CPU_RUNNING || cpu->in_callback ||
			cpu->nmi_pending || cpu->lapic.timer_left != CPU_TIMER_NEVER)
			return false;
		for (unsigned i = 0; i < 8; i++)
			if (cpu->activity == CPU_HALTED && cpu->lapic.irr[i])
				return false;
	}
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		if (state->pins[i].owner && pin_works(state, &state->pins[i].pin))
			return false;
	return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool some_pin_is_open(const struct state *state)
{
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		if (state->pins[i].owner && state->pins[i].pin.obstacle == IOAPIC_OPEN)
			return true;
	return false;
}

/* A kernel that uses no interrupts leaves its local APICs off, which is no news. */
static void report_lapics(const struct state *state, struct text *text)
{
	bool is_used = some_pin_is_open(state);

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;

		if (!cpu->lapic.present || accepts_fixed(&cpu->lapic) ||
			cpu->activity == CPU_NOT_STARTED)
			continue;
		if (!is_used && cpu->activity != CPU_HALTED)
			continue;
		if (cpu->lapic.enabled)
			text_line(text,
				"  CPU %u: its local APIC is off (spurious-interrupt vector "
				"register, bit 8; Intel SDM 3, 11.9), so no interrupt arrives",
				id);
		else
			text_line(text,
				"  CPU %u: its local APIC is off (IA32_APIC_BASE, bit 11; Intel "
				"SDM 3, 11.4.3), so no interrupt arrives",
				id);
	}
}

/* When nothing runs that could interrupt: timers that were started, and why they will not. */
static void report_timers(const struct state *state, struct text *text)
{
	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;
		uint32_t lvt = cpu->lapic.lvt[CPU_LVT_TIMER];

		/* A local APIC that is off masks its timer, and is reported itself. */
		if (cpu->activity != CPU_HALTED || cpu->lapic.timer_initial == 0 ||
			!accepts_fixed(&cpu->lapic))
			continue;
		if (lvt & LVT_MASKED)
			text_line(text,
				"  CPU %u: its timer was started, but is masked (LVT timer "
				"register, "
				"bit 16; Intel SDM 3, 11.5.1)",
				id);
		else if (!(lvt & LVT_TIMER_MODE))
			text_line(text,
				"  CPU %u: its timer has counted down once, and is not periodic "
				"(LVT timer register, bit 17; Intel SDM 3, 11.5.4)",
				id);
	}
}

static const char *edges_lost(uint32_t count)
{
	return count == 1 ? "edge was" : "edges were";
}

static const char *delivery_name(enum ioapic_delivery delivery)
{
	switch (delivery) {
	case IOAPIC_SMI:
		return "SMI";
	case IOAPIC_EXTINT:
		return "ExtINT";
	default:
		return "reserved";
	}
}

/* "pin 3 (block)", and what is wrong with its entry. */
static void report_closed(const struct state_pin *at, unsigned number, struct text *text)
{
	const struct ioapic_pin *pin = &at->pin;

	text_add(text, "  pin %u (%s) ", number, at->owner);
	if (pin->obstacle == IOAPIC_MASKED)
		text_add(text, "is masked");
	else if (pin->obstacle == IOAPIC_VECTOR)
		text_add(text,
			"has vector 0x%02x, below 0x10: local APICs refuse it (Intel SDM 3, "
			"11.5.2)",
			pin->vector);
	else
		text_add(text, "has delivery mode %u (%s), which this machine does not deliver",
			(unsigned)pin->delivery, delivery_name(pin->delivery));
	if (pin->lost > 0)
		text_add(text, "; %u %s lost", pin->lost, edges_lost(pin->lost));
	text_line(text, "%s", "");
}

/* The pin sends messages. Do they arrive? */
static void report_open(const struct state *state, unsigned number, struct text *text)
{
	const struct state_pin *at = &state->pins[number];
	const struct ioapic_pin *pin = &at->pin;
	bool is_started = false, is_known = false;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		const struct cpu_state *cpu = &state->cpus[id].state;

		/* It may be the one. */
		if (!state->cpus[id].is_known)
			return;
		if (!is_destination(pin, &cpu->lapic))
			continue;
		is_known = true;
		is_started |= cpu->activity != CPU_NOT_STARTED;
	}
	if (is_started)
		return;
	if (is_known)
		text_line(text, "  pin %u (%s) interrupts a CPU that has not been started", number,
			at->owner);
	else
		text_line(text,
			"  pin %u (%s) interrupts local APIC %u (%s destination), which no CPU has",
			number, at->owner, pin->destination,
			pin->is_logical ? "logical" : "physical");
}

/* Whether the device of this pin waits for an acknowledgement, which it has told of by an edge. */
static bool has_told(const struct state *state, unsigned number)
{
	for (unsigned i = 0; i < state->device_count; i++)
		if (state->devices[i].pin == number && state->devices[i].view.interrupt_status)
			return true;
	return false;
}

/* Whether the device of this pin has failed, which is told of by an edge: what the pin did with
 * that is not the cause. */
static bool has_failed(const struct state *state, unsigned number)
{
	for (unsigned i = 0; i < state->device_count; i++)
		if (state->devices[i].pin == number &&
			state->devices[i].view.status & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
			return true;
	return false;
}

static void report_pin(const struct state *state, unsigned number, struct text *text)
{
	const struct state_pin *at = &state->pins[number];
	const struct ioapic_pin *pin = &at->pin;

	if (pin->obstacle == IOAPIC_OPEN)
		report_open(state, number, text);
	else if (pin->obstacle != IOAPIC_MASKED || (pin->lost > 0 && !has_failed(state, number)))
		report_closed(at, number, text);
	if (pin->obstacle == IOAPIC_OPEN && pin->lost > 0 && has_told(state, number))
		text_line(text,
			"  pin %u (%s) lost %u %s before it was unmasked: a driver that unmasks "
			"late looks at its device once",
			number, at->owner, pin->lost, pin->lost == 1 ? "edge" : "edges");
	if (pin->level_asked && has_told(state, number))
		text_line(text,
			"  pin %u (%s) is programmed level-triggered, but all pins are "
			"edge-triggered: each notification interrupts once",
			number, at->owner);
}

void state_report_interrupts(const struct state *state, struct text *text)
{
	/* On a PC interrupts have other ways as well. */
	if (!state->has_ioapic)
		return;
	if (waits_in_vain(state)) {
		text_line(text,
			"  nothing can interrupt %s: no local APIC's timer runs, and no pin of the "
			"IOAPIC reaches a CPU",
			state_count_started(state) == 1 ? "it" : "them");
		report_timers(state, text);
	}
	report_lapics(state, text);
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		if (state->pins[i].owner)
			report_pin(state, i, text);
}
