/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_WATCHER_H
#define TESTS_WATCHER_H

/*
 * A chardev with a loop, and a device that only looks who is there, and takes input and gives
 * output where a test says so. And the clients of both.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/chardev_open.h"
#include "tap.h"

/* Seconds after which a loop that nothing wakes any more is given up. */
#define PATIENCE 60

/* Connects to path, a socket or a terminal. Ends the process if that fails. */
static inline int client_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd >= 0)
		return fd;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		_exit(1);
	return fd;
}

struct watcher {
	struct io_loop loop;
	struct chardev chardev;
	unsigned changes; /* of whether somebody is there */
	bool connected;
};

static inline bool connected(struct watcher *w)
{
	return w->chardev.backend.ops->connected(&w->chardev.backend);
}

static inline void look(void *ctx)
{
	struct watcher *w = ctx;

	if (connected(w) == w->connected)
		return;
	w->connected = !w->connected;
	w->changes++;
	io_loop_stop(&w->loop);
}

/* Runs the loop until somebody comes or goes, or has input. */
static inline void run_loop(struct watcher *w)
{
	alarm(PATIENCE);
	w->loop.stopped = false;
	io_loop_run(&w->loop);
	io_event_clear(w->loop.stop.fd);
	alarm(0);
}

static inline void watcher_open(struct watcher *w, const char *text)
{
	*w = (struct watcher){.chardev = CHARDEV_EMPTY};
	io_loop_init(&w->loop);
	is(chardev_open(&w->chardev, "console", "it", text, &w->loop), 0, "%s to watch", text);
	w->chardev.ready = look;
	w->chardev.ctx = w;
}

static inline void watcher_close(struct watcher *w)
{
	chardev_close(&w->chardev);
	io_loop_free(&w->loop);
}

static inline ssize_t input(struct watcher *w, char *buf, size_t len)
{
	struct iovec iov = {buf, len};

	return w->chardev.backend.ops->read(&w->chardev.backend, &iov, 1);
}

static inline void stop_loop(void *ctx)
{
	io_loop_stop(&((struct watcher *)ctx)->loop);
}

static inline ssize_t output(struct watcher *w, const char *text)
{
	struct iovec iov = {(char *)text, strlen(text)};

	return w->chardev.backend.ops->write(&w->chardev.backend, &iov, 1);
}

#endif
