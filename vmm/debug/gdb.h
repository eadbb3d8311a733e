/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GDB_H
#define VMM_GDB_H

/*
 * The gdb server, `vole run --gdb`: stops and continues the machine, and lets a debugger read and
 * write its memory and registers, by the gdb remote protocol ("Debugging with GDB", appendix E).
 * spec/debugging.md tells users what there is.
 *
 * The server is a state machine on the I/O thread: the machine executes, is about to stop, is
 * stopped, or has ended. It answers requests while the machine is stopped. CPUs are threads, number
 * n is thread n + 1.
 */

#include <stdbool.h>
#include <stdint.h>

#include "debug/gdb_host.h"
#include "debug/gdb_options.h"
#include "io/loop.h"

struct gdb;

/* Why a machine has ended. */
enum gdb_end { GDB_END_CRASH, GDB_END_TIMEOUT, GDB_END_RECORD };

/* Opens the way to the debugger. Before the consoles are opened, since "--gdb -" takes standard
 * input and output. Returns 0 or -errno (said). The caller calls gdb_close() whatever is returned.
 */
int gdb_open(struct gdb **gdb, const struct gdb_options *options, struct io_loop *loop,
	const struct gdb_host *host, void *ctx);
void gdb_close(struct gdb *gdb);

/* Stops the machine, which has not started, before its first instruction, and says where the
 * debugger may connect. */
void gdb_begin(struct gdb *gdb, const struct gdb_machine *machine);

/* A CPU has stopped: cpu_host.debug(). On the CPU's thread. */
void gdb_stopped(struct gdb *gdb, const struct cpu *cpu, const struct debug_event *event);

/* The machine has ended in a way that its user will want to look at, on this CPU; registers are
 * those of the instruction that a report was about, NULL if the CPU's own are meant; they are valid
 * while gdb_serve_ended() is called. After engine_ops.stop(). */
void gdb_ended(
	struct gdb *gdb, enum gdb_end end, unsigned cpu, const struct cpu_registers *registers);

/* Serves the debugger of a machine that has ended so, if there is one, until it goes on: returns
 * false; or until other is readable: true, and may be called again. */
bool gdb_serve_ended(struct gdb *gdb, int other);

/* Tells the debugger the exit status of vole, after all output, and ends the connection. */
void gdb_exited(struct gdb *gdb, int status);

/* Returns the descriptor that is readable when the debugger has sent something, -1 if it is not
 * there. While it waits to be told of a stop, that is a wish to stop. */
int gdb_input_fd(const struct gdb *gdb);

/* Where the loop does not run any more: returns the descriptor that is readable when there is
 * output of the guest's for the debugger, -1 if there is none; and forwards that output. */
int gdb_output_fd(const struct gdb *gdb);
void gdb_flush_output(struct gdb *gdb);

#endif
