/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HISTORY_H
#define VMM_HISTORY_H

/*
 * The past of a machine, for a debugger: `--gdb` with the software CPU and the virtual clock. To go
 * back, the machine is made what it was at an earlier moment (history_points.h), and executes again
 * up to where it is to be, with what came from outside then (replay/outside.h). I/O thread.
 */

#include <stdbool.h>

#include "debug/gdb_host.h"
#include "machine/history_points.h"

struct vm;

struct history {
	int64_t (*run)(struct vm *vm); /* executes the machine's turns, as recording_run() */
	struct history_points points;
	bool is_at_work; /* the machine executes for the history: its stops are none of gdb's */
	bool is_interruptible; /* ... which a word of the debugger's, or a signal, ends */
	bool is_interrupted;
	bool has_target; /* it is to come to this position, before anything else happens there */
	struct engine_position target;
	bool has_moved; /* since the debugger asked for it, the machine went back */
	bool is_broken; /* the machine is as at no moment of its run, and must not go on */
	bool has_event; /* a CPU has stopped meanwhile */
	unsigned event_cpu;
	struct debug_event event;
	bool has_present; /* the machine is in the past of a run that is at this position */
	struct engine_position present;
};

/* Has a machine that a debugger is at have a past, if that is possible; run executes it. Before it
 * begins. Returns 0 or -ENOMEM (said). */
int history_open(struct vm *vm, int64_t (*run)(struct vm *vm));
void history_close(struct vm *vm);

/* Between two turns, before guest code is executed. */
void history_look(struct vm *vm);

/* The machine is at this position: it ends being in the past where the present is. */
void history_arrive(struct vm *vm, const struct engine_position *now);

/* Sets *stop to the position at which the history needs the engine to return, if that is before
 * *stop. */
void history_choose_stop(const struct vm *vm, struct engine_position *stop);

/* A CPU has stopped. Returns whether that was the history's affair. */
bool history_takes_stop(struct vm *vm, unsigned cpu, const struct debug_event *event);

/* What a debugger asks for: gdb_host.h. */
bool history_can_reverse(void *ctx);
bool history_may_change(void *ctx);
int history_reverse(void *ctx, unsigned cpu, bool is_step, struct gdb_past *past);

#endif
