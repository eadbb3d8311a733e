/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STATS_H
#define VMM_STATS_H

/*
 * The view of --stats: counts and measures a run, and tells all of it at its end, as a table for
 * people or as JSON (spec/stats.md). Times are the host's, also with --clock virtual.
 *
 * It is made before everything else of a machine and told last, so that start and end are in it.
 * What the guest decides the number of (places of exits, marks) is bounded: the rest is summed.
 */

#include <stdint.h>

#include "see/stats_run.h"
#include "see/views.h"

struct stats;

/* Makes statistics of a process that began so. NULL (said): no memory. */
struct stats *stats_new(const struct process_start *start);
void stats_free(struct stats *stats);

/* Opens the file for JSON, or standard error for a table if path is NULL, and adds the view, which
 * the caller goes on to own. Returns 0 or -errno (said). */
int stats_open(struct stats *stats, struct views *views, const char *path);

/* Returns the run, which lives as long. */
struct stats_run *stats_run(struct stats *stats);

/* Adds a counter of the host's, for the machine (cpu -1) or a CPU: one value, or those of a
 * histogram. Strings are copied; without memory the counter is left out. Once no CPU executes any
 * more. */
void stats_add_counter(
	struct stats *stats, int cpu, const char *name, const uint64_t *values, unsigned count);

/* Sets how many instructions a CPU has executed. Once no CPU executes any more. */
void stats_set_instructions(struct stats *stats, unsigned cpu, uint64_t instructions);

/* Tells all, if it was opened, and closes the file. Of a guest that has not executed anything there
 * is no table. Says what could not be written. After views_close(), while the kernel's symbols are
 * there. Returns false if the file's writer is stuck, so that stats cannot be freed. */
bool stats_tell(struct stats *stats);

#endif
