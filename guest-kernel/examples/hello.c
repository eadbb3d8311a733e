/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest kernel: one C function, no assembly file, no driver, no library.
 *
 *	cc -m32 -O2 -ffreestanding -mgeneral-regs-only -fno-pic -nostdlib -static \
 *		-Iinclude -Wl,-Ttext-segment=0x100000,-e,main -o hello.elf hello.c
 *	vole run hello.elf
 *
 * vole calls the ELF entry point like a C function, on a stack of its own making. What it returns
 * is vole's exit status.
 */

#include <vole/ports.h>
#include <vole/start_info.h>

int main(const struct start_info *info);

int main(const struct start_info *info)
{
	(void)info;
	for (const char *text = "Hello from a kernel!\n"; *text; text++)
		__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)VOLE_PORT_DEBUG));
	return 0;
}
