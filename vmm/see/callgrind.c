/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/callgrind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "see/grow.h"
#include "see/sort.h"

#define UNKNOWN "???"

/* A cost of a line of a function; or of what the line has called. */
struct cost {
	const char *file, *function;
	uint32_t line;
	const char *callee_file, *callee; /* NULL: its own cost */
	uint64_t samples, cost;
};

struct costs {
	const struct callgrind *from;
	struct cost *entries;
	size_t count;
	int error;
};

/* Where an address is. Symbols live as long as the image. */
static void locate(const struct costs *costs, uint64_t address, const char **file,
	const char **function, uint32_t *line)
{
	const struct callgrind *from = costs->from;
	const struct lines_row *row = from->lines ? lines_find(from->lines, address) : NULL;
	uint32_t offset;

	*function = from->cpu->host->symbol(from->cpu, address, &offset);
	if (!*function)
		*function = UNKNOWN;
	*file = row ? from->lines->files[row->file] : UNKNOWN;
	*line = row ? row->line : 0;
}

static void add(struct costs *costs, const struct cost *cost)
{
	struct cost *grown = grow(costs->entries, costs->count, sizeof *grown);

	if (!grown) {
		costs->error = -ENOMEM;
		return;
	}
	costs->entries = grown;
	costs->entries[costs->count++] = *cost;
}

static void add_own(struct costs *costs, uint64_t address, uint64_t count)
{
	struct cost cost = {.cost = count};

	locate(costs, address, &cost.file, &cost.function, &cost.line);
	add(costs, &cost);
}

/* A call, from the line before a return address. */
static void add_call(struct costs *costs, uint64_t from, uint64_t to, uint64_t weight)
{
	struct cost cost = {.samples = 1, .cost = weight};
	uint32_t line;

	locate(costs, from, &cost.file, &cost.function, &cost.line);
	locate(costs, to, &cost.callee_file, &cost.callee, &line);
	add(costs, &cost);
}

/* The calls of a chain, of which each counts once: recursion costs no more than its outermost. */
static void add_calls(struct costs *costs, const struct profile_chain *chain)
{
	for (unsigned i = 1; i < chain->count; i++) {
		uint64_t caller = chain->address[i] - 1;
		uint64_t callee = chain->address[i - 1] - (i > 1);
		bool is_again = false;

		for (unsigned j = i + 1; j < chain->count; j++)
			is_again |= chain->address[j] == chain->address[i];
		if (!is_again)
			add_call(costs, caller, callee, chain->weight);
	}
}

/* By function, own costs first; then by line, and what is called. */
static int compare(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;
	int order = strcmp(x->function, y->function);

	if (order == 0)
		order = strcmp(x->file, y->file);
	if (order == 0)
		order = (x->callee != NULL) - (y->callee != NULL);
	if (order == 0 && x->callee)
		order = strcmp(x->callee, y->callee);
	if (order == 0 && x->callee)
		order = strcmp(x->callee_file, y->callee_file);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static bool is_same_function(const struct cost *a, const struct cost *b)
{
	return strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0;
}

static void write_cost(FILE *file, const struct cost *cost)
{
	if (cost->callee)
		fprintf(file, "cfi=%s\ncfn=%s\ncalls=%" PRIu64 " 0\n", cost->callee_file,
			cost->callee, cost->samples);
	fprintf(file, "%u %" PRIu64 "\n", cost->line, cost->cost);
}

static void write_costs(FILE *file, struct costs *costs)
{
	struct cost *entries = costs->entries;

	if (costs->error == 0)
		costs->error = sort(entries, costs->count, sizeof *entries, compare);
	for (size_t i = 0; costs->error == 0 && i < costs->count; i++) {
		if (i == 0 || !is_same_function(&entries[i - 1], &entries[i]))
			fprintf(file, "\nfl=%s\nfn=%s\n", entries[i].file, entries[i].function);
		if (i + 1 < costs->count && compare(&entries[i], &entries[i + 1]) == 0) {
			entries[i + 1].cost += entries[i].cost;
			entries[i + 1].samples += entries[i].samples;
			continue;
		}
		write_cost(file, &entries[i]);
	}
}

int callgrind_write(FILE *file, const struct callgrind *from)
{
	struct costs costs = {.from = from};
	const struct profile_chain *chain = NULL;
	uint64_t total = from->hits ? from->hits_others : from->profile->others;

	if (total > 0)
		add(&costs, &(struct cost){UNKNOWN, PROFILE_OTHERS, 0, NULL, NULL, 0, total});
	for (size_t i = 0; from->hits && i < from->hits->count; i++) {
		add_own(&costs, from->hits->entries[i].address, from->hits->entries[i].count);
		total += from->hits->entries[i].count;
	}
	while ((chain = profile_next(from->profile, chain))) {
		add_calls(&costs, chain);
		if (from->hits)
			continue;
		add_own(&costs, chain->address[0], chain->weight);
		total += chain->weight;
	}
	fprintf(file, "# callgrind format\nversion: 1\ncreator: vole\ncmd: %s%s%s\n", from->kernel,
		from->cmdline[0] ? " " : "", from->cmdline);
	fprintf(file, "positions: line\nevents: %s\nsummary: %" PRIu64 "\n", from->event, total);
	write_costs(file, &costs);
	fprintf(file, "\ntotals: %" PRIu64 "\n", total);
	free(costs.entries);
	return costs.error;
}
