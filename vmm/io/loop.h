/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

/*
 * The event loop of the I/O thread: one epoll set. A source is a file descriptor and what to call
 * when it is ready, embedded in its owner, who finds itself by container_of(). Besides, the loop
 * can have work of its own to do between the sources: executing guest code.
 *
 * io_loop_run() belongs to one thread; the other functions may be called from any. A source must
 * not be removed while its ready() may run, except by that ready() itself.
 */

#include <stdbool.h>
#include <stdint.h>

struct io_source {
	int fd;
	void (*ready)(struct io_source *source);
};

/* Work of the loop's thread: a part of it. Returns how many nanoseconds the loop may wait for a
 * source before it calls again: 0: not at all; IO_FOREVER: until one is ready. */
typedef int64_t io_work(void *ctx);
#define IO_FOREVER INT64_MAX

struct io_loop {
	int epoll;             /* -1: empty */
	struct io_source stop; /* an eventfd */
	bool stopped;          /* the loop's thread only */
	io_work *work;         /* NULL: none */
	void *work_ctx;
};

#define IO_LOOP_EMPTY ((struct io_loop){.epoll = -1, .stop.fd = -1})

/* 0, or -errno (said). Undone by io_loop_free(). loop must not move. */
int io_loop_init(struct io_loop *loop);
void io_loop_free(struct io_loop *loop);

/* Call source->ready(source) while source->fd has one of these epoll events, level-triggered.
 * source is not owned and must stay until io_loop_del(). 0, or -errno: -EPERM for a file that
 * cannot be waited for because it is always ready, not said; others are. */
int io_loop_add(struct io_loop *loop, struct io_source *source, uint32_t events);
void io_loop_del(struct io_loop *loop, struct io_source *source);

/* Set *can if this descriptor (-1: none), which is no source yet, can be one. Files cannot be
 * waited for and never need to be; epoll says which those are. 0, or -errno (said) for what it
 * refuses though it is no file. */
int io_loop_can_wait(struct io_loop *loop, int fd, bool *can);

/* Has io_loop_run() do this work, too. Before it. */
void io_loop_set_work(struct io_loop *loop, io_work *work, void *ctx);

/* Serves sources, and works, until io_loop_stop(). 0, or -errno if waiting failed (said). */
int io_loop_run(struct io_loop *loop);

/* Waits at most so many nanoseconds (IO_FOREVER: without limit) for sources to be ready, and serves
 * those that are. 0, also if a signal came, or -errno if waiting failed (said). From the work of
 * the loop, never from ready(). */
int io_loop_serve(struct io_loop *loop, int64_t ns);

/* Waits until fd, which is no source, accepts output or has an error, and meanwhile serves what is
 * ready. Returns true if fd does; false if sources were served, a signal came, or waiting failed
 * (said). From the work of the loop, never from ready(). */
bool io_loop_wait_writable(struct io_loop *loop, int fd);

/* Any thread, at any time; a later io_loop_run() returns at once. */
void io_loop_stop(struct io_loop *loop);

/* An eventfd that can be a source: nonblocking, counter 0. Its fd, or -errno (said). */
int io_event_open(void);

/* Make it ready, from any thread, and not ready again: read before the work, never after. What is
 * cleared may be a timer, too. */
void io_event_signal(int fd);
void io_event_clear(int fd);

#define SECOND_NS UINT64_C(1000000000)

/* Have *source be a timer, a timerfd, which is not set yet. Its owner closes source->fd, which is
 * -1 if there is none, whatever is returned. 0, or -errno (said). */
int io_timer_add(
	struct io_loop *loop, struct io_source *source, void (*ready)(struct io_source *source));

/* The timer is ready once, ns nanoseconds from now (0: not at all); or again each every_ns after
 * that, if this is not 0. 0 or -errno. */
int io_timer_set(struct io_source *source, uint64_t ns, uint64_t every_ns);

#endif
