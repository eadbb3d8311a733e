/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ESP points into a const array when an exception or an interrupt comes up: the CPU cannot push its
 * frame there. A KVM on hardware would try for ever (tests/lane/hardware.t).
 *   build: -DEXCEPTION
 *   run: --timeout 30
 *   status: 126
 *   says: guest crashed: ESP is 0x[0-9a-f]{8} at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\), where no stack can be
 *   says: 0x[0-9a-f]{8} \(no_stack\+0x[0-9a-f]+\), which is read-only
 *   prints: ^begin\n$
 *   build: -DINTERRUPT
 *   run: --timeout 30
 *   status: 126
 *   says: guest crashed: ESP is 0x[0-9a-f]{8} at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\), where no stack can be
 *   says: 0x[0-9a-f]{8} \(no_stack\+0x[0-9a-f]+\), which is read-only
 *   prints: ^begin\n$
 */
#include "case.h"

/* Registers of the local APIC, and their values: on, with the spurious vector 0xff; vector 0x40 to
 * this CPU itself. */
#define SPURIOUS     0xfee000f0
#define SPURIOUS_ON  0x1ff
#define COMMAND      0xfee00300
#define COMMAND_SELF 0x44040

static const uint32_t no_stack[1024] = {1};
static uint64_t idt[256];

/* Loads a table of interrupt gates that all lead to handler. */
static void load_idt(uint32_t handler)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};

	for (unsigned i = 0; i < 256; i++)
		idt[i] = 0x00008e0000080000 | (uint64_t)(handler >> 16) << 48 | (handler & 0xffff);
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

int main(const struct start_info *info)
{
	(void)info;
	print("begin\n");
	load_idt((uint32_t)main);
#ifdef INTERRUPT
	write32(SPURIOUS, SPURIOUS_ON);
	write32(COMMAND, COMMAND_SELF);
	__asm__ volatile("mov %0, %%esp; sti; nop; 1: jmp 1b" : : "r"(no_stack + 1000) : "memory");
#else
	__asm__ volatile("mov %0, %%esp; ud2" : : "r"(no_stack + 1000) : "memory");
#endif
	return 0;
}
