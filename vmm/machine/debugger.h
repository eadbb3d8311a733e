/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEBUGGER_H
#define VMM_DEBUGGER_H

/*
 * The machine's side of the gdb server (debug/gdb.h): pausing, time-outs that stand still, and the
 * end. Without --gdb these functions do nothing.
 */

#include "cpu/debug.h"

struct vm;

/* Opens the way to the debugger, before all other files. Returns 0 or -errno (said). */
int debugger_open(struct vm *vm);
void debugger_close(struct vm *vm);

/* Prepares the engine for the debugger, before the sandbox is closed. Returns 0 or -errno (said).
 */
int debugger_attach(struct vm *vm);

/* Has the machine, which is built and not started, stand before its first instruction. */
void debugger_begin(struct vm *vm);

/* cpu_host.debug() */
void debugger_stopped(struct cpu *cpu, const struct debug_event *event);

/* Lets a debugger look at a machine that has crashed, whose time is over, or whose record is. After
 * engine_ops.stop(). Returns whether it has gone back to before the end: then the machine stands,
 * and the loop is to run again. */
bool debugger_ended(struct vm *vm);

/* Where the loop does not run any more: returns the descriptor that is readable when there is
 * output of the guest's for the debugger, -1 if there is none; and forwards that output. */
int debugger_output(const struct vm *vm);
void debugger_forward(struct vm *vm);

/* Tells the debugger the exit status; the last thing that a machine does. */
void debugger_exited(struct vm *vm);

#endif
