/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PROFILE_H
#define VMM_PROFILE_H

/*
 * A profile: where CPUs were, and by which calls they had come there. Samples with the same chain
 * of calls are added up. Chains are followed by frame pointers (cpu/callers.h).
 *
 * It is written as folded stacks, "main;read;copy 123" a line, the outermost caller first, which
 * programs that draw flame graphs read; or in callgrind's format (callgrind.h).
 */

#include <stdio.h>

#include "cpu/callers.h"
#include "cpu/cpu.h"

#define PROFILE_CHAINS_MAX 65536u

struct profile_chain {
	uint64_t weight; /* 0: free */
	unsigned count;
	uint64_t address[1 + CALLERS_MAX]; /* where the CPU was; then return addresses */
};

struct profile {
	struct profile_chain *chains; /* a hash table of twice PROFILE_CHAINS_MAX */
	unsigned used;
	uint64_t others; /* weight of chains that found no place */
	uint64_t samples;
};

/* Returns an empty profile, or NULL for want of memory. profile_free() may have NULL. */
struct profile *profile_new(void);
void profile_free(struct profile *profile);

/* Adds a sample of a CPU, of this weight. As for callers_find(). */
void profile_sample(struct profile *profile, struct cpu *cpu, uint64_t weight);

/* Returns the chain after this one, the first one after NULL, or NULL at the end. */
const struct profile_chain *profile_next(
	const struct profile *profile, const struct profile_chain *chain);

/* Writes folded stacks to a file, whose errors are the caller's to look for. Symbols are those that
 * cpu knows. Returns 0 or -ENOMEM. */
int profile_write_folded(FILE *file, const struct profile *profile, struct cpu *cpu);

/* What stands for chains and addresses that found no place. */
#define PROFILE_OTHERS "(others)"

#endif
