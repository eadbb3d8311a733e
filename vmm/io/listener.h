/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LISTENER_H
#define VMM_LISTENER_H

/*
 * A UNIX stream socket at which one client at a time is taken: the next one waits in the kernel's
 * queue until listener_resume(). All of it happens on the I/O thread, but for opening and closing.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "io/loop.h"

struct listener {
	struct io_loop *loop;
	const char *name; /* of the option that asked for it, less its dashes */
	const char *path; /* to be removed, if it is still the socket's; NULL: none */
	dev_t device;     /* what is there */
	ino_t inode;

	/* Somebody connected: this descriptor, nonblocking, which is the callee's to close. After
	 * -errno, which is said, the next one is taken a second later. */
	int (*client)(struct listener *listener, int fd);

	struct io_source socket; /* fd -1: none */
	struct io_source pause;  /* a timer; fd -1: none */
	bool failed;             /* since the last client, and it was said */
};

#define LISTENER_EMPTY ((struct listener){.socket.fd = -1, .pause.fd = -1})

/*
 * Listen at path, which must stay, for the option --name. A socket there at which nobody listens is
 * replaced: an earlier vole has left it. 0, or -errno (said). Undone by listener_close() whatever
 * is returned; listener must not move.
 */
int listener_open(struct listener *listener, struct io_loop *loop, const char *name,
	const char *path, int (*client)(struct listener *listener, int fd));

/* Take the next client: the last one has left. */
void listener_resume(struct listener *listener);

/* Nothing for an empty one. The loop no longer runs. */
void listener_close(struct listener *listener);

#endif
