/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_PORTS_H
#define VOLE_PORTS_H

/*
 * The I/O ports of the machine; spec/machine.md. An access to any other port, or of another width,
 * ends the machine as a crash of the guest.
 */

/* Write, 8 bits: a byte for the host's debug console. Read, 8 bits: VOLE_PORT_DEBUG itself, so that
 * a kernel can tell that somebody listens (the habit of Bochs and QEMU). */
#define VOLE_PORT_DEBUG 0xe9

/* Write, 32 bits, any value: the guest is ready to be saved (vole run --checkpoint): once, the
 * machine is, as it is after this instruction. Without that option nothing happens.
 * Read, 32 bits: 0 in a machine that was started; in one that goes on from a checkpoint (vole
 * clone), a number that differs from that of other clones: who has random numbers draws new
 * ones. */
#define VOLE_PORT_CHECKPOINT 0xec

/* Write, 32 bits, any value: marks this moment for who watches the machine: the value shows in its
 * log, trace and capture. */
#define VOLE_PORT_MARK 0xf0

/* Write, 32 bits: powers the machine off with this exit code. */
#define VOLE_PORT_EXIT 0xf4

/* Write, 32 bits: starts a CPU; the value is the guest-physical address of a struct cpu_start.
 * Read, 32 bits: the outcome of this CPU's last such write, a VOLE_CPU_START_ value. */
#define VOLE_PORT_CPU 0xf8

#define VOLE_CPU_START_OK      0 /* started; also before any write */
#define VOLE_CPU_START_NO_CPU  1 /* no CPU has this number */
#define VOLE_CPU_START_RUNNING 2 /* it was started before, or is the boot CPU */
#define VOLE_CPU_START_FAULT   3 /* structure not in RAM or not aligned to 4; stack not in RAM */

/* Write, 8 bits: an exception or interrupt that the kernel has no handler for. Only the stubs
 * behind the gates of the IDT at entry write it: the machine ends with a report of the
 * exception. */
#define VOLE_PORT_EXCEPTION 0xfc

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <vole/language.h>

/*
 * How a secondary CPU starts: in the state of the boot CPU at entry, but with ESP just below stack,
 * EBX = argument, and [ESP + 4] = argument, so that entry can be a C function
 * void entry(uint32_t argument). If it returns, the CPU halts for good, interrupts off.
 * The structure is read before the port write returns.
 */
struct cpu_start {
	uint32_t cpu; /* local APIC id */
	uint32_t entry;
	uint32_t stack; /* first address above the stack; 0: the CPU starts without one */
	uint32_t argument;
};

VOLE_STATIC_ASSERT(sizeof(struct cpu_start) == 16, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct cpu_start, argument) == 12, "boot protocol");

#endif /* __ASSEMBLER__ */
#endif
