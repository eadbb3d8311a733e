/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug/gdb_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "line.h"
#include "log.h"

static int fail(const struct gdb_link *link, int error)
{
	say("--gdb %s: %s", link->options->text, error_text(error));
	return -error;
}

/* --- the guest's output ----------------------------------------------------------------------- */

static void guest_ready(struct io_source *source)
{
	struct gdb_link *link = container_of(source, struct gdb_link, guest);

	link->ops->output(link->ctx);
}

/* Has the loop watch the guest's output. While there is no room for it, its descriptor would be
 * readable all the time, and the loop would spin until the debugger reads. */
static void watch_guest(struct gdb_link *link)
{
	bool hear = link->wants_guest && gdb_link_has_room(link);

	if (link->guest.fd < 0 || hear == link->is_guest_heard)
		return;
	if (!hear)
		io_loop_del(link->loop, &link->guest);
	link->is_guest_heard = hear && io_loop_add_control(link->loop, &link->guest, EPOLLIN) == 0;
}

void gdb_link_hear_guest(struct gdb_link *link, bool hear)
{
	link->wants_guest = hear;
	watch_guest(link);
}

size_t gdb_link_read_output(struct gdb_link *link, void *bytes, size_t size)
{
	ssize_t n = link->guest.fd < 0 ? 0 : read(link->guest.fd, bytes, size);

	return n > 0 ? (size_t)n : 0;
}

/* --- the debugger ----------------------------------------------------------------------------- */

bool gdb_link_is_there(const struct gdb_link *link)
{
	return link->in >= 0;
}

void gdb_link_hear(struct gdb_link *link, bool hear)
{
	if (!gdb_link_is_there(link) || hear == link->is_heard)
		return;
	if (!hear)
		io_loop_del(link->loop, &link->input);
	link->is_heard = hear && io_loop_add_control(link->loop, &link->input, EPOLLIN) == 0;
}

static void stop_waiting(struct gdb_link *link)
{
	if (link->is_waiting)
		io_loop_del(link->loop, &link->output);
	link->is_waiting = false;
}

void gdb_link_drop(struct gdb_link *link)
{
	if (!gdb_link_is_there(link))
		return;
	gdb_link_hear(link, false);
	stop_waiting(link);
	file_close(&link->output.fd);
	if (link->out != link->in)
		file_close(&link->out);
	file_close(&link->in);
	link->out = -1;
	link->len = 0;
	watch_guest(link);
}

static void lose(struct gdb_link *link)
{
	gdb_link_drop(link);
	link->ops->left(link->ctx);
}

/* Writes what the debugger takes now. Returns false if it has disappeared. */
static bool write_some(struct gdb_link *link)
{
	bool is_there = true, takes = true;

	while (link->len > 0 && takes) {
		ssize_t n = write(link->output.fd, link->bytes, link->len);

		takes = n >= 0;
		is_there = takes || errno == EAGAIN || errno == EINTR;
		link->len -= takes ? (size_t)n : 0;
		memmove(link->bytes, link->bytes + (takes ? n : 0), link->len);
	}
	watch_guest(link);
	return is_there;
}

static void output_ready(struct io_source *source)
{
	struct gdb_link *link = container_of(source, struct gdb_link, output);

	if (!write_some(link))
		lose(link);
	else if (link->len == 0)
		stop_waiting(link);
}

static void input_ready(struct io_source *source)
{
	struct gdb_link *link = container_of(source, struct gdb_link, input);
	uint8_t bytes[4096];
	ssize_t n;

	/* One wait of the loop may tell of output and of input: then output_ready() may have found
	 * the debugger gone, and removed both sources. */
	if (!gdb_link_is_there(link))
		return;
	n = read(link->in, bytes, sizeof bytes);
	if (n > 0)
		link->ops->took(link->ctx, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		lose(link);
}

/* Both directions are waited for by themselves, and epoll has one entry for each descriptor. The
 * descriptors are link's from here on. */
static int begin(struct gdb_link *link, int in, int out)
{
	int ret;

	link->in = in;
	link->out = out;
	link->input = (struct io_source){.fd = in, .ready = input_ready};
	link->output =
		(struct io_source){.fd = fcntl(out, F_DUPFD_CLOEXEC, 0), .ready = output_ready};
	if (link->output.fd < 0)
		return -errno;
	ret = io_loop_add_control(link->loop, &link->input, EPOLLIN);
	link->is_heard = ret == 0;
	if (ret == 0)
		link->ops->came(link->ctx);
	return ret;
}

static void send_rest(struct gdb_link *link)
{
	if (!write_some(link) || link->len == 0 || link->is_waiting)
		return; /* one that has disappeared is noticed when it is read from */
	link->is_waiting = io_loop_add_control(link->loop, &link->output, EPOLLOUT) == 0;
}

void gdb_link_send(struct gdb_link *link, const void *bytes, size_t len)
{
	if (!gdb_link_is_there(link) || len > GDB_LINK_OUT - link->len)
		return;
	memcpy(link->bytes + link->len, bytes, len);
	link->len += len;
	send_rest(link);
}

bool gdb_link_has_room(const struct gdb_link *link)
{
	return GDB_LINK_OUT - link->len >= PACKET_BYTES_MAX;
}

void gdb_link_flush(struct gdb_link *link, int timeout_ms)
{
	struct pollfd fd = {.fd = link->output.fd, .events = POLLOUT};

	while (gdb_link_is_there(link) && link->len > 0)
		if (poll(&fd, 1, timeout_ms) <= 0 || !write_some(link))
			return;
}

bool gdb_link_serve(struct gdb_link *link, int other)
{
	struct pollfd fds[] = {
		{.fd = link->in, .events = POLLIN},
		{.fd = link->len > 0 ? link->output.fd : -1, .events = POLLOUT},
		{.fd = other, .events = POLLIN},
	};

	if (poll(fds, 3, -1) < 0)
		return errno == EINTR;
	if (fds[2].revents)
		return false;
	if (fds[1].revents)
		output_ready(&link->output);
	if (fds[0].revents && gdb_link_is_there(link))
		input_ready(&link->input);
	return true;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* Puts descriptors of the guest's own in the place of standard input and output. */
static int replace_stdio(struct gdb_link *link)
{
	int ends[2], empty;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	link->guest = (struct io_source){.fd = ends[0], .ready = guest_ready};
	empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (empty < 0 || dup2(empty, STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0) {
		int ret = -errno;

		close(ends[1]);
		file_close(&empty);
		return ret;
	}
	close(ends[1]);
	close(empty);
	line_compare();
	return set_nonblocking(ends[0]);
}

static int open_stdio(struct gdb_link *link)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int ret = in < 0 || out < 0 ? -errno : 0;

	if (ret == 0)
		ret = replace_stdio(link);
	if (ret == 0)
		ret = set_nonblocking(in);
	if (ret == 0)
		ret = set_nonblocking(out);
	if (ret < 0) {
		file_close(&in);
		file_close(&out);
		return fail(link, -ret);
	}
	ret = begin(link, in, out);
	if (ret == -EPERM) {
		say("--gdb -: standard input is a file; a debugger needs a pipe or a socket");
		return ret;
	}
	return ret < 0 ? fail(link, -ret) : 0;
}

/* The debugger may have disappeared just before the next one came. */
static void look_for_end(struct gdb_link *link)
{
	struct pollfd fd = {.fd = link->in, .events = POLLRDHUP};

	if (gdb_link_is_there(link) && poll(&fd, 1, 0) > 0)
		lose(link);
}

/* The listener accepts the next client at once, so that a second one does not wait for an answer.
 */
static int client_came(struct listener *listener, int fd)
{
	struct gdb_link *link = container_of(listener, struct gdb_link, listener);
	int ret = 0;

	look_for_end(link);
	if (gdb_link_is_there(link)) {
		say("--gdb %s: a second debugger was turned away; the first one is connected",
			link->options->text);
		close(fd);
	} else {
		ret = begin(link, fd, fd);
		if (ret < 0)
			gdb_link_drop(link);
	}
	listener_resume(listener);
	return 0;
}

int gdb_link_open(struct gdb_link *link, const struct gdb_options *options, struct io_loop *loop,
	const struct gdb_link_ops *ops, void *ctx)
{
	*link = GDB_LINK_EMPTY;
	link->options = options;
	link->loop = loop;
	link->ops = ops;
	link->ctx = ctx;
	link->bytes = malloc(GDB_LINK_OUT);
	if (!link->bytes)
		return fail(link, ENOMEM);
	switch (options->kind) {
	case GDB_STDIO:
		return open_stdio(link);
	case GDB_UNIX:
		return listener_open(&link->listener, loop, "gdb", options->path, client_came);
	case GDB_TCP:
		return listener_open_tcp(&link->listener, loop, "gdb", options->port, client_came);
	case GDB_NONE:
		break;
	}
	return 0;
}

void gdb_link_close(struct gdb_link *link)
{
	gdb_link_drop(link);
	gdb_link_hear_guest(link, false);
	file_close(&link->guest.fd);
	listener_close(&link->listener);
	free(link->bytes);
	*link = GDB_LINK_EMPTY;
}
