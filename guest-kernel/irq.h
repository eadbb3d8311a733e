/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_IRQ_H
#define GUEST_IRQ_H

/*
 * Interrupts: a device raises a pin of the IOAPIC; the IOAPIC sends the pin's vector to the local
 * APIC of the boot CPU; that interrupts the CPU when its interrupts are on.
 *
 *	irq	0 - 23	pins of the IOAPIC
 *		24	this CPU's timer
 *		31	spurious
 *
 * Interrupt irq has the vector VECTOR_IRQ_FIRST + irq.
 *
 * Handlers run on the boot CPU's current stack with interrupts off. They have to be short, must not
 * wait, and must not print: printf() may be what they interrupted.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vole/start_info.h>

#define IRQ_PINS     24
#define IRQ_TIMER    24
#define IRQ_SPURIOUS 31
#define IRQ_COUNT    32

typedef void irq_handler(void *ctx);

/* Boot CPU: turn its local APIC on; all pins of the IOAPIC stay masked. */
void irq_init(const struct start_info *info);

/* Another CPU: turn its local APIC on. */
void irq_init_cpu(void);

/*
 * Have handler(ctx) called when the pin is raised. The pin is unmasked when this returns; an edge
 * that came before is lost, so the device is to be made active only afterwards. 0, or -EINVAL if
 * there is no such pin, or -EBUSY if it has another handler.
 */
int irq_route(unsigned pin, irq_handler *handler, void *ctx);

/* The same for IRQ_TIMER, which needs no route; the handler may change. */
void irq_set_timer(irq_handler *handler, void *ctx);

/*
 * Wait for an interrupt. Called with interrupts off, right after having seen that what is waited
 * for has not happened yet:
 *
 *	eflags = interrupts_off();
 *	while (!happened)
 *		irq_wait();
 *	interrupts_restore(eflags);
 *
 * An interrupt between the look and the sleep is not lost: it stays pending while interrupts are
 * off and ends the sleep at once. On other CPUs than the boot CPU, which the devices do not
 * interrupt, this is a short pause instead.
 */
void irq_wait(void);

/* Number of this CPU: the id of its local APIC. */
unsigned irq_this_cpu(void);

/* Registers of this CPU's local APIC (Intel SDM 3, table 11-1). */
uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);

/* Called by trap(). */
void irq_handle(unsigned irq);

#endif
