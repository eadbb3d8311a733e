/* SPDX-License-Identifier: BSD-2-Clause */
/* Going back: the packets "bs" and "bc". */
#include <string.h>

#include "debug/gdb_parts.h"

void gdb_go_back(struct gdb *gdb, const char *text)
{
	unsigned cpu = gdb->step_cpu == GDB_ALL ? gdb->stop.cpu : gdb->step_cpu;
	struct gdb_past past;

	if ((strcmp(text, "s") != 0 && strcmp(text, "c") != 0) || !gdb->host->can_reverse(gdb->ctx))
		return;
	if (gdb->host->reverse(gdb->ctx, cpu, *text == 's', &past) < 0) {
		gdb_put_error(&gdb->reply, GDB_ERROR_MALFORMED);
		return;
	}
	gdb->state = GDB_STOPPED;
	gdb->reported = NULL;
	gdb->stop = (struct gdb_stop){
		.cause = past.is_interrupted ? GDB_STOP_ASKED
			 : past.is_beginning ? GDB_STOP_ATTACHED
					     : GDB_STOP_EVENT,
		.is_beginning = past.is_beginning,
		.cpu = past.cpu,
		.event = past.event,
	};
	gdb->stop_position = gdb_position(gdb, past.cpu);
	gdb_put_stop(gdb);
}
