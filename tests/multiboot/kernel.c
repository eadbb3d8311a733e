/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel with a Multiboot header, as tutorials have it, that says on the serial port what it was
 * told. Then it does what its command line says:
 *
 *	screen		writes to the screen in text mode
 *	exit=N		ends by the exit port, with one digit; otherwise it halts
 *	crash		executes an instruction that is not defined, without an IDT
 */
#include "../boot/print.h"
#include "info.h"
#include "x86.h"

#define EXIT 0xf4

void kernel_main(uint32_t magic, uint32_t info);
void timer_interrupt(void);
void keyboard_interrupt(void);

void timer_interrupt(void)
{
}

void keyboard_interrupt(void)
{
}

/* What follows this word on the command line, or NULL. */
static const char *word(const char *cmdline, const char *name)
{
	for (; *cmdline; cmdline++) {
		const char *at = cmdline, *wanted = name;

		while (*wanted && *at == *wanted)
			at++, wanted++;
		if (!*wanted)
			return at;
	}
	return 0;
}

void kernel_main(uint32_t magic, uint32_t info)
{
	const char *cmdline = info_print(magic, info);
	const char *code = word(cmdline, "exit=");

	if (word(cmdline, "crash"))
		__asm__ volatile("ud2");
	print("done\n");
	if (code)
		out32(EXIT, (uint32_t)(*code - '0'));
	__asm__ volatile("cli; 1: hlt; jmp 1b");
}
