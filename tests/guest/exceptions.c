/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes exceptions and returns from them, so that iret works: faults, a trap, a software interrupt,
 * with flags and registers as before. Exit status 0.
 */

#include "check.h"
#include "idt.h"
#include "x86.h"

#define DIVIDE_ERROR       0
#define BREAKPOINT         3
#define INVALID_OPCODE     6
#define GENERAL_PROTECTION 13

static struct trap_frame last;
static unsigned count;

/* All instructions that fault here are two bytes long. */
static void skip(struct trap_frame *frame)
{
	last = *frame;
	count++;
	frame->eip += 2;
}

/* A trap points behind its instruction. */
static void go_on(struct trap_frame *frame)
{
	last = *frame;
	count++;
}

/* A handler may change the registers of what was interrupted. */
static void answer(struct trap_frame *frame)
{
	frame->eax = frame->ebx + 1;
	skip(frame);
}

int main(const struct start_info *info)
{
	uint32_t eax, eflags;

	(void)info;
	exception_handle(DIVIDE_ERROR, skip);
	exception_handle(BREAKPOINT, go_on);
	exception_handle(INVALID_OPCODE, answer);
	exception_handle(GENERAL_PROTECTION, skip);

	__asm__ volatile("divl %%ecx" : : "a"(1), "c"(0), "d"(0) : "cc");
	check(count == 1 && last.vector == DIVIDE_ERROR, "divide error");
	check(last.eax == 1 && last.ecx == 0 && last.edx == 0, "registers in the frame");
	check(last.cs == VOLE_SELECTOR_CODE && last.error_code == 0, "frame of a fault");

	__asm__ volatile("ud2" : "=a"(eax) : "b"(41));
	check(count == 2 && last.vector == INVALID_OPCODE && eax == 42, "invalid opcode");

	/* A selector beyond the GDT: #GP with the selector as error code. */
	__asm__ volatile("movw %%ax, %%fs" : : "a"(0x1230));
	check(count == 3 && last.vector == GENERAL_PROTECTION, "general protection");
	check(last.error_code == 0x1230, "error code, got 0x%x", last.error_code);

	/* Direction and carry are the interrupted code's own, and come back. */
	__asm__ volatile("std; stc; int3; pushfl; popl %0; cld" : "=r"(eflags) : : "memory", "cc");
	check(count == 4 && last.vector == BREAKPOINT, "breakpoint");
	check((eflags & 0x401) == 0x401, "flags after iret, got 0x%x", eflags);
	check(eflags & EFLAGS_IF, "interrupts are on after iret");

	__asm__ volatile("int $3" : : : "memory");
	check(count == 5 && last.vector == BREAKPOINT, "software interrupt");
	return check_done();
}
