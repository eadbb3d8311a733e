/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MONITOR_TABLES_H
#define VMM_MONITOR_TABLES_H

/* A CPU's tables in words, for monitor.c. When cpu_ops may be used. Each adds lines to text. */

#include "cpu/cpu.h"
#include "see/text.h"

/* The entries that lead to a linear address, and where it is (Intel SDM 3, 4.3 to 4.5). */
void monitor_pages(struct cpu *cpu, uint64_t linear, struct text *text);

/* The gates that are present (Intel SDM 3, 6.11), and the descriptors (3.4.5). */
void monitor_idt(struct cpu *cpu, struct text *text);
void monitor_gdt(struct cpu *cpu, struct text *text);

#endif
