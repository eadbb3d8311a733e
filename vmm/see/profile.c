/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "see/sort.h"

#define TABLE (2 * PROFILE_CHAINS_MAX)

/* Only the pages in use are filled. */
struct profile *profile_new(void)
{
	struct profile *profile = calloc(1, sizeof *profile);
	void *chains = mmap(NULL, TABLE * sizeof *profile->chains, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (profile && chains != MAP_FAILED) {
		profile->chains = chains;
		return profile;
	}
	if (chains != MAP_FAILED)
		munmap(chains, TABLE * sizeof *profile->chains);
	free(profile);
	return NULL;
}

void profile_free(struct profile *profile)
{
	if (profile)
		munmap(profile->chains, TABLE * sizeof *profile->chains);
	free(profile);
}

static size_t hash(const struct profile_chain *chain)
{
	uint64_t value = chain->count;

	for (unsigned i = 0; i < chain->count; i++)
		value = (value ^ chain->address[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(value >> 40);
}

static bool is_same(const struct profile_chain *a, const struct profile_chain *b)
{
	return a->count == b->count &&
	       memcmp(a->address, b->address, a->count * sizeof a->address[0]) == 0;
}

static void add(struct profile *profile, const struct profile_chain *chain)
{
	size_t at = hash(chain) % TABLE;

	while (profile->chains[at].weight != 0 && !is_same(&profile->chains[at], chain))
		at = (at + 1) % TABLE;
	if (profile->chains[at].weight != 0) {
		profile->chains[at].weight += chain->weight;
	} else if (profile->used < PROFILE_CHAINS_MAX) {
		profile->chains[at] = *chain;
		profile->used++;
	} else {
		profile->others += chain->weight;
	}
}

void profile_sample(struct profile *profile, struct cpu *cpu, uint64_t weight)
{
	struct profile_chain chain = {.weight = weight, .count = 1};
	struct cpu_registers registers;
	struct callers callers;

	if (weight == 0)
		return;
	profile->samples++;
	if (cpu->ops->registers(cpu, &registers) < 0) {
		profile->others += weight;
		return;
	}
	chain.address[0] = registers.cs.base + registers.rip;
	callers_find_certain(cpu, &registers, &callers);
	for (unsigned i = 0; i < callers.certain; i++)
		chain.address[chain.count++] = callers.address[i];
	add(profile, &chain);
}

const struct profile_chain *profile_next(
	const struct profile *profile, const struct profile_chain *chain)
{
	const struct profile_chain *end = profile->chains + TABLE;

	for (chain = chain ? chain + 1 : profile->chains; chain < end; chain++)
		if (chain->weight != 0)
			return chain;
	return NULL;
}

/* --- folded stacks ---------------------------------------------------------------------------- */

struct stack {
	char *text;
	uint64_t weight;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct stack *)a)->text, ((const struct stack *)b)->text);
}

/* The functions of a chain. A return address may be behind its function, so the call counts. */
static char *fold(const struct profile_chain *chain, struct cpu *cpu)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	for (unsigned i = chain->count; file && i-- > 0;) {
		uint64_t address = chain->address[i] - (i > 0);
		uint32_t offset;
		const char *symbol = cpu->host->symbol(cpu, address, &offset);

		if (symbol)
			fprintf(file, "%s%s", symbol, i > 0 ? ";" : "");
		else
			fprintf(file, "0x%" PRIx64 "%s", chain->address[i], i > 0 ? ";" : "");
	}
	if (!file || fclose(file) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Writes the stacks, sorted, each once. 0 or -ENOMEM. */
static int write_stacks(FILE *file, struct stack *stacks, size_t count)
{
	int ret = sort(stacks, count, sizeof *stacks, compare);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < count; i++) {
		uint64_t weight = stacks[i].weight;

		if (i + 1 < count && strcmp(stacks[i].text, stacks[i + 1].text) == 0)
			stacks[i + 1].weight += weight;
		else
			fprintf(file, "%s %" PRIu64 "\n", stacks[i].text, weight);
	}
	return 0;
}

int profile_write_folded(FILE *file, const struct profile *profile, struct cpu *cpu)
{
	struct stack *stacks = calloc(profile->used + 1, sizeof *stacks);
	const struct profile_chain *chain = NULL;
	size_t count = 0;
	int ret = 0;

	if (!stacks)
		return -ENOMEM;
	while (ret == 0 && (chain = profile_next(profile, chain))) {
		stacks[count] = (struct stack){fold(chain, cpu), chain->weight};
		ret = stacks[count].text ? 0 : -ENOMEM;
		count += ret == 0;
	}
	if (ret == 0)
		ret = write_stacks(file, stacks, count);
	if (ret == 0 && profile->others > 0)
		fprintf(file, PROFILE_OTHERS " %" PRIu64 "\n", profile->others);
	while (count > 0)
		free(stacks[--count].text);
	free(stacks);
	return ret;
}
