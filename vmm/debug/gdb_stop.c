/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the machine stands, as the debugger is told. */
#include "debug/gdb_parts.h"

static void put_watch(struct gdb *gdb)
{
	static const char *const names[] = {"watch", "rwatch", "awatch"};
	const struct gdb_point *point = gdb_watchpoint_of(gdb, &gdb->stop.event);

	if (point)
		gdb_put(&gdb->reply, "%s:%llx;", names[point->type - 2],
			(unsigned long long)point->address);
}

/* gdb resumes silently after a stop "at a breakpoint" whose place it does not know. */
static void put_breakpoint(struct gdb *gdb)
{
	bool is_here;
	const struct gdb_point *point = gdb_breakpoint_of(gdb, gdb->stop.cpu, &is_here);

	if (point && is_here && gdb->knows_swbreak)
		gdb_put(&gdb->reply, "%s:;",
			point->point.kind == DEBUG_BREAKPOINT ? "swbreak" : "hwbreak");
}

void gdb_put_stop(struct gdb *gdb)
{
	const struct gdb_stop *stop = &gdb->stop;
	/* Numbers of signals as gdb has them: SIGINT, SIGTRAP, SIGSEGV, SIGXCPU. */
	unsigned signal = stop->cause == GDB_STOP_ASKED     ? 0x02
			  : stop->cause == GDB_STOP_CRASH   ? 0x0b
			  : stop->cause == GDB_STOP_TIMEOUT ? 0x18
							    : 0x05;

	gdb->cpu = stop->cpu;
	gdb_put(&gdb->reply, "T%02xthread:%x;", signal, stop->cpu + 1);
	if (stop->is_beginning)
		gdb_put(&gdb->reply, "replaylog:begin;");
	if (stop->cause == GDB_STOP_RECORD)
		gdb_put(&gdb->reply, "replaylog:end;");
	if (stop->cause != GDB_STOP_EVENT)
		return;
	if (stop->event.kind == DEBUG_EVENT_WATCH)
		put_watch(gdb);
	else if (stop->event.kind == DEBUG_EVENT_BREAKPOINT)
		put_breakpoint(gdb);
}
