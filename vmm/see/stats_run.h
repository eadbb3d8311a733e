/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATS_RUN_H
#define VMM_STATS_RUN_H

/*
 * A run, as --stats tells of it: what was run, and when the moments of its life came, from main()
 * to the end of the process.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "process.h"

enum stats_moment {
	STATS_MAIN,              /* vole's main() began */
	STATS_IMAGE,             /* the image is read, and files of devices are open */
	STATS_ENGINE,            /* guest memory and CPUs are made */
	STATS_LOADED,            /* the image is in guest memory */
	STATS_DEVICES,           /* devices are made */
	STATS_SHUT_IN,           /* the sandbox is closed, and all is ready */
	STATS_FIRST_INSTRUCTION, /* guest code is entered for the first time */
	STATS_FIRST_EXIT,        /* it is left for the first time, for a reason that vole sees */
	STATS_FIRST_OUTPUT,      /* the first output of the guest was written */
	STATS_END,               /* the machine's end was decided */
	STATS_STOPPED,           /* no CPU executes any more */
	STATS_DRAINED,           /* requests and output are done */
	STATS_FREED,             /* guest memory, CPUs and devices are freed */
	STATS_MOMENTS,
};

struct stats_run {
	uint64_t before_main_ns; /* CPU time that the process had used when main() began */
	struct {
		atomic_uint_fast64_t ns; /* by monotonic_ns(); 0: it has not come */
		uint64_t instructions;   /* executed until then */
	} moments[STATS_MOMENTS];

	uint64_t cpu_ns; /* CPU time of the process at the end, all of it */

	/* Set at the end. Strings are not owned. */
	const char *kernel, *cmdline, *engine, *clock;
	unsigned cpu_count;
	uint64_t memory_size; /* bytes */
	int status;           /* exit status of vole */
};

/* Begins an empty run of a process that began so. */
void stats_run_begin(struct stats_run *run, const struct process_start *start);

/* A moment has come, if it had not before; instructions is how many the guest has executed so far.
 * Any thread. */
void stats_run_reach(struct stats_run *run, enum stats_moment moment, uint64_t instructions);

/* The run has ended: sets cpu_ns. */
void stats_run_end(struct stats_run *run);

/* Returns whether the moment is still to come. Any thread. */
bool stats_run_awaits(const struct stats_run *run, enum stats_moment moment);

/* Returns whether a moment is told with the number of instructions up to it. The end is not: it can
 * be decided on a thread that may not ask the engine. */
bool stats_moment_counts(enum stats_moment moment);

/* Returns the time of a moment in nanoseconds since main(), 0 if it has not come. */
uint64_t stats_run_ns(const struct stats_run *run, enum stats_moment moment);

/* Returns the instructions up to a moment since the first one. */
uint64_t stats_run_instructions(const struct stats_run *run, enum stats_moment moment);

/* Returns whether the engine counts instructions. After the end. */
bool stats_run_counts(const struct stats_run *run);

#endif
