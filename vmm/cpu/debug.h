/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_DEBUG_H
#define VMM_CPU_DEBUG_H

/*
 * What a debugger asks of an engine, beside pausing and registers: to stop at places, to execute
 * single instructions, and to change registers. engine_ops.debug has an engine's functions.
 *
 * All functions are called on the I/O thread between engine_ops.pause() and resume(), and before
 * start(). When a CPU stops, cpu_host.debug() is called on the CPU's thread. From then on that CPU
 * executes nothing until resume(); the others go on until pause().
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

struct engine;

/* How a CPU goes on at engine_ops.resume(). Initially CPU_GO. */
enum cpu_go {
	CPU_GO,
	CPU_STEP, /* it executes one instruction and stops. Interrupts wait meanwhile, unless the
		   * CPU has halted: then it waits for one, and stops in its handler */
	CPU_HOLD, /* it executes nothing */
};

enum debug_point_kind {
	DEBUG_BREAKPOINT,          /* before the instruction that begins there is executed */
	DEBUG_HARDWARE_BREAKPOINT, /* the same, without a change to guest memory */
	DEBUG_WATCH_WRITE,         /* after an instruction that has written there */
	DEBUG_WATCH_READ,          /* ... that has read there */
	DEBUG_WATCH_ACCESS,        /* ... that has done either */
};

/* A place at which CPUs stop. An engine uses the address that it needs: both name the same byte. */
struct debug_point {
	enum debug_point_kind kind;
	uint64_t linear; /* by the paging that holds when the point is set */
	gpa_t gpa;
	uint32_t len; /* bytes that are watched; 1 for a breakpoint */
};

/* Why a CPU has stopped. */
struct debug_event {
	enum {
		DEBUG_EVENT_STEP,
		DEBUG_EVENT_BREAKPOINT, /* of either kind; the CPU is at it */
		DEBUG_EVENT_WATCH,
	} kind;
	gpa_t gpa;      /* DEBUG_EVENT_WATCH: debug_point.gpa of the point that was hit */
	bool by_device; /* DEBUG_EVENT_WATCH: a device has written there, between two turns */
};

struct engine_debug_ops {
	/* Prepares the engine for a debugger, before the first pause() and before the sandbox is
	 * closed: may try the host's KVM. Returns 0 or a negative errno (said). */
	int (*attach)(struct engine *engine);

	/* Has CPUs stop at a point, or no longer. A CPU that goes on at a breakpoint stops at once.
	 * Several points in one place may be one to the engine: when one is removed, the others are
	 * to be set again, and setting one that is set changes nothing.
	 *   0        done
	 *   -ENOSPC  there are too many points of this kind, or this one is too long (said)
	 *   -ENOMEM  there is no memory for it
	 *   -ENOTSUP the engine, or this host's KVM, has no points of this kind (said if a
	 *            debugger has no other way by itself) */
	int (*set_point)(struct engine *engine, const struct debug_point *point, bool set);

	/* Sets how a CPU goes on. */
	void (*go)(struct engine *engine, unsigned id, enum cpu_go go);

	/* Has points work, as they do initially, or not for a while. NULL where
	 * engine_ops.position is, as the next two. */
	void (*use_points)(struct engine *engine, bool use);

	/* Returns how many instructions a CPU has executed. */
	uint64_t (*count)(struct engine *engine, unsigned id);

	/* Has engine_ops.run() return once a CPU has executed so many instructions, at once if it
	 * has; UINT64_MAX: never. */
	void (*stop_at_count)(struct engine *engine, unsigned id, uint64_t count);

	/* Sets the general registers, RIP and RFLAGS of a CPU. One that has halted executes again
	 * if RIP changes. Returns 0 or a negative errno (not said). */
	int (*set_registers)(
		struct engine *engine, unsigned id, const struct cpu_registers *registers);
};

#endif
