/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAPIC_PARTS_H
#define VMM_LAPIC_PARTS_H

/*
 * Interfaces between the files of the local APIC, for nobody else, innermost first:
 * lapic_reset.c has the state after a reset, lapic_interrupt.c what becomes of an interrupt that
 * has arrived, lapic_timer.c the timer, lapic_bus.c the ways from one local APIC to another, and
 * lapic_registers.c the guest's registers. Sections are those of Intel SDM 3.
 */

#include "chips/lapic.h"

/* Vectors below this one are illegal for fixed interrupts (11.5.2). */
#define VECTOR_MIN 16

/* Delivery modes in LVT entries, ICR and messages (11.5.1, 11.6.1, 11.11.2). The others are
 * reserved. */
enum delivery {
	DELIVERY_FIXED = 0,
	DELIVERY_LOWEST = 1, /* one receiver, whose priority is lowest; not in an LVT entry */
	DELIVERY_SMI = 2,
	DELIVERY_NMI = 4,
	DELIVERY_INIT = 5,
	DELIVERY_SIPI = 6,   /* in ICR alone */
	DELIVERY_EXTINT = 7, /* in an LVT entry alone */
};

#define VECTOR_BITS    0xffu
#define DELIVERY_SHIFT 8
#define DELIVERY_BITS  7u /* after the shift */
#define LEVEL_ASSERTED (1u << 14)
#define LEVEL_TRIGGER  (1u << 15)
#define LVT_MASKED     (1u << 16)

static inline enum delivery delivery_of(uint32_t word)
{
	return (enum delivery)(word >> DELIVERY_SHIFT & DELIVERY_BITS);
}

#define SVR_ENABLED (1u << 8) /* 11.9 */

/* Bits of ESR (11.5.3). */
#define ESR_SEND_VECTOR    (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER       (1u << 7)

/* --- lapic_reset.c ---------------------------------------------------------------------------- */

/* Resets the registers (11.4.7.3), but neither the ID nor the enable flag of IA32_APIC_BASE. */
void lapic_reset_registers(struct lapic *lapic);

/* Receives INIT: resets the local APIC except for its ID (11.4.7.3), then the CPU. */
void lapic_receive_init(struct lapic *lapic);

/* --- lapic_interrupt.c ------------------------------------------------------------------------ */

/* True if fixed interrupts are accepted: neither IA32_APIC_BASE nor SVR disables the local APIC
 * (11.4.7.2). */
bool lapic_accepts_fixed(const struct lapic *lapic);

/* Accepts a fixed interrupt into IRR (11.8.4), or notes an illegal vector. */
void lapic_accept(struct lapic *lapic, uint8_t vector, bool is_level);

/* Delivers a local interrupt as its LVT entry says, if that is not masked (11.5.1). */
void lapic_deliver_local(struct lapic *lapic, enum lapic_lvt entry);

/* Notes an error, one bit of ESR. The first one after a write to ESR interrupts (11.5.3). */
void lapic_note_error(struct lapic *lapic, uint32_t error);

/* Calls wake() if the CPU has an interrupt to take, from here or from the PIC. */
void lapic_wake_if_pending(struct lapic *lapic);

uint32_t lapic_ppr(const struct lapic *lapic);
void lapic_end_of_interrupt(struct lapic *lapic);

/* --- lapic_timer.c ---------------------------------------------------------------------------- */

/* Guest's accesses to the timer's registers (11.5.4), after lapic_timer_advance() to the same now.
 * */
void lapic_timer_set_initial(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_divide(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value);

/* --- lapic_bus.c ------------------------------------------------------------------------------ */

/* Sends the IPI that ICR describes (11.6.1). */
void lapic_send_ipi(struct lapic *lapic);

#endif
