/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_LOOPS_H
#define TESTS_BENCH_LOOPS_H

/*
 * Loops that measure how fast an engine executes guest code: 32-bit integer instructions, each loop
 * with an accent of its own. All work on memory of their own and give a checksum that depends on
 * every round, so that engines can be compared for what they compute, too.
 */

#include <stdint.h>

struct loop {
	const char *name;
	uint32_t (*run)(uint32_t rounds); /* returns the checksum */
	uint32_t rounds; /* about half a second at 500 million instructions a second */
};

#define LOOP_COUNT 9
extern const struct loop loops[LOOP_COUNT];

#endif
