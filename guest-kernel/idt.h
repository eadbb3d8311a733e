/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_IDT_H
#define GUEST_IDT_H

/*
 * Exceptions and interrupts: the interrupt descriptor table (Intel SDM 3, 6.10), one table for all
 * CPUs.
 *
 *	vector	0 - 31	exceptions. Without a handler they keep the gates of the table that is
 *			loaded at entry, so that vole reports them (spec/boot.md, section 2). Where
 *			there is none, under another VMM, they are printed and the machine is
 *			powered off with 100 + vector (at most 119)
 *		32 - 63	interrupts, handed to irq.c
 *
 * The way of each: CPU -> the vector's stub in trap.S -> trap() -> handler -> iret.
 */

#include <stdint.h>

/* What the stubs and the CPU push, lowest address first. A handler may change it. */
struct trap_frame {
	uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax; /* as by pusha */
	uint32_t vector;
	uint32_t error_code; /* 0 for vectors that have none */
	uint32_t eip, cs, eflags;
};

typedef void trap_handler(struct trap_frame *frame);

/* Build the table and load it on this CPU, the boot CPU. */
void idt_init(void);

/* Load the table on this CPU. */
void idt_load(void);

/* Have handler called for an exception, instead of the report; it runs with interrupts off. If it
 * returns, so does the exception: to frame->eip. After idt_init(). */
void exception_handle(unsigned vector, trap_handler *handler);

/* Called by trap.S. */
void trap(struct trap_frame *frame);

#endif
