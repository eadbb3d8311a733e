/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LISTENER_H
#define VMM_LISTENER_H

/*
 * A UNIX stream socket, or a TCP port of the loopback interface, at which one client at a time is
 * taken: the next one waits in the kernel's queue until listener_resume(). All of it happens on the
 * I/O thread, but for opening and closing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/remover.h"

struct listener {
	struct io_loop *loop;
	const char *name;       /* name of the option that asked for it, without its dashes */
	char where[128];        /* "unix:PATH" or "tcp:PORT", for messages; cut if longer */
	struct remover remover; /* of a UNIX socket */

	/* Called with the non-blocking descriptor of a client that connected; the callee closes it.
	 * Returns 0 or -errno. An error is said, and the next client accepted a second later. */
	int (*client)(struct listener *listener, int fd);

	struct io_source socket; /* fd -1: none */
	struct io_source pause;  /* a timer; fd -1: none */
	bool failed;             /* accepting failed since the last client, and was reported */
};

#define LISTENER_EMPTY \
	((struct listener){.socket.fd = -1, .pause.fd = -1, .remover = REMOVER_EMPTY})

/*
 * Listens at path for the option --name. A socket that exists there without a listener is replaced,
 * because an earlier vole has left it. A helper process removes it, since the sandbox keeps vole
 * from that. path must stay valid and listener must not move. Returns 0,
 * or -errno (said). The caller calls listener_close() whatever is returned.
 */
int listener_open(struct listener *listener, struct io_loop *loop, const char *name,
	const char *path, int (*client)(struct listener *listener, int fd));

/* Listens at a TCP port of 127.0.0.1, which no other host reaches. Otherwise as listener_open(). */
int listener_open_tcp(struct listener *listener, struct io_loop *loop, const char *name,
	uint16_t port, int (*client)(struct listener *listener, int fd));

/* Has clients wait in the kernel's queue until listener_resume(). */
void listener_pause(struct listener *listener);

/* Accepts the next client, after the last one has left. */
void listener_resume(struct listener *listener);

/* Removes the socket's file, as listener_close() does. Any thread; ignores an empty listener. */
void listener_unlink(struct listener *listener);

/* Closes the socket and removes it. Called when the loop does not run; ignores an empty
 * listener. */
void listener_close(struct listener *listener);

#endif
