/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MEASURE_H
#define VMM_MEASURE_H

/*
 * What the machine tells the statistics of --stats, besides events: the moments of its life, and
 * what its engine has counted.
 */

#include "machine/vm.h"
#include "see/stats.h"

/* For measure_reach(). */
void measure_moment(struct vm *vm, enum stats_moment moment);

/* A moment has come. Only the first time counts. On the thread that executes guest code, or the I/O
 * thread. */
static inline void measure_reach(struct vm *vm, enum stats_moment moment)
{
	if (__builtin_expect(vm->stats != NULL, 0))
		measure_moment(vm, moment);
}

/* Asks the engine for what it has counted. After engine_ops.stop(). */
void measure_collect(struct vm *vm);

/* Tells the statistics, if they were wanted and were opened. After watch_close(), while the
 * kernel's symbols are there. */
void measure_tell(struct vm *vm);

/* Frees them. */
void measure_free(struct vm *vm);

#endif
