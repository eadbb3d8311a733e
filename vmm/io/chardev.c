/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "io/pty.h"
#include "io/stream.h"
#include "line.h"
#include "log.h"

static struct chardev *chardev_of(struct console_backend *backend)
{
	return container_of(backend, struct chardev, backend);
}

/* Returns whether this is a socket, whose clients come and go. */
static bool is_socket(const struct chardev *dev)
{
	return dev->listener.socket.fd >= 0;
}

static void arm_input(struct chardev *dev, uint32_t events)
{
	if (dev->input_events)
		io_loop_del(dev->loop, &dev->input);
	if (events && (dev->is_terminal ? io_loop_add_control : io_loop_add)(
			      dev->loop, &dev->input, events) < 0)
		events = 0;
	dev->input_events = events;
}

/* Returns the epoll events that tell that a client leaves while the guest does not want its input,
 * or has read all of it. */
static uint32_t client_events(const struct chardev *dev)
{
	if (!is_socket(dev) || dev->in < 0)
		return 0;
	if (dev->input_ended)
		return EPOLLHUP;
	return dev->client_ended ? 0 : EPOLLRDHUP;
}

/* How often something is looked at that nothing tells of: whether a background job is in the
 * foreground now, since a shell need not send SIGCONT to a job that runs; and whether the reader
 * for whom output to a pseudo-terminal waits has left. */
#define LOOK_NS 250000000

static void set_look(struct chardev *dev, bool is_needed)
{
	uint64_t ns = is_needed ? LOOK_NS : 0;

	if (is_needed != dev->is_looking)
		io_timer_set(&dev->look, ns, ns);
	dev->is_looking = is_needed;
}

/* Updates which descriptors the loop waits for, from what the device wants. */
static void update(struct chardev *dev)
{
	/* A terminal is read even if the guest wants no input, because the user may type ^A x; but
	 * not by a background job, since then keys are for the foreground job. */
	bool wanted = dev->is_terminal ? !dev->away : atomic_load(&dev->want_input);
	bool input = dev->in >= 0 && !dev->input_ended && wanted;
	bool output = dev->out >= 0 && atomic_load(&dev->want_output);

	if (dev->input_waits) {
		uint32_t events = input ? EPOLLIN : client_events(dev);

		if (events != dev->input_events)
			arm_input(dev, events);
	}
	if (dev->output_waits && output != dev->output_armed) {
		if (output)
			output = io_loop_add(dev->loop, &dev->output, EPOLLOUT) == 0;
		else
			io_loop_del(dev->loop, &dev->output);
		dev->output_armed = output;
	}
	if (dev->is_pty)
		set_look(dev, output);
}

/* Returns whether the guest can get input without waiting. */
static bool input_at_hand(const struct chardev *dev)
{
	if (!atomic_load(&dev->want_input))
		return false;
	if (dev->keyboard && dev->keyboard->len > 0)
		return true;
	return dev->input_ended || (dev->in >= 0 && !dev->input_waits);
}

int chardev_take_both(struct chardev *dev, int fd)
{
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (other < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	dev->in = fd;
	dev->out = other;
	dev->step = stream_step(other);
	return 0;
}

/* Closes the connection of a client that left. I/O thread, lock held. */
static void disconnect(struct chardev *dev)
{
	arm_input(dev, 0);
	if (dev->output_armed)
		io_loop_del(dev->loop, &dev->output);
	dev->output_armed = false;
	close(dev->in);
	close(dev->out);
	dev->in = dev->out = -1;
	dev->client_deaf = dev->client_ended = dev->input_ended = false;
	listener_resume(&dev->listener);
	/* The device is to hear of it, and output that waited for the client is dropped: but not
	 * from here, where the device itself may be at work. */
	dev->client_left = true;
	io_event_signal(dev->wake.fd);
}

/* Ends input, since all that the client sent was read. A client that has only shut down its side
 * still gets output. */
static void client_read_out(struct chardev *dev)
{
	struct pollfd gone = {.fd = dev->in};

	dev->input_ended = true;
	if (poll(&gone, 1, 0) == 0)
		return;
	pthread_mutex_lock(&dev->lock);
	disconnect(dev);
	pthread_mutex_unlock(&dev->lock);
}

static void wake_ready(struct io_source *source)
{
	struct chardev *dev = container_of(source, struct chardev, wake);

	io_event_clear(source->fd);
	/* Output mostly need not wait, and trying costs less than having epoll tell. */
	if (dev->client_left || input_at_hand(dev) || atomic_load(&dev->want_output)) {
		dev->client_left = false;
		dev->ready(dev->ctx);
	}
	update(dev);
}

/* Returns whether nobody has a pseudo-terminal open. Lock held. */
static bool is_unread_pty(struct chardev *dev)
{
	return dev->is_pty && !pty_has_reader(dev->out, &dev->slave);
}

/* Writes a part of the first segment of iov, or takes all of it if nobody is there to read it.
 * Returns the number of bytes taken, or -errno. Lock held. */
static ssize_t write_some(struct chardev *dev, const struct iovec *iov)
{
	ssize_t ret;

	if (dev->out < 0 || dev->client_deaf)
		return (ssize_t)iov->iov_len;
	ret = dev->is_stdout ? line_write_guest(dev->out, iov, dev->step)
			     : stream_write_some(dev->out, iov, dev->step);
	if (ret == -EAGAIN && is_unread_pty(dev)) {
		dev->lost_output = true;
		return (ssize_t)iov->iov_len;
	}
	/* What a client sent before it left is the guest's all the same. */
	if (ret < 0 && ret != -EAGAIN)
		dev->client_deaf = is_socket(dev);
	return ret;
}

static void take_typed(struct chardev *dev, const char *bytes, size_t len)
{
	unsigned verdict = keyboard_type(dev->keyboard, bytes, len);

	if (verdict & KEYBOARD_DROPPED)
		stream_ring_bell(dev->out);
	if (verdict & KEYBOARD_STUCK)
		say("the guest does not answer ^C; ^A x ends the machine, ^A s shows its state");
	if (verdict & KEYBOARD_SHOW)
		dev->show(dev->ctx);
	if (verdict & KEYBOARD_QUIT)
		dev->quit(dev->ctx);
}

static void set_away(struct chardev *dev, bool away)
{
	set_look(dev, away);
	dev->away = away;
}

static void output_ready(struct io_source *source)
{
	struct chardev *dev = container_of(source, struct chardev, output);

	dev->ready(dev->ctx);
	update(dev);
}

static void look_ready(struct io_source *source)
{
	struct chardev *dev = container_of(source, struct chardev, look);

	io_event_clear(source->fd);
	chardev_resume(dev);
	if (dev->is_pty)
		output_ready(&dev->output);
}

void chardev_suspend(struct chardev *dev)
{
	terminal_suspend(&dev->terminal);
}

void chardev_resume(struct chardev *dev)
{
	if (!dev->is_terminal)
		return;
	set_away(dev, terminal_resume(&dev->terminal) == 0);
	update(dev);
}

/* Handles that the terminal could not be read because this was a background job; it may be a
 * foreground job again. */
static void found_away(struct chardev *dev)
{
	int ret = terminal_resume(&dev->terminal);

	if (ret == 0)
		set_away(dev, true);
	else if (ret < 0)
		dev->input_ended = true;
}

static void read_terminal(struct chardev *dev)
{
	char bytes[KEYBOARD_MAX];
	ssize_t len = read(dev->in, bytes, sizeof bytes);

	if (len > 0)
		take_typed(dev, bytes, (size_t)len);
	else if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return; /* somebody else was faster */
	else if (len < 0 && errno == EIO)
		found_away(dev);
	else
		dev->input_ended = true;
}

/* Handles that a client shut down its side while the guest wants no input. The connection stays
 * open until the guest has read what the client sent before. */
static void client_ended(struct chardev *dev)
{
	struct pollfd end = {.fd = dev->in, .events = POLLRDHUP};
	char byte;

	/* The event may be one of input, from before the loop waited for the end alone. */
	dev->client_ended = poll(&end, 1, 0) > 0;
	if (dev->client_ended && recv(dev->in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		client_read_out(dev);
}

static void input_ready(struct io_source *source)
{
	struct chardev *dev = container_of(source, struct chardev, input);

	if (dev->is_terminal)
		read_terminal(dev);
	if (dev->input_events == EPOLLRDHUP)
		client_ended(dev);
	else if (dev->input_events == EPOLLHUP)
		client_read_out(dev);
	if (atomic_load(&dev->want_input))
		dev->ready(dev->ctx);
	update(dev);
}

/* --- what the device calls -------------------------------------------------------------------- */

static ssize_t chardev_read(
	struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct chardev *dev = chardev_of(backend);
	struct pollfd ready = {.fd = dev->in, .events = POLLIN};
	ssize_t ret;

	if (dev->is_terminal) {
		ret = (ssize_t)keyboard_take(dev->keyboard, iov, count);
		return ret > 0 || dev->input_ended ? ret : -EAGAIN;
	}
	if (dev->in < 0 || dev->input_ended)
		return is_socket(dev) ? -EAGAIN : 0;
	if (dev->input_waits && poll(&ready, 1, 0) <= 0)
		return -EAGAIN;
	ret = readv(dev->in, iov, (int)count);
	if (ret < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (ret > 0)
		return ret;
	if (is_socket(dev)) {
		client_read_out(dev);
		return -EAGAIN;
	}
	dev->input_ended = true;
	return ret < 0 ? -errno : 0;
}

static ssize_t chardev_write(
	struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct chardev *dev = chardev_of(backend);
	bool had_lost, lost, broke = false;
	ssize_t ret;

	(void)count; /* the device comes again for the rest */
	chardev_answered(dev);
	pthread_mutex_lock(&dev->lock);
	had_lost = dev->lost_output;
	ret = write_some(dev, iov);
	lost = dev->lost_output && !had_lost;
	if (ret < 0 && ret != -EAGAIN && !is_socket(dev)) {
		broke = !dev->output_broken;
		dev->output_broken = true;
	}
	pthread_mutex_unlock(&dev->lock);
	if (ret > 0 && dev->wrote)
		dev->wrote(dev->ctx);
	if (lost)
		pty_say_lost(dev->in, dev->name);
	if (broke)
		dev->broken(dev->ctx, (int)-ret);
	return ret;
}

static void chardev_want(struct console_backend *backend, bool input, bool output)
{
	struct chardev *dev = chardev_of(backend);
	bool had_input = atomic_exchange(&dev->want_input, input);
	bool had_output = atomic_exchange(&dev->want_output, output);

	/* What is not wanted any more is found out when it is ready. */
	if ((input && !had_input) || (output && !had_output))
		io_event_signal(dev->wake.fd);
}

static bool chardev_connected(struct console_backend *backend)
{
	const struct chardev *dev = chardev_of(backend);

	/* Of those that come and go, only a socket's clients can be seen to. */
	return !is_socket(dev) || dev->out >= 0;
}

static void chardev_size(struct console_backend *backend, uint16_t *cols, uint16_t *rows)
{
	struct chardev *dev = chardev_of(backend);
	struct winsize size = {0};

	if (dev->is_terminal && ioctl(dev->in, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){0};
	*cols = size.ws_col;
	*rows = size.ws_row;
}

static const struct console_backend_ops chardev_ops = {
	.read = chardev_read,
	.write = chardev_write,
	.want = chardev_want,
	.connected = chardev_connected,
	.size = chardev_size,
};

/* --- for chardev_open.c ----------------------------------------------------------------------- */

int chardev_init(struct chardev *dev, const char *name, struct io_loop *loop)
{
	*dev = CHARDEV_EMPTY;
	dev->name = name;
	dev->backend.ops = &chardev_ops;
	dev->loop = loop;
	dev->wake = (struct io_source){.fd = io_event_open(), .ready = wake_ready};
	if (dev->wake.fd < 0)
		return dev->wake.fd;
	return io_loop_add(loop, &dev->wake, EPOLLIN);
}

int chardev_take_terminal(struct chardev *dev)
{
	int ret = io_timer_add(dev->loop, &dev->look, look_ready);

	if (ret < 0)
		return ret;
	dev->keyboard = calloc(1, sizeof *dev->keyboard);
	ret = dev->keyboard ? terminal_open(&dev->terminal, dev->in) : -ENOMEM;
	if (ret < 0) {
		say("--%s stdio: %s", dev->name, thread_error_text(-ret));
		return ret;
	}
	dev->is_terminal = true;
	set_away(dev, ret == 0);
	return 0;
}

int chardev_take_client(struct chardev *dev, int fd)
{
	int ret;

	pthread_mutex_lock(&dev->lock);
	ret = chardev_take_both(dev, fd);
	pthread_mutex_unlock(&dev->lock);
	if (ret < 0)
		return ret;
	dev->input.fd = dev->in;
	dev->output.fd = dev->out;
	dev->ready(dev->ctx); /* somebody is there */
	update(dev);
	return 0;
}

int chardev_begin(struct chardev *dev)
{
	int ret = 0;

	dev->input = (struct io_source){.fd = dev->in, .ready = input_ready};
	dev->output = (struct io_source){.fd = dev->out, .ready = output_ready};
	if (dev->is_pty)
		ret = io_timer_add(dev->loop, &dev->look, look_ready);
	if (ret == 0)
		ret = io_loop_can_wait(dev->loop, dev->in, &dev->input_waits);
	if (ret == 0)
		ret = io_loop_can_wait(dev->loop, dev->out, &dev->output_waits);
	dev->step = stream_step(dev->out);
	if (ret == 0)
		update(dev);
	return ret;
}

/* --- for the machine -------------------------------------------------------------------------- */

struct pty_unread chardev_unread(const struct chardev *dev)
{
	return dev->is_pty ? pty_unread(dev->slave) : (struct pty_unread){.bytes = 0};
}

bool chardev_has_reader(struct chardev *dev)
{
	return dev->is_pty && pty_has_reader(dev->in, &dev->slave);
}

int chardev_keys(const struct chardev *dev)
{
	if (!dev->is_terminal || dev->input_ended)
		return -1;
	return dev->away ? dev->look.fd : dev->in;
}

void chardev_take_keys(struct chardev *dev)
{
	dev->keyboard->len = 0;
	if (dev->away)
		look_ready(&dev->look);
	else
		read_terminal(dev);
}

void chardev_close(struct chardev *dev)
{
	terminal_restore(&dev->terminal);
	if (dev->in > STDERR_FILENO)
		close(dev->in);
	if (dev->out > STDERR_FILENO)
		close(dev->out);
	file_close(&dev->look.fd);
	file_close(&dev->slave);
	listener_close(&dev->listener);
	file_close(&dev->wake.fd);
	free(dev->keyboard);
	*dev = CHARDEV_EMPTY;
}
