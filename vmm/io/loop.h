/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

/*
 * The event loop of the I/O thread: one epoll set. A source is a file descriptor with a function
 * that is called when it is ready; owners embed it and find themselves by container_of(). The loop
 * can also have work to do between the sources: executing guest code.
 *
 * Control sources end or observe the machine and change nothing that guest code sees: signals, the
 * time-out, the user's keys. They alone may be served while the work waits for something of the
 * host's, so that what the guest sees does not depend on how long that takes.
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

/* Does a part of the work of the loop's thread. Returns how many nanoseconds the loop may wait for
 * a source before it calls again: 0 not to wait, IO_FOREVER to wait until a source is ready. */
typedef int64_t io_work(void *ctx);
#define IO_FOREVER INT64_MAX

struct io_loop {
	int epoll;                /* of all sources; -1: empty */
	struct io_source control; /* the epoll set of control sources, itself a source */
	struct io_source stop;    /* an eventfd; a control source */
	bool stopped;             /* the loop's thread only */
	io_work *work;            /* NULL: none */
	void *work_ctx;
};

#define IO_LOOP_EMPTY ((struct io_loop){.epoll = -1, .control.fd = -1, .stop.fd = -1})

/* Makes a loop, which must not move. Returns 0, or -errno (said). The caller calls io_loop_free()
 * whatever is returned. */
int io_loop_init(struct io_loop *loop);
void io_loop_free(struct io_loop *loop);

/* Adds a source: the loop calls source->ready(source) while source->fd has one of these epoll
 * events, level-triggered. source is not owned and must stay until io_loop_del(). Returns 0 or
 * -errno: -EPERM, not said, for a file, which is always ready; other errors are said. */
int io_loop_add(struct io_loop *loop, struct io_source *source, uint32_t events);

/* Adds a control source, as io_loop_add(). */
int io_loop_add_control(struct io_loop *loop, struct io_source *source, uint32_t events);

/* Removes a source of either kind. */
void io_loop_del(struct io_loop *loop, struct io_source *source);

/* Sets *can to whether this descriptor (-1: none), which is no source yet, can be one. Files
 * cannot, and need not, since they are always ready; epoll(7) tells which those are. Returns 0, or
 * -errno (said) if epoll refuses the descriptor for another reason. */
int io_loop_can_wait(struct io_loop *loop, int fd, bool *can);

/* Sets the work that io_loop_run() does between the sources. Called before io_loop_run(). */
void io_loop_set_work(struct io_loop *loop, io_work *work, void *ctx);

/* Serves sources, and works, until io_loop_stop(). 0, or -errno if waiting failed (said). */
int io_loop_run(struct io_loop *loop);

/* Waits at most so many nanoseconds (IO_FOREVER: without limit) for sources to be ready, and serves
 * those that are. 0, also if a signal came, or -errno if waiting failed (said). From the work of
 * the loop, never from ready(). */
int io_loop_serve(struct io_loop *loop, int64_t ns);

/* Serves the control sources that are ready, without waiting. Returns as io_loop_serve(). From the
 * work of the loop, never from ready(). */
int io_loop_serve_control(struct io_loop *loop);

/* Waits until fd, which is no source, accepts output or has an error, and meanwhile serves what is
 * ready, or with control_only the control sources alone. Returns true if fd does; false if sources
 * were served, a signal came, or waiting failed (said). From the work of the loop, never from
 * ready(). */
bool io_loop_wait_writable(struct io_loop *loop, int fd, bool control_only);

/* Has io_loop_run() return; if it is called later, it returns at once. Any thread, at any time. */
void io_loop_stop(struct io_loop *loop);

/* Undoes io_loop_stop(), so that io_loop_run() can be called again. The loop's thread. */
void io_loop_restart(struct io_loop *loop);

/* Opens an eventfd that can be a source: non-blocking, counter 0. Returns its descriptor, which the
 * caller closes, or -errno (said). */
int io_event_open(void);

/* io_event_signal() makes an eventfd ready; io_event_clear() makes an eventfd or a timer not ready
 * again. ready() clears it before the work, never after, so that no signal is lost. Any thread. */
void io_event_signal(int fd);
void io_event_clear(int fd);

#define SECOND_NS UINT64_C(1000000000)

/* Makes *source a timer (a timerfd) that is not set yet, and adds it to the loop. Returns 0, or
 * -errno (said). The owner closes source->fd whatever is returned; it is -1 if there is none. */
int io_timer_add(
	struct io_loop *loop, struct io_source *source, void (*ready)(struct io_source *source));

/* io_timer_add() of a control source. */
int io_timer_add_control(
	struct io_loop *loop, struct io_source *source, void (*ready)(struct io_source *source));

/* Sets a timer to be ready ns nanoseconds from now, and again each every_ns after that if every_ns
 * is not 0. ns 0 stops the timer. Returns 0 or -errno. */
int io_timer_set(struct io_source *source, uint64_t ns, uint64_t every_ns);

#endif
