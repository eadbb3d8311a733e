/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "io/unix_socket.h"
#include "log.h"

static int fail(const struct listener *listener, int error)
{
	say("--%s %s: %s", listener->name, listener->where, error_text(error));
	return -error;
}

static void resume_later(struct listener *listener)
{
	io_timer_set(&listener->pause, SECOND_NS, 0);
}

void listener_pause(struct listener *listener)
{
	io_loop_del(listener->loop, &listener->socket);
}

void listener_resume(struct listener *listener)
{
	if (io_loop_add(listener->loop, &listener->socket, EPOLLIN) < 0)
		resume_later(listener);
}

static void pause_ready(struct io_source *source)
{
	struct listener *listener = container_of(source, struct listener, pause);

	io_event_clear(source->fd);
	listener_resume(listener);
}

static void socket_ready(struct io_source *source)
{
	struct listener *listener = container_of(source, struct listener, socket);
	int client = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int ret = client < 0 ? -errno : 0;

	/* It may have gone away again. */
	if (ret == -EAGAIN || ret == -EINTR || ret == -ECONNABORTED)
		return;
	/* The next one waits; and one that cannot be had for now stays in the queue, and would keep
	 * the socket ready. */
	io_loop_del(listener->loop, source);
	if (ret == 0)
		ret = listener->client(listener, client);
	if (ret < 0) {
		if (!listener->failed)
			say("--%s %s: no client can be taken: %s", listener->name, listener->where,
				error_text(-ret));
		resume_later(listener);
	}
	listener->failed = ret < 0;
}

static int init(struct listener *listener, struct io_loop *loop, const char *name, int domain,
	int (*client)(struct listener *listener, int fd))
{
	listener->loop = loop;
	listener->name = name;
	listener->client = client;
	listener->socket = (struct io_source){
		.fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.ready = socket_ready,
	};
	if (listener->socket.fd < 0)
		return fail(listener, errno);
	return io_timer_add(loop, &listener->pause, pause_ready);
}

int listener_open(struct listener *listener, struct io_loop *loop, const char *name,
	const char *path, int (*client)(struct listener *listener, int fd))
{
	struct sockaddr_un address;
	char option[64];
	struct stat st;
	int ret;

	*listener = LISTENER_EMPTY;
	listener->name = name;
	snprintf(listener->where, sizeof listener->where, "unix:%s", path);
	snprintf(option, sizeof option, "--%s ", name);
	ret = unix_socket_address(&address, option, path);
	if (ret == 0)
		ret = init(listener, loop, name, AF_UNIX, client);
	if (ret < 0)
		return ret;
	if (connect(listener->socket.fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fail(listener, EADDRINUSE);
	if (errno == ECONNREFUSED && lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			say("--%s %s: a file or folder of this name is there, which is no socket",
				name, listener->where);
			return -EADDRINUSE;
		}
		unlink(path);
	}
	if (bind(listener->socket.fd, (struct sockaddr *)&address, sizeof address) < 0)
		return fail(listener, errno);
	/* At once: whoever waits for the socket connects when it is there. */
	if (listen(listener->socket.fd, 1) < 0) {
		ret = fail(listener, errno);
		unlink(path);
		return ret;
	}
	ret = remover_start(&listener->remover, path, false);
	if (ret < 0) {
		unlink(path);
		say("--%s %s: %s", name, listener->where, thread_error_text(-ret));
		return ret;
	}
	return io_loop_add(listener->loop, &listener->socket, EPOLLIN);
}

int listener_open_tcp(struct listener *listener, struct io_loop *loop, const char *name,
	uint16_t port, int (*client)(struct listener *listener, int fd))
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int on = 1;
	int ret;

	*listener = LISTENER_EMPTY;
	snprintf(listener->where, sizeof listener->where, "tcp:%u", port);
	ret = init(listener, loop, name, AF_INET, client);
	if (ret < 0)
		return ret;
	/* A connection of an earlier vole may still linger. */
	setsockopt(listener->socket.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener->socket.fd, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(listener->socket.fd, 1) < 0)
		return fail(listener, errno);
	return io_loop_add(loop, &listener->socket, EPOLLIN);
}

void listener_unlink(struct listener *listener)
{
	/* Before the socket is closed: until then nothing else can have its number. */
	remover_finish(&listener->remover);
}

void listener_close(struct listener *listener)
{
	listener_unlink(listener);
	file_close(&listener->socket.fd);
	file_close(&listener->pause.fd);
	*listener = LISTENER_EMPTY;
}
