/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

/*
 * The parts that reports have in common: who may report, callers, registers, and the bytes of the
 * instruction. On the thread that executes the CPU, while it executes nothing.
 */

#include <stdbool.h>

#include "cpu/cpu.h"
#include "cpu/store.h"

/*
 * Begins the report of a crash and ends the machine with EXIT_STATUS_CRASH. Returns false if the
 * machine is ending already: then there is nothing to report. Otherwise the caller says what
 * happened and calls report_end().
 */
bool report_begin(struct cpu *cpu);
void report_end(struct cpu *cpu);

/* Says the callers, the registers and the code at the instruction pointer, all by these registers:
 * those of the instruction that the report is about. */
void report_state(struct cpu *cpu, const struct cpu_registers *registers);

/* Does the same by the registers that the engine has of the CPU, or says why there are none. */
void report_cpu(struct cpu *cpu);

/* Says which instruction made an access to memory or a port, and the state of the CPU at it. store
 * is what was stored, NULL if the instruction has loaded. report_out() is for OUT. */
void report_access(struct cpu *cpu, const struct store *store);
void report_out(struct cpu *cpu, uint16_t port, unsigned len);

#endif
