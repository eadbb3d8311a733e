/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HISTORY_POINTS_H
#define VMM_HISTORY_POINTS_H

/* The machine as it was at some moments of its run, between two turns, so that a debugger can go
 * back to one. I/O thread. */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/engine.h"
#include "options.h"
#include "replay/ram_copy.h"
#include "replay/undo.h"

struct vm;

struct history_point {
	struct engine_position position;
	uint64_t counts[CPUS_MAX]; /* instructions of each CPU */
	size_t journal_at;
	uint64_t undo_count;
	uint64_t exits; /* that --max-exits had counted */
	struct ram_copy ram;
	uint8_t *machine, *outside; /* streams; owned */
	size_t machine_len, outside_len;
};

/* More are thinned out. */
#define HISTORY_POINTS_MAX 512

struct history_points {
	unsigned count;
	struct history_point points[HISTORY_POINTS_MAX]; /* in the order of the run */
	struct undo undo;
	uint64_t limit, used; /* bytes */
	uint64_t interval;    /* instructions between two points */
	uint64_t taken_ns;    /* by the host's clock, when the last point was taken */
	uint64_t cost_ns;     /* how long that took */
	uint64_t seen;        /* turns that were over when it was looked the last time */
	bool has_failed;      /* said: there is no memory, or something cannot be saved */
};

/* Begins with points that take so many bytes at most, together with what came from outside since
 * the first one, but for the two that there are at least. */
void history_points_init(struct history_points *points, uint64_t limit);
void history_points_free(struct history_points *points);

/* Adds the machine as it is now, if it is time for that: the machine has come further than ever. */
void history_points_look(struct history_points *points, struct vm *vm);

/* Adds the machine as it is, in its past, between those that there are. It is between two turns, of
 * which the last one is just over. */
void history_points_insert(struct history_points *points, struct vm *vm);

/* Forgets all: the past begins anew. */
void history_points_forget(struct history_points *points, struct vm *vm);

/* Forgets points if too much came from outside since, or was written to disks, or could not be
 * noted. The guest decides how much that is. */
void history_points_bound(struct history_points *points, struct vm *vm);

/* Makes the disks what they were at a point. Returns 0, or -errno (said): then they are as before,
 * or all points are forgotten since they are as at no moment. */
int history_points_undo(struct history_points *points, struct vm *vm, unsigned index);

/* Makes the machine what it was at a point, as its disks are already. Returns 0 or -errno (said):
 * then it must not go on. */
int history_points_restore(struct history_points *points, struct vm *vm, unsigned index);

#endif
