/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"

/* Opens the slave by its master: unlike a path, that needs no file system. */
static int open_slave(int master)
{
	return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static int set_raw(int slave)
{
	struct termios raw;

	if (tcgetattr(slave, &raw) < 0)
		return -errno;
	cfmakeraw(&raw);
	return tcsetattr(slave, TCSANOW, &raw) < 0 ? -errno : 0;
}

static int prepare(int master, int *slave, char path[PTY_PATH_SIZE])
{
	int ret;

	if (grantpt(master) < 0 || unlockpt(master) < 0)
		return -errno;
	ret = ptsname_r(master, path, PTY_PATH_SIZE);
	if (ret != 0)
		return -ret;
	*slave = open_slave(master);
	if (*slave < 0)
		return -errno;
	ret = set_raw(*slave);
	if (ret < 0) {
		close(*slave);
		*slave = -1;
	}
	return ret;
}

int pty_open(int *slave, char path[PTY_PATH_SIZE])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int ret;

	*slave = -1;
	if (master < 0)
		return -errno;
	ret = prepare(master, slave, path);
	if (ret < 0) {
		close(master);
		return ret;
	}
	return master;
}

bool pty_has_reader(int master, int *slave)
{
	struct pollfd end = {.fd = master};
	bool has_hung_up;

	close(*slave);
	has_hung_up = poll(&end, 1, 0) > 0 && end.revents & POLLHUP;
	*slave = open_slave(master);
	return !has_hung_up;
}

unsigned pty_unread(int slave)
{
	struct pollfd in = {.fd = slave, .events = POLLIN};
	int unread = 0;

	/* FIONREAD counts what has reached the slave, and poll(2) is what waits for the kernel's
	 * thread to hand on what has not; that one may be late on a busy host. */
	poll(&in, 1, 0);
	return ioctl(slave, FIONREAD, &unread) < 0 ? 0 : (unsigned)unread;
}

void pty_say_lost(int master, const char *name)
{
	unsigned number;

	/* ptsname_r() of glibc before 2.34 looks at the file too, which the sandbox forbids. */
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return;
	say("--%s pty: /dev/pts/%u is full, and nobody has it open: what the guest prints is lost "
	    "until somebody does",
		name, number);
}
