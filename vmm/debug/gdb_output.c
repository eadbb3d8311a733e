/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's output on the way to the debugger. */
#include "debug/gdb.h"
#include "debug/gdb_parts.h"

/* How long the debugger is waited for at a time, when the guest has ended and there is more output.
 */
#define OUTPUT_MS 100

void gdb_forward_output(struct gdb *gdb)
{
	char bytes[PACKET_MAX / 2 - 1];
	size_t len;

	while (gdb_link_has_room(&gdb->link) &&
		(len = gdb_link_read_output(&gdb->link, bytes, sizeof bytes)) > 0)
		if (gdb->is_awaited)
			gdb_send_output(gdb, bytes, len);
}

void gdb_forward_all_output(struct gdb *gdb)
{
	gdb_forward_output(gdb);
	while (!gdb_link_has_room(&gdb->link)) {
		gdb_link_flush(&gdb->link, GDB_FLUSH_MS);
		if (!gdb_link_has_room(&gdb->link))
			return;
		gdb_forward_output(gdb);
	}
}

void gdb_flush_output(struct gdb *gdb)
{
	gdb_forward_output(gdb);
	gdb_link_flush(&gdb->link, OUTPUT_MS);
}

void gdb_output_ready(void *ctx)
{
	gdb_forward_output(ctx);
}

int gdb_output_fd(const struct gdb *gdb)
{
	return gdb->link.guest.fd;
}
