/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHARDEV_H
#define VMM_CHARDEV_H

/*
 * The host's end of a console: standard input and output, a file, a pseudo-terminal, or a UNIX
 * socket to which one client at a time may connect.
 *
 * On a terminal, input is raw and vole looks at it first: ^A x ends the machine, ^A ^A is one ^A
 * for the guest. It is read although the guest takes nothing, and what there is no room for is
 * dropped, with a bell. While this process is a job in the background, the terminal is not touched.
 * It is put back into the state it was found in by chardev_close().
 *
 * Everything happens on the I/O thread, but for two functions of the backend: want(), which only
 * leaves a note and wakes that thread, and write(), since an emergency write comes on a vCPU's.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "backend.h"
#include "io/keyboard.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/terminal.h"

struct chardev {
	struct console_backend backend;
	struct io_loop *loop;
	const char *name; /* of the option that asked for it, less its dashes */

	/* On the I/O thread: the guest's device should look at what it wanted; the user typed
	 * ^A x. On any: output failed for good; once. */
	void (*ready)(void *ctx);
	void (*quit)(void *ctx);
	void (*broken)(void *ctx, int error);
	void *ctx;

	/* Against an emergency write, which comes on a vCPU's thread: held by write(), and by the
	 * I/O thread where it changes in, out and client_deaf. A device's lock may be held when it
	 * is taken; none is taken while it is held. */
	pthread_mutex_t lock;

	int in, out;       /* -1: none; never the same. out may block and is asked before */
	size_t step;       /* bytes that out takes at once, if it is ready */
	bool client_deaf;  /* of a socket: it reads no more, and output to it is dropped */
	bool client_ended; /* it sends no more, but what it sent is not all read. I/O thread only */
	bool client_left;  /* it has, and the device is to hear of it. I/O thread only */
	bool output_broken; /* and the owner knows. lock */
	int slave;        /* of a pseudo-terminal, kept open so that it never hangs up; -1: none */
	bool is_terminal; /* in is the terminal that controls this process */
	struct terminal terminal; /* in, if is_terminal */
	struct keyboard keyboard; /* the same */
	bool away;             /* the same, but this is a job in the background. I/O thread only */
	struct io_source look; /* the same: a timer, set while away; fd -1: none */
	struct listener listener; /* of a socket */

	struct io_source wake;   /* an eventfd: want() changed */
	struct io_source input;  /* in */
	struct io_source output; /* out */
	uint32_t input_events;   /* that input is in the loop for; 0: it is not */
	bool output_armed;
	bool input_waits, output_waits; /* false: a file, which is always ready */
	bool input_ended; /* and all of it was read; of a socket, until its client leaves */
	atomic_bool want_input, want_output;
};

/*
 * Open what text says ("stdio", "file:PATH", "unix:PATH", "pty") for the option --name. Where a
 * pseudo-terminal is, is said of label, which need not stay. The callbacks must be set before the
 * loop runs. 0, or -errno (said). Undone by chardev_close() whatever is returned; dev must not
 * move.
 */
int chardev_open(struct chardev *dev, const char *name, const char *label, const char *text,
	struct io_loop *loop);
void chardev_close(struct chardev *dev);

/* While this process is stopped a terminal is as it was found. Afterwards, and when this job may
 * have come to the foreground or left it: see how things are. I/O thread. Nothing for others. */
void chardev_suspend(struct chardev *dev);
void chardev_resume(struct chardev *dev);

/* Bytes of output that a pseudo-terminal holds for its reader: they are lost with it. Elsewhere 0.
 */
unsigned chardev_unread(const struct chardev *dev);

/* Once the guest has ended, what is typed at a terminal is for vole alone, and there is no loop
 * that waits for it: the descriptor to wait for, -1 if there is none, and what to do when it is
 * ready. */
int chardev_keys(const struct chardev *dev);
void chardev_take_keys(struct chardev *dev);

#define CHARDEV_EMPTY                              \
	((struct chardev){                         \
		.in = -1,                          \
		.out = -1,                         \
		.slave = -1,                       \
		.terminal = TERMINAL_EMPTY,        \
		.look.fd = -1,                     \
		.lock = PTHREAD_MUTEX_INITIALIZER, \
		.wake.fd = -1,                     \
		.listener = LISTENER_EMPTY,        \
	})

#endif
