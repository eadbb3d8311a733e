/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_ACCOUNT_H
#define VMM_X86_ACCOUNT_H

/*
 * Exact accounts of the instructions that CPUs execute. While a system has some, each block begins
 * with a slot that is no instruction and calls x86_account_enter(); otherwise blocks have no such
 * slot, and nothing is paid.
 *
 * A block's instructions are executed in their order, from the first one on. So the block that was
 * entered, and the count of instructions when the next one is entered, tell exactly which of them
 * were: also after a jump out of the middle, a fault, or the end of a budget. An instruction that
 * faults counts as executed, as it does in x86_count().
 *
 * Blocks live until their cache is flushed. What is known by block is then put down by address.
 */

#include "cpu/step.h"
#include "x86/counts.h"
#include "x86/insn.h"

/* A block as accounts know it: x86_block.account. */
struct x86_account_block {
	struct x86_account_block *next;    /* of this CPU */
	uint64_t linear;                   /* of its first instruction */
	unsigned count;                    /* instructions */
	unsigned size;                     /* bytes */
	uint16_t start[X86_BLOCK_MAX + 1]; /* offset of each instruction, and of the end */
	uint64_t left[X86_BLOCK_MAX + 1];  /* how often it was left after so many instructions */
	uint8_t bytes[];
};

/* What was executed last, by block: the first count instructions; or one step without a block. */
struct x86_account_entry {
	const struct x86_account_block *block; /* NULL: a step, of this address and vector */
	unsigned count;
	int vector;
	uint64_t address;
};

/* The last steps: a ring of entries, of which each is one step at least, and before them what was
 * known by block once. */
struct x86_account_last {
	unsigned max;                      /* steps that are wanted */
	struct x86_account_entry *entries; /* so many */
	unsigned next, used;
	struct cpu_step *steps, *spare; /* so many each; the oldest first */
	unsigned step_count;
};

struct x86_account_cpu {
	struct x86_account_block *blocks;  /* a list */
	struct x86_account_block *current; /* NULL: none is being executed, or which is unknown */
	struct x86_account_block *once;    /* the current one, if it has no account of its own */
	uint64_t count;                    /* x86_count() when it was entered */
	uint64_t sampled;                  /* x86_count() at the last sample */
	bool has_begun;
	struct x86_account_last last;
};

struct x86_account {
	bool counts_wanted;
	struct x86_counts counts;
	uint64_t sample_every; /* instructions; 0: no samples */
	void (*sample)(void *ctx, struct x86_cpu *cpu, uint64_t instructions);
	void *ctx;
	unsigned cpu_count;
	struct x86_account_cpu *cpus;
};

/* Makes accounts for so many CPUs as wanted says; its sample() is not used. Before the CPUs are
 * made. x86_account_free() undoes it in any state, after they are freed. 0 or -ENOMEM. */
int x86_account_init(
	struct x86_account *account, const struct cpu_account *wanted, unsigned cpu_count);
void x86_account_free(struct x86_account *account);

/* Begins the account of a block that was decoded just now from RAM. Without one, as for want of
 * memory, all that is executed of the block counts as its first instruction.
 * cpu->system->account may be NULL. */
void x86_account_add(struct x86_cpu *cpu, struct x86_block *block);

/* The current block is entered: for the run loop, at its first slot. */
void x86_account_enter(struct x86_cpu *cpu);

/* An interrupt or exception is delivered, or was; cpu->system->account may be NULL. */
void x86_account_deliver(struct x86_cpu *cpu, unsigned vector);

/* The CPU's blocks are about to be forgotten; cpu->system->account may be NULL. */
void x86_account_forget(struct x86_cpu *cpu);

/* Ends the accounts of a CPU that executes nothing more: with a last sample. */
void x86_account_end(struct x86_cpu *cpu);

/* --- account_last.c --------------------------------------------------------------------------- */

/* 0 or -ENOMEM. x86_account_last_free() undoes it in any state. max may be 0. */
int x86_account_last_init(struct x86_account_last *last, unsigned max);
void x86_account_last_free(struct x86_account_last *last);

/* Adds an entry. Nothing if max is 0. */
static inline void x86_account_last_add(
	struct x86_account_last *last, const struct x86_account_entry *entry)
{
	if (last->max == 0)
		return;
	last->entries[last->next++] = *entry;
	if (last->next == last->max)
		last->next = 0;
	last->used += last->used < last->max;
}

/* Puts all steps into last->steps, so that no block is needed any more. */
void x86_account_last_settle(struct x86_account_last *last);

#endif
