/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GDB_LINK_H
#define VMM_GDB_LINK_H

/*
 * The way to the debugger, by --gdb: standard input and output, a UNIX socket, or a TCP port of the
 * loopback interface. One debugger at a time; a second one is turned away. Of the protocol, nothing
 * is known here but how long a packet can be.
 *
 * With standard input and output, the guest's output cannot go there: from gdb_link_open() on,
 * standard input is empty, and what is written to standard output comes back by
 * gdb_link_read_output().
 *
 * All of it belongs to the I/O thread. The sources are control sources, since a debugger must be
 * heard whatever the machine waits for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "debug/gdb_options.h"
#include "debug/packet.h"
#include "io/listener.h"
#include "io/loop.h"

/* Room for output that the debugger has not taken yet. */
#define GDB_LINK_OUT (512u << 10)

/* Callbacks; ctx is their argument. */
struct gdb_link_ops {
	void (*came)(void *ctx);                                   /* a debugger has connected */
	void (*took)(void *ctx, const uint8_t *bytes, size_t len); /* it has sent this */
	void (*left)(void *ctx);   /* it has disappeared; gdb_link_drop() was called */
	void (*output)(void *ctx); /* GDB_STDIO: the guest has put something out */
};

struct gdb_link {
	const struct gdb_options *options;
	struct io_loop *loop;
	const struct gdb_link_ops *ops;
	void *ctx;
	struct listener listener;
	int in, out;            /* -1: no debugger. The same for a socket */
	struct io_source input; /* in; in the loop if is_heard */
	bool is_heard;
	struct io_source output; /* out, by a descriptor of its own, in the loop if is_waiting */
	bool is_waiting;         /* for the debugger to take what is in bytes */
	struct io_source guest;  /* GDB_STDIO: the reading end of standard output */
	bool wants_guest;        /* ops->output() is to be called */
	bool is_guest_heard;     /* guest is in the loop: wants_guest, and there is room */
	size_t len;              /* of bytes */
	uint8_t *bytes;          /* to be sent; GDB_LINK_OUT of them. Owned */
};

#define GDB_LINK_EMPTY      \
	((struct gdb_link){ \
		.in = -1, .out = -1, .output.fd = -1, .guest.fd = -1, .listener = LISTENER_EMPTY})

/* Opens the way that options name, but for GDB_STDIO listens only. link must not move. Returns 0 or
 * -errno (said). The caller calls gdb_link_close() whatever is returned. */
int gdb_link_open(struct gdb_link *link, const struct gdb_options *options, struct io_loop *loop,
	const struct gdb_link_ops *ops, void *ctx);
void gdb_link_close(struct gdb_link *link);

/* Returns whether there is a debugger. */
bool gdb_link_is_there(const struct gdb_link *link);

/* Reads what the debugger sends, or leaves it where it is. Initially it is read. */
void gdb_link_hear(struct gdb_link *link, bool hear);

/* Sends bytes, later what the debugger does not take at once. What does not fit is lost, which
 * happens only to a debugger that asks and takes no answers. */
void gdb_link_send(struct gdb_link *link, const void *bytes, size_t len);

/* Returns whether a packet of any length fits. While none does, the guest's output waits. */
bool gdb_link_has_room(const struct gdb_link *link);

/* Waits at most so many milliseconds until all was taken. */
void gdb_link_flush(struct gdb_link *link, int timeout_ms);

/* Waits for the debugger, or for another descriptor to be readable, and serves the debugger: where
 * the loop does not run any more. Returns false if the other descriptor is readable. */
bool gdb_link_serve(struct gdb_link *link, int other);

/* Ends the connection. The next debugger may come, but not with GDB_STDIO. */
void gdb_link_drop(struct gdb_link *link);

/* Calls ops->output() when the guest has put something out and there is room for it, or no
 * longer. */
void gdb_link_hear_guest(struct gdb_link *link, bool hear);

/* Reads output of the guest without waiting. Returns how much, 0 if there is none. */
size_t gdb_link_read_output(struct gdb_link *link, void *bytes, size_t size);

#endif
