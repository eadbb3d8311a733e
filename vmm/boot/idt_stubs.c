/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/idt_stubs.h"

#include <stddef.h>
#include <string.h>

#include <vole/ports.h>

/*
 * A gate of the IDT at entry leads to a stub that hands the machine, by a port, an exception or
 * interrupt that the kernel has no handler for. The machine knows the vector from the stub's
 * address, and the rest from the stack. A monitor that goes on after the write finds the stub at an
 * end.
 */
static const uint8_t idt_stub[IDT_STUB_SIZE] = {
	0xe6, VOLE_PORT_EXCEPTION, /* out %al, $VOLE_PORT_EXCEPTION */
	0xeb, 0xfe,                /* jmp to itself */
};

/* Present, 32 bits, interrupts off on entry (Intel SDM 3, 6.11). */
#define GATE_INTERRUPT UINT64_C(0x8e0000000000)

void idt_stubs_fill(struct idt_stubs *table, uint32_t address, uint16_t selector)
{
	uint32_t stubs = address + (uint32_t)offsetof(struct idt_stubs, stubs);

	for (uint32_t i = 0; i < IDT_VECTORS; i++) {
		uint64_t stub = stubs + i * IDT_STUB_SIZE;

		table->idt[i] = (stub & 0xffff) | (uint64_t)selector << 16 | GATE_INTERRUPT |
				(stub & 0xffff0000) << 32;
		memcpy(table->stubs[i], idt_stub, sizeof idt_stub);
	}
}
