/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DELIVERY_H
#define VMM_DELIVERY_H

/*
 * Why an exception cannot be delivered: the gate, the handler's code segment and the stack are
 * checked as a processor does (Intel SDM 3, 6.12.1 and 6.14), by the IDT, GDT, LDT and TSS as they
 * are in memory now. Protected mode and 64-bit mode; not task gates.
 *
 * All tables are the guest's and may have any content: what decides is read once, and nothing is
 * changed.
 */

#include "cpu/cpu.h"

/* What an exception cannot be delivered for. */
enum delivery_obstacle {
	DELIVERY_POSSIBLE, /* no reason was found */
	DELIVERY_BY_TABLES,
	DELIVERY_BY_STACK, /* the tables are right, but the frame cannot be pushed */
};

/*
 * Puts into words why an exception cannot be delivered to a CPU with these registers: "gate 0 names
 * selector 0x18, beyond the GDT (limit 0x17)". In a callback of this CPU.
 */
enum delivery_obstacle delivery_explain(struct cpu *cpu, const struct cpu_registers *registers,
	unsigned vector, bool has_error, char *text, size_t size);

#endif
