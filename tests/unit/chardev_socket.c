/* SPDX-License-Identifier: BSD-2-Clause */
/* The clients of a console's socket come and go, and the host runs out of descriptors for them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "../capture.h"
#include "../tap.h"
#include "../watcher.h"
#include "container.h"
#include "io/chardev_open.h"

/* Opens w, and a client whose coming was served. Returns the client's descriptor. */
static int connected_client(struct watcher *w, const char *text, const char *path)
{
	int client;

	watcher_open(w, text);
	client = client_open(path);
	run_loop(w);
	return client;
}

static void test_clients(const char *text, const char *path)
{
	struct watcher w;
	char buf[16];
	int client;

	watcher_open(&w, text);
	ok(!connected(&w), "nobody is there at first");
	client = client_open(path);
	run_loop(&w);
	ok(w.changes == 1 && w.connected, "5.3.6.2 a client that comes is told of");
	close(client);
	run_loop(&w);
	ok(w.changes == 2 && !w.connected, "5.3.6.2 one that leaves too, though nothing is read");

	client = client_open(path);
	run_loop(&w);
	is(write(client, "last", 4), 4, "another says something");
	close(client);
	w.chardev.ready = stop_loop;
	w.chardev.backend.ops->want(&w.chardev.backend, true, false);
	run_loop(&w);
	ok(connected(&w), "and has left: it is there until that is read");
	ok(input(&w, buf, sizeof buf) == 4 && memcmp(buf, "last", 4) == 0,
		"CON-DEV-11 (5.3.6) what it said is not lost");
	is(input(&w, buf, sizeof buf), -EAGAIN, "then there is nothing");
	ok(!connected(&w), "and nobody");
	watcher_close(&w);
}

static void test_client_that_closes(const char *text, const char *path)
{
	struct watcher w;
	char buf[16];
	int client;

	client = connected_client(&w, text, path);
	is(write(client, "last", 4), 4, "a client says something");
	close(client);
	is(output(&w, "more"), -EPIPE, "and has left when the guest prints");
	is(output(&w, "more"), 4, "what it prints is dropped");
	w.chardev.ready = stop_loop;
	w.chardev.backend.ops->want(&w.chardev.backend, true, false);
	run_loop(&w);
	ok(input(&w, buf, sizeof buf) == 4 && memcmp(buf, "last", 4) == 0,
		"CON-DEV-11 (5.3.6) what the client said is not lost");
	is(input(&w, buf, sizeof buf), -EAGAIN, "then there is nothing");
	ok(!connected(&w), "and nobody");
	watcher_close(&w);
}

/* With input that the guest wants, or does not. */
static void test_half_closed(const char *text, const char *path, bool wanted)
{
	struct watcher w;
	char buf[16];
	int client;

	client = connected_client(&w, text, path);
	w.chardev.backend.ops->want(&w.chardev.backend, wanted, false);
	shutdown(client, SHUT_WR);
	if (wanted)
		is(input(&w, buf, sizeof buf), -EAGAIN, "a client that ends its side alone");
	for (unsigned i = 0; i < 3; i++)
		w.chardev.wake.ready(&w.chardev.wake);
	if (!wanted)
		w.chardev.input.ready(&w.chardev.input);
	ok(connected(&w), "is there");
	is(w.chardev.input_events, EPOLLHUP, "and waited for until it leaves");
	is(output(&w, "more"), 4, "it is written to");
	ok(read(client, buf, sizeof buf) == 4 && memcmp(buf, "more", 4) == 0, "and reads that");
	close(client);
	run_loop(&w);
	ok(!w.connected, "until it leaves");
	watcher_close(&w);
}

/* The loop takes several events at a time: one of input may be served after the device has ceased
 * to want any. */
static void test_late_event(const char *text, const char *path)
{
	struct watcher w;
	char buf[16];
	int client;

	client = connected_client(&w, text, path);
	is(w.chardev.input_events, EPOLLRDHUP, "a client whose input nobody wants");
	w.chardev.input.ready(&w.chardev.input);
	is(write(client, "late", 4), 4, "is there after an event of input that came late");
	ok(input(&w, buf, sizeof buf) == 4 && memcmp(buf, "late", 4) == 0,
		"CON-DEV-11 (5.3.6) and what it says is not lost");
	close(client);
	watcher_close(&w);
}

/* epoll_ctl() fails to add this descriptor; -1: none. */
static int failing_fd = -1;

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && fd >= 0 && fd == failing_fd) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static void test_listener_fails(const char *text, const char *path)
{
	struct watcher w;
	int client;

	client = connected_client(&w, text, path);
	failing_fd = w.chardev.listener.socket.fd;
	close(client);
	capture_begin();
	run_loop(&w);
	failing_fd = -1;
	is(capture_lines(capture_end()), 1, "a host that cannot listen again says so");
	client = client_open(path);
	run_loop(&w);
	ok(w.connected, "and does later");
	close(client);
	watcher_close(&w);
}

/* By the end, the path may be somebody else's. */
static void test_path_taken(const char *text, const char *path)
{
	struct watcher w;
	FILE *file;

	watcher_open(&w, text);
	unlink(path);
	file = fopen(path, "w");
	if (!file)
		exit(1);
	fclose(file);
	watcher_close(&w);
	is(unlink(path), 0, "a file in the place of the socket is left alone");
}

/* CPU seconds of this process. */
static double cpu_time(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Ends a loop after some seconds. */
struct rest {
	struct io_source timer;
	struct io_loop *loop;
};

static void rest_over(struct io_source *source)
{
	io_loop_stop(container_of(source, struct rest, timer)->loop);
}

static void run_for(struct io_loop *loop, unsigned seconds)
{
	struct itimerspec when = {.it_value.tv_sec = seconds};
	struct rest rest = {
		.timer = {.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), .ready = rest_over},
		.loop = loop,
	};

	timerfd_settime(rest.timer.fd, 0, &when, NULL);
	io_loop_add(loop, &rest.timer, EPOLLIN);
	io_loop_run(loop);
	io_event_clear(loop->stop.fd);
	io_loop_del(loop, &rest.timer);
	close(rest.timer.fd);
}

/* A client that there is no descriptor for does not keep the loop busy, and is served later. */
static void test_no_descriptors(const char *text, const char *path)
{
	struct rlimit limit, none;
	struct watcher w;
	int client, spare;
	double used;

	watcher_open(&w, text);
	client = client_open(path);
	getrlimit(RLIMIT_NOFILE, &limit);
	spare = dup(client);
	close(spare);
	none = limit;
	none.rlim_cur = (rlim_t)spare + 1; /* the next one, which is run_for()'s */
	setrlimit(RLIMIT_NOFILE, &none);

	capture_begin();
	used = cpu_time();
	run_for(&w.loop, 3);
	used = cpu_time() - used;
	is(capture_lines(capture_end()), 1, "a client without a descriptor: it is said, once");
	ok(used < 0.5, "and waits, but not busily");
	setrlimit(RLIMIT_NOFILE, &limit);
	run_loop(&w);
	ok(w.connected, "until there is one");
	watcher_close(&w);
	close(client);
}

int main(void)
{
	char folder[] = "/tmp/vole-test-XXXXXX", path[64], text[80];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(text, sizeof text, "unix:%s", path);
	signal(SIGPIPE, SIG_IGN); /* as vole */
	test_clients(text, path);
	test_client_that_closes(text, path);
	test_half_closed(text, path, true);
	test_half_closed(text, path, false);
	test_late_event(text, path);
	test_listener_fails(text, path);
	test_path_taken(text, path);
	test_no_descriptors(text, path);
	rmdir(folder);
	return tap_done();
}
