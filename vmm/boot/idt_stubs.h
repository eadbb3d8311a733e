/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IDT_STUBS_H
#define VMM_IDT_STUBS_H

/*
 * The IDT at entry: each gate leads to a stub that hands the machine, by VOLE_PORT_EXCEPTION, an
 * exception or interrupt that the kernel has no handler for (spec/machine.md, section 4).
 */

#include <stdint.h>

#include "layout.h"

struct idt_stubs {
	uint64_t idt[IDT_VECTORS];
	uint8_t stubs[IDT_VECTORS][IDT_STUB_SIZE];
};

/* Fills table, which will be at this guest-physical address; the gates' segment is selector. */
void idt_stubs_fill(struct idt_stubs *table, uint32_t address, uint16_t selector);

#endif
