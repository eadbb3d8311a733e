/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STEP_H
#define VMM_STEP_H

/*
 * What an engine can tell of the instructions that its CPUs execute, for views of a run that is
 * over: the last ones, how often each was executed, and samples of who called it.
 */

#include <stdbool.h>
#include <stdint.h>

#define CPU_STEP_BYTES 15 /* no x86 instruction is longer (Intel SDM 2, 2.3.11) */

/* An instruction that was executed, or an interrupt or exception that was delivered before the
 * next one. An instruction that has raised an exception counts as executed. */
struct cpu_step {
	uint64_t address;              /* linear, of the instruction */
	int16_t vector;                /* of the interrupt or exception; -1: an instruction */
	uint8_t len;                   /* of the instruction; 0: its bytes are not known */
	uint8_t bytes[CPU_STEP_BYTES]; /* as they were when it was decoded */
};

struct cpu;

/* What the engine is to keep. All 0: nothing, which costs nothing. */
struct cpu_account {
	unsigned last_max; /* steps of each CPU, for engine_ops.last() */
	bool counts;       /* executions of each instruction, for engine_ops.counts() */

	/* A CPU calls sample() where code begins that always is executed as a whole, about every so
	 * many instructions, and once more in engine_ops.stop(): then so many were executed since
	 * the last time. 0: never. The CPU executes nothing meanwhile; sample() may use its
	 * registers and memory. */
	uint64_t sample_every;
	void (*sample)(struct cpu *cpu, uint64_t instructions);
};

static inline bool cpu_account_is_empty(const struct cpu_account *account)
{
	return account->last_max == 0 && !account->counts && account->sample_every == 0;
}

#endif
