/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's end of a console whose two directions are one connection, a socket or a
 * pseudo-terminal: input that is waited for does not keep output from being waited for. And what
 * cannot be waited for.
 */
#include "io/chardev_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"
#include "../watcher.h"

/* More than any buffer between the two sides holds. */
#define OUTPUT (4u << 20)

/* The device: once it has received a byte it sends OUTPUT bytes, and always takes more input. */
struct guest {
	struct io_loop loop;
	struct chardev chardev;
	size_t received, sent;
	unsigned refused; /* times that the host took no more */
	int told;         /* pipe to the client: the host takes no more */
};

static ssize_t send_some(struct guest *guest)
{
	static uint8_t block[65536];
	struct console_backend *backend = &guest->chardev.backend;
	size_t left = OUTPUT - guest->sent;
	struct iovec iov = {block, left < sizeof block ? left : sizeof block};

	return backend->ops->write(backend, &iov, 1);
}

static void send_all(struct guest *guest)
{
	ssize_t len = 0;

	while (guest->sent < OUTPUT && (len = send_some(guest)) > 0)
		guest->sent += (size_t)len;
	if (len == -EAGAIN && guest->refused++ == 0 && write(guest->told, "", 1) != 1)
		perror("write");
}

static void ready(void *ctx)
{
	struct guest *guest = ctx;
	struct console_backend *backend = &guest->chardev.backend;
	uint8_t byte;
	struct iovec iov = {&byte, 1};

	if (backend->ops->read(backend, &iov, 1) == 1)
		guest->received++;
	if (guest->received > 0)
		send_all(guest);
	backend->ops->want(backend, true, guest->received > 0 && guest->sent < OUTPUT);
	if (guest->sent == OUTPUT)
		io_loop_stop(&guest->loop);
}

/* A process that sends one byte, and reads nothing before the other side is stuck. */
static pid_t client_start(const char *path, int told)
{
	static uint8_t block[65536];
	pid_t pid = fork();
	size_t received = 0;
	int fd;

	if (pid != 0)
		return pid;
	fd = client_open(path);
	if (write(fd, "x", 1) != 1 || read(told, block, 1) != 1)
		_exit(2);
	while (received < OUTPUT) {
		ssize_t len = read(fd, block, sizeof block);

		if (len <= 0)
			_exit(3);
		received += (size_t)len;
	}
	_exit(0);
}

/* Clients go to path; NULL: chardev_open() says where. */
static void both_ways(const char *name, const char *text, const char *path)
{
	struct guest guest = {.chardev = CHARDEV_EMPTY};
	struct console_backend *backend = &guest.chardev.backend;
	const char *said;
	char terminal[64];
	int told[2], status;
	pid_t client;

	if (pipe(told) < 0)
		exit(1);
	guest.told = told[1];
	capture_begin();
	is(io_loop_init(&guest.loop), 0, "%s: a loop", name);
	is(chardev_open(&guest.chardev, "console", "it", text, &guest.loop), 0, "%s: opens", name);
	said = capture_end();
	guest.chardev.ready = ready;
	guest.chardev.ctx = &guest;
	if (!path && sscanf(said, "vole: it is on %63s", terminal) == 1)
		path = terminal;
	if (!path) {
		ok(false, "%s: there is a way to it", name);
		return;
	}
	backend->ops->want(backend, true, false);
	client = client_start(path, told[0]);
	alarm(PATIENCE);
	capture_begin();
	is(io_loop_run(&guest.loop), 0, "%s: the loop runs", name);
	is(capture_lines(capture_end()), 0, "%s: nothing has to be said", name);
	alarm(0);
	is(guest.sent, OUTPUT, "%s: all output is sent", name);
	ok(guest.refused > 0, "%s: although the other side did not take it at times", name);
	waitpid(client, &status, 0);
	is(status, 0, "%s: the other side received all of it", name);
	chardev_close(&guest.chardev);
	io_loop_free(&guest.loop);
	close(told[0]);
	close(told[1]);
}

/* The errno with which epoll refuses standard input; 0: it does not. Otherwise epoll_ctl() is as
 * libc has it. */
static int stdin_error;

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && fd == STDIN_FILENO && stdin_error != 0) {
		errno = stdin_error;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static void without_waiting(int error, int expected, unsigned lines, const char *name)
{
	struct io_loop loop;
	struct chardev chardev;

	/* A file: of others, vole makes a descriptor of its own. */
	if (dup2(memfd_create("input", 0), STDIN_FILENO) < 0)
		exit(1);
	stdin_error = error;
	capture_begin();
	is(io_loop_init(&loop), 0, "%s: a loop", name);
	is(chardev_open(&chardev, "console", "it", "stdio", &loop), expected, "%s: %d", name,
		expected);
	chardev_close(&chardev);
	io_loop_free(&loop);
	is(capture_lines(capture_end()), lines, "%s: said once, if at all", name);
	stdin_error = 0;
}

int main(void)
{
	char folder[] = "/tmp/vole-test-XXXXXX", path[64], text[80];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(text, sizeof text, "unix:%s", path);
	both_ways("socket", text, path);
	both_ways("pseudo-terminal", "pty", NULL);
	rmdir(folder);
	without_waiting(EPERM, 0, 0, "a file need not be waited for");
	without_waiting(ENOSPC, -ENOSPC, 1, "nothing more can be waited for");
	return tap_done();
}
