/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_X86_LEVELS_H
#define TESTS_X86_LEVELS_H

/* Descriptors, a TSS and stacks for tests of transfers between privilege levels. */

#include "x86_descriptors.h"
#include "x86_machine.h"

#define TSS     0x3000u
#define STACK_0 0x8000u /* ESP0 of the TSS */
#define STACK_3 0x9000u
#define HANDLER 0x00123456u

enum {
	CONFORMING_0 = 0x28,
	ABSENT_CODE_0 = 0x30,
	SMALL_CODE_0 = 0x38, /* limit 0xfff */
	ABSENT_DATA_0 = 0x40,
	SMALL_DATA_0 = 0x48, /* limit 3: no frame fits */
	TSS_SELECTOR = 0x50,
	GATE = 0x58, /* a call gate that tests fill in */
	CODE_1 = 0x60,
	DATA_1 = 0x68,
	LIMIT = 0x7f,
};

uint64_t x86_make_gate(uint16_t selector, uint32_t offset, uint8_t type, uint8_t parameters);

/* A gate to HANDLER in the IDT. */
void x86_set_gate(struct x86_machine *m, unsigned vector, uint16_t selector, uint8_t type);

/* Tables, TSS, and a CPU at level 0 or 3, with flat segments and ESP at STACK_3; the instruction is
 * at RETURN - 2. The gate of VECTOR leads to CODE_0. */
void x86_start_at(struct x86_machine *m, unsigned cpl);

/* The word so many words above the top of the stack. */
uint32_t x86_on_stack(const struct x86_machine *m, unsigned n);

#endif
