/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FAULT_H
#define VMM_FAULT_H

/*
 * Exceptions in words. On the thread that executes the CPU, within a report.
 */

#include "cpu/cpu.h"

/* Vectors (Intel SDM 3, 6.15). Those from FAULT_FIRST_INTERRUPT on are no exceptions' (6.2). */
#define FAULT_NMI                2
#define FAULT_GENERAL_PROTECTION 13
#define FAULT_PAGE               14
#define FAULT_FIRST_INTERRUPT    32

/* Bits of error codes (6.13): the event came from outside, or is a debug trap; the index is that of
 * a gate of the IDT; the selector is one of the LDT. */
#define FAULT_ERROR_EXT 0x1u
#define FAULT_ERROR_IDT 0x2u
#define FAULT_ERROR_TI  0x4u

struct fault_text {
	char text[400];
};

/* Returns the name of an exception (Intel SDM 3, table 6-1), "interrupt" for other vectors. */
const char *exception_name(unsigned vector);

struct gate_text {
	char text[16];
};

/* Returns the name of a gate of the IDT: "gate 13" of an exception, "gate 0x40" of an interrupt. */
struct gate_text fault_gate(unsigned vector);

/* Returns the name with vector and error code: "general protection (13), error code 0x18: selector
 * 0x18". */
struct fault_text fault_name(const struct cpu_fault *fault);

/*
 * Returns what happened and where: "divide error (0) on CPU 0 at 0x00101052 (divide+0x10)". For a
 * page fault it has the access and the cause, by the paging structures as they are now and by
 * registers, which may be NULL if they are lost: then only by the error code.
 * For a general protection that RDMSR or WRMSR raised it has the MSR.
 */
struct fault_text fault_describe(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers);

/* Says, in one indented line, the entries of the paging structures that lead to the address of a
 * page fault; nothing for other exceptions. registers as above. */
void fault_say_walk(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers);

#endif
