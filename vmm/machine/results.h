/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RESULTS_H
#define VMM_RESULTS_H

/*
 * What a run leaves behind if the user asks for it: the last instructions, a core file, coverage
 * and a profile. What becomes of these files does not change the exit status. I/O thread.
 */

#include "cpu/step.h"

struct vm;

/* The state before results_open(), in which results_close() may be called. */
void results_init(struct vm *vm);

/* Returns what the engine is to keep for them. */
struct cpu_account results_account(const struct vm *vm);

/* Opens the files, and reads the kernel's line table where one of them needs it; says what cannot
 * be had. Before the guest's first instruction, while the other files that this run uses are
 * locked. results_close() undoes it in any state. */
void results_open(struct vm *vm);
void results_close(struct vm *vm);

/* Begins to take samples of an engine that takes none by itself. Before it starts. Returns 0 or
 * -errno (said). */
int results_begin(struct vm *vm);

/* Says the last instructions, each time that the machine has ended: a debugger may go back to
 * before that. After engine_ops.stop(). */
void results_say(struct vm *vm);

/* Writes the files, once the machine has ended for good. After engine_ops.stop(). */
void results_write(struct vm *vm);

#endif
