/* SPDX-License-Identifier: BSD-2-Clause */
/* An interrupt on its way through one local APIC. Sections are those of Intel SDM 3. */
#include "chips/lapic_parts.h"

#define PRIORITY_CLASS 0xf0u /* of a vector, TPR or PPR (11.8.3) */

static void set_bit(uint32_t bits[8], uint8_t vector)
{
	bits[vector / 32] |= 1u << vector % 32;
}

static void clear_bit(uint32_t bits[8], uint8_t vector)
{
	bits[vector / 32] &= ~(1u << vector % 32);
}

/* The highest vector whose bit is set; -1: none is. */
static int highest(const uint32_t bits[8])
{
	for (int i = 7; i >= 0; i--)
		if (bits[i])
			return i * 32 + 31 - __builtin_clz(bits[i]);
	return -1;
}

/* 11.8.3.1. If both classes are equal, PPR's low bits may be TPR's or 0; they are TPR's here, as on
 * KVM. */
uint32_t lapic_ppr(const struct lapic *lapic)
{
	int in_service = highest(lapic->isr);
	uint32_t isr_class = in_service < 0 ? 0 : (uint32_t)in_service & PRIORITY_CLASS;

	return (lapic->tpr & PRIORITY_CLASS) >= isr_class ? lapic->tpr : isr_class;
}

bool lapic_pending(const struct lapic *lapic)
{
	int requested = highest(lapic->irr);

	return requested >= 0 &&
	       ((uint32_t)requested & PRIORITY_CLASS) > (lapic_ppr(lapic) & PRIORITY_CLASS);
}

uint8_t lapic_acknowledge(struct lapic *lapic)
{
	uint8_t vector;

	if (!lapic_pending(lapic))
		return lapic->svr & VECTOR_BITS;
	vector = (uint8_t)highest(lapic->irr);
	clear_bit(lapic->irr, vector);
	set_bit(lapic->isr, vector);
	return vector;
}

/* 11.8.5. No message follows for a level-triggered interrupt: the IOAPIC's pins are all
 * edge-triggered. */
void lapic_end_of_interrupt(struct lapic *lapic)
{
	int in_service = highest(lapic->isr);

	if (in_service >= 0)
		clear_bit(lapic->isr, (uint8_t)in_service);
}

bool lapic_accepts_fixed(const struct lapic *lapic)
{
	return lapic->enabled && lapic->svr & SVR_ENABLED;
}

bool lapic_accepts_extint(const struct lapic *lapic)
{
	uint32_t entry = lapic->lvt[LVT_LINT0];

	return !lapic->enabled || (!(entry & LVT_MASKED) && delivery_of(entry) == DELIVERY_EXTINT);
}

void lapic_wake_if_pending(struct lapic *lapic)
{
	if (lapic_pending(lapic) || (lapic->lint[0] && lapic_accepts_extint(lapic)))
		lapic->bus->ops->wake(lapic->bus->ctx, lapic->cpu);
}

void lapic_accept(struct lapic *lapic, uint8_t vector, bool is_level)
{
	if (!lapic_accepts_fixed(lapic))
		return;
	if (vector < VECTOR_MIN) {
		lapic_note_error(lapic, ESR_RECEIVE_VECTOR);
		return;
	}
	set_bit(lapic->irr, vector);
	if (is_level)
		set_bit(lapic->tmr, vector);
	else
		clear_bit(lapic->tmr, vector);
	lapic_wake_if_pending(lapic);
}

void lapic_deliver_local(struct lapic *lapic, enum lapic_lvt entry)
{
	const struct lapic_bus *bus = lapic->bus;
	uint32_t value = lapic->lvt[entry];

	if (value & LVT_MASKED)
		return;
	switch (delivery_of(value)) {
	case DELIVERY_FIXED:
		lapic_accept(lapic, value & VECTOR_BITS, false);
		break;
	case DELIVERY_SMI:
		bus->ops->smi(bus->ctx, lapic->cpu);
		break;
	case DELIVERY_NMI:
		bus->ops->nmi(bus->ctx, lapic->cpu);
		break;
	case DELIVERY_INIT:
		lapic_receive_init(lapic);
		break;
	case DELIVERY_EXTINT:
		lapic_wake_if_pending(lapic);
		break;
	default: /* reserved */
		break;
	}
}

/* An illegal vector in the error entry itself ends here, since the first error is noted by then. */
void lapic_note_error(struct lapic *lapic, uint32_t error)
{
	bool is_first = lapic->errors == 0;

	lapic->errors |= error;
	if (is_first)
		lapic_deliver_local(lapic, LVT_ERROR);
}

/* Without a local APIC the pins are the CPU's own INTR and NMI (11.4.3). */
static void set_cpu_pin(struct lapic *lapic, unsigned number)
{
	if (number == 0)
		lapic_wake_if_pending(lapic);
	else
		lapic->bus->ops->nmi(lapic->bus->ctx, lapic->cpu);
}

void lapic_set_lint(struct lapic *lapic, unsigned number, bool level)
{
	bool is_edge = level && !lapic->lint[number];

	lapic->lint[number] = level;
	if (!is_edge)
		return;
	if (!lapic->enabled)
		set_cpu_pin(lapic, number);
	else
		lapic_deliver_local(lapic, number == 0 ? LVT_LINT0 : LVT_LINT1);
}
