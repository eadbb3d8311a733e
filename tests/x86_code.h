/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_X86_CODE_H
#define TESTS_X86_CODE_H

/*
 * A machine with one software CPU and a megabyte of RAM that executes bytes of code, for unit
 * tests. The CPU begins at CPL 0 in flat segments of 32 bits, without paging, interrupts off, at
 * CODE, with its stack below STACK. The IDT has a gate for each exception to a HLT of its own.
 */

#include "x86/block.h"
#include "x86/x86.h"

#define CODE     0x10000u
#define STACK    0x8000u
#define RAM_SIZE 0x100000u
#define IDT      0x1000u
#define GDT      0x2000u
#define HANDLERS 0x3000u /* the handler of vector n is at HANDLERS + 16 * n */
#define DEVICE   0xd0000000u

struct x86_code {
	struct x86_cpu cpu;
	struct x86_system system;
	struct gmem gmem;
	struct gmem_region region;
	uint8_t *ram; /* RAM_SIZE bytes at guest-physical 0 */

	/* Called for accesses to ports and to DEVICE, if it is not NULL. False: end the machine. */
	bool (*access)(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value);
	uint64_t count_seen; /* x86_count() at the last access */
	int interrupt;       /* the vector to acknowledge next; -1: none */
	unsigned acknowledged;
};

/* Undone by x86_code_end(). */
void x86_code_start(struct x86_code *code);
void x86_code_end(struct x86_code *code);

/* Store bytes, given as hexadecimal digits with spaces, in RAM as a loader does. Returns the
 * address behind them. */
uint32_t x86_code_put(struct x86_code *code, uint32_t address, const char *hex);

/* Set all registers but ESP to values that differ, and EIP to CODE; undo a HLT. */
void x86_code_rewind(struct x86_code *code);

/* Make DS, ES and SS end at the end of RAM, so that all accesses are checked. */
void x86_code_limit_segments(struct x86_code *code);

/* The word at an address of RAM. */
uint32_t x86_code_load(const struct x86_code *code, uint32_t address);

/* Switch paging on: page 0x40 is absent, all others of the first 4 MiB are themselves. The
 * directory is at 0x4000, the table at 0x5000. */
void x86_code_page(struct x86_code *code);

/* General registers, EIP and EFLAGS are equal; if not, they are shown. */
bool x86_code_same(const struct x86_cpu *a, const struct x86_cpu *b);

#endif
