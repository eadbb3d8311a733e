/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GDB_HOST_H
#define VMM_GDB_HOST_H

/* The machine as the gdb server (debug/gdb.h) sees it. */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/engine.h"
#include "cpu/memory.h"
#include "see/text.h"

/* CPUs that a machine has at most. */
#define GDB_CPUS_MAX 64

/* The place that a machine has gone back to. */
struct gdb_past {
	bool is_beginning;   /* there is nothing before it */
	bool is_interrupted; /* on the way, by gdb_input_fd() */
	unsigned cpu;        /* the one that has stopped */
	struct debug_event event;
};

/* What the server asks of the machine; ctx is the argument of each. I/O thread. */
struct gdb_host {
	/* As engine_ops.pause() and resume(). Beside CPUs, they stop the machine's time-outs. */
	int (*pause)(void *ctx);
	void (*resume)(void *ctx);

	/* The user ends the machine from the debugger; or the debugger has disappeared, and the
	 * machine is to end then. */
	void (*kill)(void *ctx);
	void (*lose)(void *ctx);

	/* Whether the machine has a past to go back to. */
	bool (*can_reverse)(void *ctx);

	/* Whether registers and memory can be changed now. If so, they are about to be, which ends
	 * the past. */
	bool (*may_change)(void *ctx);

	/*
	 * Goes back: by one instruction of a CPU, or to the last moment at which a CPU would have
	 * stopped at a point. The machine stands before and afterwards; it may have ended.
	 *   0       *past says where it is
	 *   -errno  (said) the machine is where it was, or is ending
	 */
	int (*reverse)(void *ctx, unsigned cpu, bool is_step, struct gdb_past *past);

	/* As boot_protocol.locate(). */
	int (*locate)(void *ctx, uint64_t linear, uint64_t *gpa);

	/* Replies to a command of the user's (gdb's "monitor"). cpu is the one that he looks at. */
	void (*monitor)(void *ctx, struct cpu *cpu, const char *command, struct text *reply);
};

/* The machine that is debugged. Not owned. */
struct gdb_machine {
	struct engine *engine;
	const struct memory *memory;
	unsigned cpu_count;
	bool is_64; /* its kernel is a 64-bit one: registers are described so */
};

#endif
