/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHARDEV_H
#define VMM_CHARDEV_H

/*
 * The host's end of a console: standard input and output, a file, a pseudo-terminal, or a UNIX
 * socket to which one client at a time may connect. chardev_open.c opens each kind; chardev.c
 * serves it.
 *
 * On a terminal, input is raw and vole interprets it first: ^A x ends the machine, ^A s shows its
 * state, ^A ^A is one ^A for the guest. A user who types ^C again and again, while the guest puts
 * nothing out, is told of that. vole reads the terminal even while the guest takes no input; what
 * exceeds the keyboard buffer is dropped, with a bell. While this process is a background job, the
 * terminal is left alone. chardev_close() restores the state in which it was found.
 *
 * Output waits for a reader who is there: for whoever has a pseudo-terminal open, for the client of
 * a socket. Without one the guest goes on. What it prints is lost then, but a pseudo-terminal keeps
 * as much as it holds, which is the oldest, for the one who opens it later.
 *
 * Everything happens on the I/O thread, except for two functions of the back end: want(), which
 * sets flags and wakes that thread, and write(), because an emergency write comes on a vCPU's
 * thread.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "backend.h"
#include "io/keyboard.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/pty.h"
#include "io/terminal.h"

struct chardev {
	struct console_backend backend;
	struct io_loop *loop;
	const char *name; /* name of the option that asked for it, without its dashes */

	/* Callbacks; ctx is their argument. ready() tells that what the device wants may be
	 * possible now. quit() tells that the user typed ^A x, and show() that it was ^A s. These
	 * are called on the I/O thread. broken() tells, once and on any thread, that output fails
	 * for good; wrote() on the thread that writes. */
	void (*ready)(void *ctx);
	void (*quit)(void *ctx);
	void (*show)(void *ctx);
	void (*broken)(void *ctx, int error);
	void (*wrote)(void *ctx); /* some output was written; NULL: nobody wants to know */
	void *ctx;

	/* Guards in, out and client_deaf against an emergency write, which comes on a vCPU's
	 * thread: write() holds it, and the I/O thread while it changes them. A device's lock may
	 * be held when it is taken; no other lock is taken while it is held. */
	pthread_mutex_t lock;

	int in, out;        /* -1: none; never the same. out may block, so poll(2) comes first */
	size_t step;        /* bytes that a write to out takes without blocking once it is ready */
	bool is_stdout;     /* out leads to standard output, where vole may write its lines too */
	bool client_deaf;   /* the socket's client reads no more; output to it is dropped */
	bool client_ended;  /* the client sends no more, but some input is unread. I/O thread */
	bool client_left;   /* the client left, and the device has to be told. I/O thread */
	bool output_broken; /* broken() was called. Guarded by lock */
	bool is_pty;        /* in and out are the master of a pseudo-terminal, see io/pty.h */
	int slave;          /* valid if is_pty: its slave; -1: none. Guarded by lock */
	bool lost_output;   /* of a pty that was full, and that nobody had open. Guarded by lock */
	bool is_terminal;   /* in is the terminal that controls this process */
	struct terminal terminal;  /* valid if is_terminal: in */
	struct keyboard *keyboard; /* what was typed; NULL if in is no terminal. Owned */
	bool away;                 /* valid if is_terminal: this is a background job. I/O thread */
	struct io_source look;     /* a timer, of a terminal or pseudo-terminal; fd -1: none */
	bool is_looking;           /* look is set. I/O thread */
	struct listener listener;  /* the listening socket */

	struct io_source wake;   /* an eventfd, signalled when want() changed the events */
	struct io_source input;  /* in */
	struct io_source output; /* out */
	uint32_t input_events;   /* epoll events of input in the loop; 0: it is not in the loop */
	bool output_armed;       /* output is in the loop */
	bool input_waits, output_waits; /* false: a file, which is always ready */
	bool input_ended; /* all input was read; for a socket, until its client leaves */
	atomic_bool want_input, want_output;
};

/* Restores a terminal, closes everything and makes dev empty. Called in any state, also after
 * chardev_open() failed, when the loop does not run. */
void chardev_close(struct chardev *dev);

/* Restores a terminal to the state in which it was found, before this process is stopped. I/O
 * thread. Does nothing to other kinds. */
void chardev_suspend(struct chardev *dev);

/* Takes a terminal back into raw mode if this is a foreground job. Called when the process
 * continues and when it may have become a foreground or background job. I/O thread. Does nothing to
 * other kinds. */
void chardev_resume(struct chardev *dev);

/* Returns what of its output a pseudo-terminal's readers have left; closing it would lose that.
 * Returns zeros for other kinds. */
struct pty_unread chardev_unread(const struct chardev *dev);

/* Returns whether a process besides this one has a pseudo-terminal open. Returns false for other
 * kinds. I/O thread, once no CPU executes any more. */
bool chardev_has_reader(struct chardev *dev);

/* Returns the descriptor to poll for keys of a terminal once the guest has ended and the loop no
 * longer runs, or -1 if there is no terminal. When it is readable, the caller calls
 * chardev_take_keys(), which interprets the keys; none is for the guest any more. */
int chardev_keys(const struct chardev *dev);
void chardev_take_keys(struct chardev *dev);

/* Notes that the guest puts something out, which may be its answer to a key. Any thread. */
static inline void chardev_answered(struct chardev *dev)
{
	if (dev->keyboard)
		keyboard_answered(dev->keyboard);
}

/* The following functions are for chardev_open.c. All return 0 or -errno; errors are said, except
 * those of chardev_take_both() and chardev_take_client(). */

/* Makes dev empty, with its back end, and adds its eventfd to the loop. */
int chardev_init(struct chardev *dev, const char *name, struct io_loop *loop);

/* Takes the terminal in, which controls this process, into raw mode. */
int chardev_take_terminal(struct chardev *dev);

/* Sets in to fd, which dev owns from here on, and out to a duplicate, because each direction is
 * waited for without the other, and epoll has one entry for each descriptor. Closes fd if it fails.
 * Called with the lock held, or before chardev_begin(). */
int chardev_take_both(struct chardev *dev, int fd);

/* Connects a client of the socket, by chardev_take_both(), and tells the device. I/O thread. */
int chardev_take_client(struct chardev *dev, int fd);

/* Begins to serve in and out, which are open now, and slave. */
int chardev_begin(struct chardev *dev);

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
