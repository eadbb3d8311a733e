/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FAKE_CPU_H
#define TESTS_FAKE_CPU_H

/*
 * A CPU for tests of reports, with registers, memory and symbols that the test makes up. Linear
 * addresses are guest-physical ones unless has_paging is set, whatever the registers say.
 */

#include "cpu/cpu.h"

#define FAKE_RAM_SIZE 0x20000u

struct fake_symbol {
	uint64_t address;
	const char *name; /* NULL ends a list, which is sorted by address */
};

struct fake_cpu {
	struct cpu cpu;
	struct cpu_registers registers;
	int registers_error; /* what asking for them returns: 0 or a negative errno */
	const struct fake_symbol *symbols;
	bool has_paging;       /* linear addresses are translated as the registers say */
	unsigned branch_count; /* of branches */
	struct cpu_branch branches[CPU_BRANCHES];
	unsigned reports, reports_ended;
	int status; /* with which the machine was ended; 0: it was not */
	struct gmem gmem;
	struct gmem_region region; /* RAM from guest-physical 0 */
	uint8_t ram[FAKE_RAM_SIZE];
};

/* Makes a 32-bit CPU in protected mode without paging, with memory of zeros and no symbols. It must
 * not move afterwards. */
void fake_cpu_init(struct fake_cpu *fake);

/* Makes its position that of an engine which can be behind an instruction that has stored. */
void fake_cpu_make_inexact(struct fake_cpu *fake);

/* Store little-endian words, and bytes, in its memory. */
void fake_word(struct fake_cpu *fake, uint64_t address, uint32_t value);
void fake_word64(struct fake_cpu *fake, uint64_t address, uint64_t value);
void fake_bytes(struct fake_cpu *fake, uint64_t address, const void *bytes, size_t len);

#endif
