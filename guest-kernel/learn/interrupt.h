/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_INTERRUPT_H
#define LEARN_INTERRUPT_H

/* Step 6: interrupts. This header is the machine's part of them: the way from the device's pin to a
 * function of the kernel (spec/virtio.md, section 13, has it number by number). */

#include "notify.h"

#define VECTOR       0x40
#define APIC_EOI     0x0b0 /* registers of the local APIC: end of interrupt, */
#define APIC_SVR     0x0f0 /* and spurious-interrupt vector, whose bit 8 switches it on */
#define IOAPIC_INDEX 0x00  /* registers of the IOAPIC: the number of the one that is meant, */
#define IOAPIC_DATA  0x10  /* and its value */

/* Handlers may call functions: these kernels have no registers but the general ones. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winterrupt-service-routine"
#endif

struct frame; /* what the CPU has pushed */

struct gate { /* an entry of the interrupt descriptor table (Intel SDM 3, 6.11) */
	uint16_t handler_low, selector, type, handler_high;
};

static struct gate idt[256] __attribute__((aligned(8)));
static uint32_t local_apic;

/* Has the device's pin call handler. Interrupts stay off until sti. */
PART void route_interrupt(const struct start_info *info, void (*handler)(struct frame *))
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};
	volatile uint32_t *index = (void *)(info->ioapic_base + IOAPIC_INDEX);
	volatile uint32_t *data = (void *)(info->ioapic_base + IOAPIC_DATA);

	idt[VECTOR] = (struct gate){(uint16_t)(uint32_t)handler, VOLE_SELECTOR_CODE, 0x8e00,
		(uint16_t)((uint32_t)handler >> 16)};
	__asm__ volatile("lidt %0" : : "m"(idtr), "m"(idt));
	local_apic = info->apic_base;
	*(volatile uint32_t *)(local_apic + APIC_SVR) = 0x1ff;
	*index = 0x11 + 2 * pin; /* upper half of the pin's entry: CPU 0 */
	*data = 0;
	*index = 0x10 + 2 * pin; /* lower half: not masked, this vector */
	*data = VECTOR;
}

PART void end_of_interrupt(void)
{
	*(volatile uint32_t *)(local_apic + APIC_EOI) = 0;
}

#endif
