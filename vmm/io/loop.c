/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"

/* Events taken from the kernel at a time. */
#define BATCH 16

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
}

int io_event_open(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0) {
		fd = -errno;
		say("eventfd: %s", error_text(-fd));
	}
	return fd;
}

void io_event_signal(int fd)
{
	/* Fails only when the counter is full, and then it is ready already. */
	(void)!eventfd_write(fd, 1);
}

void io_event_clear(int fd)
{
	eventfd_t count;

	/* Fails only when the counter is 0. */
	(void)!eventfd_read(fd, &count);
}

static void stop_ready(struct io_source *source)
{
	container_of(source, struct io_loop, stop)->stopped = true;
}

/* Says which call failed, with errno, which it returns negated; 0 for EINTR. */
static int waiting_failed(const char *call)
{
	int ret = errno == EINTR ? 0 : -errno;

	if (ret < 0)
		say("%s: %s", call, error_text(-ret));
	return ret;
}

/* Serves the sources of an epoll set that are ready within so many milliseconds; -1: without limit.
 */
static int serve_ready(int set, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int count = epoll_wait(set, events, BATCH, timeout_ms);

	if (count < 0)
		return waiting_failed("epoll_wait");
	for (int i = 0; i < count; i++) {
		struct io_source *source = events[i].data.ptr;

		source->ready(source);
	}
	return 0;
}

static int open_set(void)
{
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (set < 0) {
		set = -errno;
		say("epoll_create1: %s", error_text(-set));
	}
	return set;
}

static void control_ready(struct io_source *source)
{
	serve_ready(source->fd, 0);
}

int io_loop_init(struct io_loop *loop)
{
	int ret;

	*loop = IO_LOOP_EMPTY;
	ret = loop->epoll = open_set();
	if (ret < 0)
		return ret;
	loop->control = (struct io_source){.fd = open_set(), .ready = control_ready};
	if (loop->control.fd < 0)
		return loop->control.fd;
	ret = io_loop_add(loop, &loop->control, EPOLLIN);
	if (ret < 0)
		return ret;
	loop->stop = (struct io_source){.fd = io_event_open(), .ready = stop_ready};
	if (loop->stop.fd < 0)
		return loop->stop.fd;
	return io_loop_add_control(loop, &loop->stop, EPOLLIN);
}

void io_loop_free(struct io_loop *loop)
{
	file_close(&loop->stop.fd);
	file_close(&loop->control.fd);
	file_close(&loop->epoll);
	*loop = IO_LOOP_EMPTY;
}

static int add(int set, struct io_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(set, EPOLL_CTL_ADD, source->fd, &event) < 0) {
		int ret = -errno;

		if (ret != -EPERM)
			say("epoll_ctl: %s", error_text(-ret));
		return ret;
	}
	return 0;
}

int io_loop_add(struct io_loop *loop, struct io_source *source, uint32_t events)
{
	return add(loop->epoll, source, events);
}

int io_loop_add_control(struct io_loop *loop, struct io_source *source, uint32_t events)
{
	return add(loop->control.fd, source, events);
}

void io_loop_del(struct io_loop *loop, struct io_source *source)
{
	/* Cannot fail for a source that was added: it is in one of both. */
	if (epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL) < 0)
		epoll_ctl(loop->control.fd, EPOLL_CTL_DEL, source->fd, NULL);
}

int io_loop_can_wait(struct io_loop *loop, int fd, bool *can)
{
	struct io_source probe = {.fd = fd};
	int ret = fd < 0 ? -EPERM : io_loop_add(loop, &probe, 0);

	if (ret == 0) {
		*can = true;
		io_loop_del(loop, &probe);
	}
	return ret == -EPERM ? 0 : ret;
}

void io_loop_set_work(struct io_loop *loop, io_work *work, void *ctx)
{
	loop->work = work;
	loop->work_ctx = ctx;
}

int io_loop_serve(struct io_loop *loop, int64_t ns)
{
	struct pollfd sources = {.fd = loop->epoll, .events = POLLIN};
	struct timespec limit = timespec_of((uint64_t)ns);

	if (ns == 0 || ns == IO_FOREVER)
		return serve_ready(loop->epoll, ns == 0 ? 0 : -1);
	/* epoll_wait() counts milliseconds, which is too coarse for a guest's timer. */
	if (ppoll(&sources, 1, &limit, NULL) < 0)
		return waiting_failed("ppoll");
	return serve_ready(loop->epoll, 0);
}

int io_loop_serve_control(struct io_loop *loop)
{
	return serve_ready(loop->control.fd, 0);
}

bool io_loop_wait_writable(struct io_loop *loop, int fd, bool control_only)
{
	int set = control_only ? loop->control.fd : loop->epoll;
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLOUT},
		{.fd = set, .events = POLLIN},
	};

	if (poll(fds, 2, -1) < 0)
		return waiting_failed("poll") != 0;
	if (fds[0].revents)
		return true;
	serve_ready(set, 0);
	return false;
}

int io_loop_run(struct io_loop *loop)
{
	int ret = 0;

	while (!loop->stopped && ret == 0) {
		int64_t ns = loop->work ? loop->work(loop->work_ctx) : IO_FOREVER;

		ret = io_loop_serve(loop, ns);
	}
	return ret;
}

void io_loop_stop(struct io_loop *loop)
{
	io_event_signal(loop->stop.fd);
}

void io_loop_restart(struct io_loop *loop)
{
	io_event_clear(loop->stop.fd);
	loop->stopped = false;
}

static int add_timer(int set, struct io_source *source, void (*ready)(struct io_source *source))
{
	*source = (struct io_source){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.ready = ready,
	};
	if (source->fd < 0) {
		int ret = -errno;

		say("timerfd: %s", error_text(-ret));
		return ret;
	}
	return add(set, source, EPOLLIN);
}

int io_timer_add(
	struct io_loop *loop, struct io_source *source, void (*ready)(struct io_source *source))
{
	return add_timer(loop->epoll, source, ready);
}

int io_timer_add_control(
	struct io_loop *loop, struct io_source *source, void (*ready)(struct io_source *source))
{
	return add_timer(loop->control.fd, source, ready);
}

int io_timer_set(struct io_source *source, uint64_t ns, uint64_t every_ns)
{
	struct itimerspec when = {timespec_of(every_ns), timespec_of(ns)};

	return timerfd_settime(source->fd, 0, &when, NULL) < 0 ? -errno : 0;
}
