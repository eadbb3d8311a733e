/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_X86_MACHINE_H
#define TESTS_X86_MACHINE_H

/*
 * A CPU of the software engine over a little memory, for tests that call its parts without the run
 * loop. RAM is from 0 to X86_RAM_SIZE, with a read-only page behind it; all else is on the bus,
 * which notes accesses, reads as ones, and can refuse.
 */

#include "x86/operands.h"
#include "x86/x86.h"

#define X86_RAM_SIZE 0x100000u
#define X86_ROM      X86_RAM_SIZE /* guest-physical address of the read-only page */

struct x86_machine {
	struct x86_cpu cpu;
	struct x86_system system;
	struct gmem gmem;
	struct gmem_region regions[2];
	uint8_t *ram; /* the read-only page follows */

	/* The bus. */
	unsigned bus_calls;
	gpa_t bus_gpa; /* of the last access */
	uint64_t bus_value;
	unsigned bus_len;
	bool bus_is_write, bus_refuses;
	uint64_t tsc;

	bool raised;    /* the last attempt() left by an exception, or was abandoned */
	uint64_t value; /* for the result of an attempt, which a local variable may lose */
};

/* Owned by the program, until its end. The CPU is as after RESET. */
struct x86_machine *x86_machine_make(void);
void x86_machine_free(struct x86_machine *machine);

/* Make it a 32-bit protected-mode CPU with flat segments at CPL 0, without a descriptor table. */
void x86_machine_protect(struct x86_machine *machine);

/* Words of RAM, or of the read-only page. */
uint32_t x86_machine_load(const struct x86_machine *machine, gpa_t gpa);
void x86_machine_store(struct x86_machine *machine, gpa_t gpa, uint32_t value);
void x86_machine_store64(struct x86_machine *machine, gpa_t gpa, uint64_t value);

/* Do something that may raise; machine->raised and machine->cpu.raised tell. Variables of the
 * function that the statement changes, or that change in a loop around it, may be lost. */
#define attempt(machine, ...)                                   \
	do {                                                    \
		(machine)->raised = true;                       \
		(machine)->cpu.raised = (struct x86_exception){ \
			.vector = X86_NO_VECTOR,                \
		};                                              \
		if (setjmp((machine)->cpu.env) == 0) {          \
			__VA_ARGS__;                            \
			(machine)->raised = false;              \
		}                                               \
	} while (0)

/* Whether the last attempt raised this exception; error is X86_NO_ERROR where there is no code. */
#define X86_NO_ERROR UINT32_MAX
bool x86_machine_raised(const struct x86_machine *machine, unsigned vector, uint32_t error);

#endif
