/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/stats_run.h"

#include <time.h>

#include "monotonic.h"

/* Returns the CPU time that this process had used at a moment since which it has not waited. */
static uint64_t cpu_time_at(uint64_t then_ns)
{
	uint64_t since = monotonic_ns() - then_ns, ns;
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	ns = (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
	return ns > since ? ns - since : 0;
}

void stats_run_begin(struct stats_run *run, uint64_t main_ns)
{
	run->before_main_ns = cpu_time_at(main_ns);
	atomic_store(&run->moments[STATS_MAIN].ns, main_ns);
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
