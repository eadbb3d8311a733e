/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PROCESS_H
#define VMM_PROCESS_H

/*
 * The state that a process inherits from whoever starts it, and that vole depends on: standard
 * descriptors, blocked signals, ignored signals, the limit of open files.
 */

#include <stdbool.h>
#include <stdint.h>

struct process_start {
	uint64_t ns;     /* by monotonic_ns() */
	uint64_t cpu_ns; /* CPU time that the process had used: process_cpu_ns() */
};

/* Returns the time at which main() begins. Called first of all. */
struct process_start process_begin(void);

/* Returns the CPU time that the process has used since its fork, in nanoseconds. Any thread. */
uint64_t process_cpu_ns(void);

/*
 * Sets all of it, whatever the parent left. Called before all else, on the only thread.
 *
 * All signals are unblocked but SIGUSR1, which would terminate vole before signals_open(). Signals
 * that vole itself uses have their default action; those by which a user or a job control says that
 * vole shall not be disturbed (nohup(1), a background job) stay ignored if they were. SIGPIPE and
 * SIGXFSZ are ignored: a closed pipe and a file over its limit are errors of write(2), with a
 * better message.
 *
 * As many files may be open as the system permits this user.
 *
 * A missing standard descriptor is opened on /dev/null for what it is not for, so that no other
 * file takes its place and its users meet the error that they would have met. Returns false (said)
 * if not even that can be had, or if the limit of the stack is too low.
 */
bool process_prepare(void);

#endif
