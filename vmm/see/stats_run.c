/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/stats_run.h"

#include "monotonic.h"

void stats_run_begin(struct stats_run *run, const struct process_start *start)
{
	run->before_main_ns = start->cpu_ns;
	atomic_store(&run->moments[STATS_MAIN].ns, start->ns);
}

void stats_run_reach(struct stats_run *run, enum stats_moment moment, uint64_t instructions)
{
	uint_fast64_t none = 0;

	if (atomic_compare_exchange_strong(&run->moments[moment].ns, &none, monotonic_ns()))
		run->moments[moment].instructions = instructions;
}

bool stats_run_awaits(const struct stats_run *run, enum stats_moment moment)
{
	return atomic_load(&run->moments[moment].ns) == 0;
}

void stats_run_end(struct stats_run *run)
{
	run->cpu_ns = process_cpu_ns();
}

bool stats_moment_counts(enum stats_moment moment)
{
	return moment == STATS_FIRST_INSTRUCTION || moment == STATS_FIRST_EXIT ||
	       moment == STATS_FIRST_OUTPUT || moment == STATS_STOPPED;
}

uint64_t stats_run_ns(const struct stats_run *run, enum stats_moment moment)
{
	uint64_t ns = atomic_load(&run->moments[moment].ns);

	return ns ? ns - atomic_load(&run->moments[STATS_MAIN].ns) : 0;
}

uint64_t stats_run_instructions(const struct stats_run *run, enum stats_moment moment)
{
	return run->moments[moment].instructions -
	       run->moments[STATS_FIRST_INSTRUCTION].instructions;
}

bool stats_run_counts(const struct stats_run *run)
{
	return run->moments[STATS_STOPPED].instructions > 0;
}
