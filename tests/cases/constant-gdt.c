/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GDT as tutorials have it, but const. Its descriptors (access bytes 0x9a and 0x92) are not yet
 * accessed, so the CPU sets that flag at the first load of each, in memory that the kernel itself
 * may only read. This is the CPU's own write: it is made, and the kernel works. (A processor that
 * QEMU emulates does not set the flag of CS: spec/engines.md, section 6.)
 *   run: --timeout 30
 *   engine: soft
 *   status: 0
 *   says nothing
 *   prints: data segment, code segment, access bytes 9b 93\n
 *
 *   run: --timeout 30
 *   engine: kvm
 *   status: 0
 *   says nothing
 *   prints: data segment, code segment, access bytes 9[ab] 93\n
 */
#include "case.h"

#define CODE 0x08
#define DATA 0x10

static const uint64_t gdt[] = {0, 0x00cf9a000000ffff, 0x00cf92000000ffff};

static void print_access_byte(uint32_t selector)
{
	uint8_t byte = ((const volatile uint8_t *)gdt)[selector + 5];

	outb(VOLE_PORT_DEBUG, ' ');
	outb(VOLE_PORT_DEBUG, "0123456789abcdef"[byte >> 4]);
	outb(VOLE_PORT_DEBUG, "0123456789abcdef"[byte & 15]);
}

int main(const struct start_info *info)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = {sizeof gdt - 1, (uint32_t)gdt};

	(void)info;
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" : : "r"(DATA));
	print("data segment, ");
	__asm__ volatile("ljmp %0, $1f; 1:" : : "i"(CODE));
	print("code segment, access bytes");
	print_access_byte(CODE);
	print_access_byte(DATA);
	print("\n");
	return 0;
}
