/* SPDX-License-Identifier: BSD-2-Clause */
#include "start.h"

#include "cpu.h"
#include "idt.h"
#include "irq.h"
#include "memory.h"
#include "printf.h"
#include "timer.h"
#include "x86.h"

int start(const struct start_info *info)
{
	int code;

	/* A VMM older than this library does not give all that it needs. */
	if (info->size < sizeof(*info)) {
		printf("start_info has %u bytes, this kernel needs %u\n", info->size,
			(unsigned)sizeof(*info));
		return 1;
	}
	idt_init();        /* exceptions are reported from here on */
	memory_init(info); /* what RAM is free */
	irq_init(info);    /* local APIC and IOAPIC, nothing routed yet */
	timer_init(info);  /* frequencies, nothing started yet */
	cpu_init(info);    /* how many others there are, none started yet */

	interrupts_on();
	code = main(info);
	interrupts_off();
	return code;
}
