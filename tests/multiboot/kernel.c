/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel with a Multiboot header, as tutorials have it, that says on the serial port what it was
 * told. Then it does what its command line says:
 *
 *	screen		writes to the screen in text mode, and moves the cursor
 *	timer		counts interrupts of the timer, through the PIC
 *	keyboard	asks the keyboard who it is, by interrupts
 *	paging		maps itself to the higher half and continues there
 *	parts		says what it finds at ports and in memory of a PC
 *	crash		executes an instruction that is not defined, without an IDT
 *	reset		resets the machine through the keyboard controller
 *	wait		waits for interrupts, of which there are none, for ever
 *	exit=N		ends by the exit port, with one digit, as a byte; otherwise it halts
 */
#include "../boot/print.h"
#include "../boot/word.h"
#include "info.h"
#include "paging.h"
#include "pc.h"
#include "x86.h"

#define EXIT 0xf4

void kernel_main(uint32_t magic, uint32_t info);

void kernel_main(uint32_t magic, uint32_t info)
{
	const char *cmdline = info_print(magic, info);
	const char *code = word(cmdline, "exit=");

	if (word(cmdline, "screen"))
		write_screen();
	if (word(cmdline, "parts"))
		say_board();
	if (word(cmdline, "timer"))
		count_ticks();
	if (word(cmdline, "keyboard"))
		identify_keyboard();
	if (word(cmdline, "paging"))
		continue_in_higher_half();
	if (word(cmdline, "crash"))
		__asm__ volatile("ud2");
	print("done\n");
	while (word(cmdline, "wait"))
		__asm__ volatile("sti; hlt");
	if (word(cmdline, "reset"))
		out8(0x64, 0xfe);
	if (code)
		out8(EXIT, (uint8_t)(*code - '0'));
	__asm__ volatile("cli; 1: hlt; jmp 1b");
}
