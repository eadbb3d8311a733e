/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"

static int fail(const struct listener *listener, const char *path, int error)
{
	say("--%s unix:%s: %s", listener->name, path, error_text(error));
	return -error;
}

static void resume_later(struct listener *listener)
{
	io_timer_set(&listener->pause, SECOND_NS, 0);
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
			say("--%s unix:%s: no client can be taken: %s", listener->name,
				listener->path, error_text(-ret));
		resume_later(listener);
	}
	listener->failed = ret < 0;
}

int listener_open(struct listener *listener, struct io_loop *loop, const char *name,
	const char *path, int (*client)(struct listener *listener, int fd))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int ret;

	*listener = LISTENER_EMPTY;
	listener->loop = loop;
	listener->name = name;
	listener->client = client;
	if (strlen(path) >= sizeof address.sun_path)
		return fail(listener, path, ENAMETOOLONG);
	memcpy(address.sun_path, path, strlen(path));
	listener->socket = (struct io_source){
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.ready = socket_ready,
	};
	if (listener->socket.fd < 0)
		return fail(listener, path, errno);
	ret = io_timer_add(loop, &listener->pause, pause_ready);
	if (ret < 0)
		return ret;
	if (connect(listener->socket.fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fail(listener, path, EADDRINUSE);
	if (errno == ECONNREFUSED && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	if (bind(listener->socket.fd, (struct sockaddr *)&address, sizeof address) < 0)
		return fail(listener, path, errno);
	/* Somebody may have put something else there by the time of the end. */
	if (lstat(path, &st) < 0)
		return fail(listener, path, errno);
	listener->path = path;
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	if (listen(listener->socket.fd, 1) < 0)
		return fail(listener, path, errno);
	return io_loop_add(loop, &listener->socket, EPOLLIN);
}

void listener_unlink(const struct listener *listener)
{
	struct stat st;

	/* Nothing else can have its number while the socket is open. */
	if (listener->path && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
		st.st_ino == listener->inode)
		unlink(listener->path);
}

void listener_close(struct listener *listener)
{
	listener_unlink(listener);
	file_close(&listener->socket.fd);
	file_close(&listener->pause.fd);
	*listener = LISTENER_EMPTY;
}
