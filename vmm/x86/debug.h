/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_DEBUG_H
#define VMM_X86_DEBUG_H

/*
 * Where a debugger wants the software CPUs to stop, by guest-physical address.
 *
 * Breakpoints are looked for when code is decoded: a block ends before one, and what begins with
 * one is not kept, so that it is found again only by x86_find_block(). Pages with watchpoints have
 * no tags in the TLB for the accesses that are watched, so that these take the slow path. Code and
 * pages without such places execute as they do without a debugger.
 */

#include "x86/x86.h"

#define X86_BREAKPOINTS_MAX 1024
#define X86_WATCHPOINTS_MAX 64
#define X86_WATCH_BYTES_MAX 4096 /* that one of them watches */

struct x86_watchpoint {
	gpa_t gpa;
	uint32_t len;
	bool on_read, on_write;
	uint8_t *seen; /* what was there when it was last looked at; owned */
};

/* What x86_system.debug points to. Owned by soft_debug.c. */
struct x86_debug {
	unsigned breakpoint_count, watchpoint_count;
	gpa_t breakpoints[X86_BREAKPOINTS_MAX];
	struct x86_watchpoint watchpoints[X86_WATCHPOINTS_MAX];
	bool is_hit; /* an instruction has accessed what is watched: x86_run() has returned */
	gpa_t hit;   /* x86_watchpoint.gpa */
};

/* Add a breakpoint or remove it. 0 or -ENOSPC. Between x86_run()s, as the next. */
int x86_debug_set_breakpoint(struct x86_system *system, gpa_t gpa, bool set);

/* Add a watchpoint or remove it; it is identified by all four values. 0, -ENOSPC or -ENOMEM. */
int x86_debug_set_watchpoint(
	struct x86_system *system, const struct x86_watchpoint *point, bool set);

/* Remove all of both. */
void x86_debug_clear(struct x86_system *system);

/* Whether a breakpoint is there; system->debug is not NULL, as in the following. */
bool x86_debug_has(const struct x86_system *system, gpa_t gpa);

/* Whether a page has a watchpoint for this access, X86_READ or X86_WRITE. */
bool x86_debug_watches_page(const struct x86_system *system, gpa_t gpa, enum x86_access access);

/* The current instruction has accessed [gpa, gpa + size). If that is watched, x86_run() returns
 * after it. */
void x86_debug_accessed(struct x86_cpu *cpu, gpa_t gpa, unsigned size, enum x86_access access);

/* Compare what is watched for writes with what was there before, so that writes of devices are
 * found; sets is_hit and hit if something differs. */
void x86_debug_compare(struct x86_system *system);

#endif
