/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CRASH_H
#define VMM_CRASH_H

/*
 * Crash reports: what happened, where by symbol, the registers, and the bytes of the instruction.
 * Each function reports on standard error and ends the machine with EXIT_STATUS_CRASH, unless it is
 * ending already. On the thread that executes the CPU, while it executes nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* Reports a triple fault: an exception came up while a double fault was being delivered (Intel SDM
 * 3, 6.15, interrupt 8). faults are the exceptions that led to it, the first one first; count is 0
 * if they are not known. An engine that gives up the delivery of the first one reports that one
 * alone. */
void crash_triple_fault(struct cpu *cpu, const struct cpu_fault *faults, unsigned count);

/* Reports an exception or interrupt that the kernel has no handler for. registers are those of the
 * instruction that was interrupted. */
void crash_exception(
	struct cpu *cpu, const struct cpu_fault *fault, const struct cpu_registers *registers);

/* Reports that the host's KVM cannot execute an instruction; or, if there is no memory at its
 * address, what has called or jumped there. */
void crash_instruction(struct cpu *cpu);

/* A part of the architecture that the software CPU lacks. */
struct cpu_lack {
	const char *what;   /* "64-bit mode" */
	const char *advice; /* what a user can do: "run it with --engine kvm" */
};

/* Reports that the guest cannot continue without what this CPU lacks. */
void crash_lacking(struct cpu *cpu, const struct cpu_lack *lack);

/* Warns that the instruction at a linear address uses what this CPU lacks. The machine does not
 * end: the guest continues with the exception that a CPU without it raises. */
void warn_lacking(struct cpu *cpu, const struct cpu_lack *lack, uint64_t address);

/* Returns whether a load of len bytes is one of the CPU's own: of an entry of the GDT or IDT
 * (Intel SDM 3, 3.4.5 and 6.11), outside of long mode. */
bool crash_is_table_entry(struct cpu *cpu, uint64_t address, unsigned len);

/* Report an access to an address that cpu_host.mmio() refused with this error, and one to a port
 * that cpu_host.port() refused. -EFAULT: crash_is_table_entry(), and there is no memory. */
void crash_mmio(struct cpu *cpu, uint64_t address, bool is_write, const uint8_t *data, unsigned len,
	int error);
void crash_port(struct cpu *cpu, uint16_t port, bool is_write, const uint8_t *data, unsigned len);

/* What a CPU writes of its own accord, and cannot where memory is read-only. */
enum cpu_own_write {
	CPU_SAVES_TASK,        /* state or link of the old task, at a task switch */
	CPU_WRITES_PAGE_FLAGS, /* accessed or dirty flag of a paging-structure entry */
};

/* Reports such a write to a guest-physical address. */
void crash_own_write(struct cpu *cpu, uint64_t address, enum cpu_own_write write);

#endif
