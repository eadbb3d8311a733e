/* SPDX-License-Identifier: BSD-2-Clause */
#include "irq.h"

#include <stddef.h>

#include "error.h"
#include "vectors.h"
#include "x86.h"

/* Local APIC (Intel SDM 3, table 11-1). */
#define APIC_ID       0x020
#define APIC_EOI      0x0b0
#define APIC_SPURIOUS 0x0f0
#define APIC_ENABLE   (1u << 8) /* in APIC_SPURIOUS */
#define APIC_ID_SHIFT 24
#define BOOT_CPU      0

/* IOAPIC (82093AA data sheet): a register is chosen by its index, then accessed through a window.
 * Pin n has a redirection entry of two registers. All fields but vector and destination are 0 for
 * what is wanted here: fixed delivery, physical destination, active high, edge-triggered, not
 * masked. */
#define IOAPIC_SELECT            0x00
#define IOAPIC_WINDOW            0x10
#define IOAPIC_ENTRY_LOW(pin)    (0x10 + 2 * (pin))
#define IOAPIC_ENTRY_HIGH(pin)   (0x11 + 2 * (pin))
#define IOAPIC_DESTINATION_SHIFT 24

static uint32_t apic_base, ioapic_base;

static struct {
	irq_handler *handler;
	void *ctx;
} irqs[IRQ_COUNT];

uint32_t apic_read(unsigned offset)
{
	return read32(apic_base + offset);
}

void apic_write(unsigned offset, uint32_t value)
{
	write32(apic_base + offset, value);
}

void irq_init(const struct start_info *info)
{
	apic_base = info->apic_base;
	ioapic_base = info->ioapic_base;
	irq_init_cpu();
}

void irq_init_cpu(void)
{
	/* A local APIC is off until this bit is set, and takes no interrupt (SDM 3, 11.4.7.2). */
	apic_write(APIC_SPURIOUS, APIC_ENABLE | (VECTOR_IRQ_FIRST + IRQ_SPURIOUS));
}

static void ioapic_write(unsigned index, uint32_t value)
{
	write32(ioapic_base + IOAPIC_SELECT, index);
	write32(ioapic_base + IOAPIC_WINDOW, value);
}

int irq_route(unsigned pin, irq_handler *handler, void *ctx)
{
	if (pin >= IRQ_PINS)
		return -EINVAL;
	if (irqs[pin].handler && (irqs[pin].handler != handler || irqs[pin].ctx != ctx))
		return -EBUSY;
	irqs[pin].ctx = ctx;
	irqs[pin].handler = handler;

	/* The half with the mask comes last: from then on the other has to be right. */
	ioapic_write(IOAPIC_ENTRY_HIGH(pin), BOOT_CPU << IOAPIC_DESTINATION_SHIFT);
	ioapic_write(IOAPIC_ENTRY_LOW(pin), VECTOR_IRQ_FIRST + pin);
	return 0;
}

void irq_set_timer(irq_handler *handler, void *ctx)
{
	uint32_t eflags = interrupts_off(); /* no tick between the two halves */

	irqs[IRQ_TIMER].handler = handler;
	irqs[IRQ_TIMER].ctx = ctx;
	interrupts_restore(eflags);
}

void irq_wait(void)
{
	if (irq_this_cpu() == BOOT_CPU)
		halt_once();
	else
		cpu_relax();
}

unsigned irq_this_cpu(void)
{
	return apic_read(APIC_ID) >> APIC_ID_SHIFT;
}

void irq_handle(unsigned irq)
{
	/* A spurious interrupt is none: there is nothing to end (SDM 3, 11.9). */
	if (irq == IRQ_SPURIOUS)
		return;
	if (irqs[irq].handler)
		irqs[irq].handler(irqs[irq].ctx);

	/* An edge that came during the handler waits in the local APIC until this, and is then
	 * delivered: none is lost. */
	apic_write(APIC_EOI, 0);
}
