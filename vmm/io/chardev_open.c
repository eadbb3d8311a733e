/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/chardev_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "io/pty.h"
#include "io/stream.h"
#include "io/unix_socket.h"
#include "log.h"

static int fail(const struct chardev *dev, const char *path, int error)
{
	say("--%s %s: %s", dev->name, path, error_text(error));
	return -error;
}

static int open_stdio(struct chardev *dev)
{
	dev->in = stream_reopen(STDIN_FILENO, O_RDONLY);
	if (dev->in < 0)
		dev->in = STDIN_FILENO;
	dev->out = stream_reopen(STDOUT_FILENO, O_WRONLY);
	if (dev->out < 0)
		dev->out = STDOUT_FILENO;
	dev->is_stdout = true;
	return stream_controls_us(dev->in) ? chardev_take_terminal(dev) : 0;
}

static void say_in_use(const struct chardev *dev, const char *path)
{
	char option[32];

	snprintf(option, sizeof option, "--%s ", dev->name);
	file_say_in_use(dev->out, option, path);
}

/* A console does not wait for the reader of a FIFO: the guest would not run meanwhile. */
static int fail_file(const struct chardev *dev, const char *path, int error)
{
	if (error != ENXIO || !file_is_fifo(path))
		return fail(dev, path, error);
	say("--%s %s: nobody reads this FIFO: open it for reading first", dev->name, path);
	return -error;
}

/* Truncates the file only after it is locked, because it may be a disk of this machine or
 * another. */
static int open_file(struct chardev *dev, const char *path)
{
	struct stat st;
	int ret;

	/* O_NONBLOCK: opening a FIFO must not wait for a reader. */
	dev->out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (dev->out < 0 || fstat(dev->out, &st) < 0)
		return fail_file(dev, path, errno);
	if (!S_ISREG(st.st_mode))
		return 0;
	ret = file_lock(dev->out, false);
	if (ret == -EBUSY)
		say_in_use(dev, path);
	if (ret < 0)
		return ret == -EBUSY ? ret : fail(dev, path, -ret);
	return ftruncate(dev->out, 0) < 0 ? fail(dev, path, errno) : 0;
}

static int open_pty(struct chardev *dev, const char *label)
{
	char path[PTY_PATH_SIZE];
	int master = pty_open(&dev->slave, path);
	int ret;

	if (master < 0)
		return fail(dev, "pty", -master);
	dev->is_pty = true;
	ret = chardev_take_both(dev, master);
	if (ret < 0)
		return fail(dev, "pty", -ret);
	say("%s is on %s", label, path);
	return 0;
}

static int client_came(struct listener *listener, int fd)
{
	return chardev_take_client(container_of(listener, struct chardev, listener), fd);
}

static int open_socket(struct chardev *dev, const char *path)
{
	dev->input_waits = dev->output_waits = true;
	return listener_open(&dev->listener, dev->loop, dev->name, path, client_came);
}

static int open_by_kind(struct chardev *dev, const char *label, const char *text)
{
	const char *path = unix_socket_path(text);

	if (strncmp(text, "file:", 5) == 0)
		return open_file(dev, text + 5);
	if (path)
		return open_socket(dev, path);
	if (strcmp(text, "pty") == 0)
		return open_pty(dev, label);
	return open_stdio(dev);
}

int chardev_open(struct chardev *dev, const char *name, const char *label, const char *text,
	struct io_loop *loop)
{
	int ret = chardev_init(dev, name, loop);

	if (ret == 0)
		ret = open_by_kind(dev, label, text);
	return ret < 0 ? ret : chardev_begin(dev);
}
