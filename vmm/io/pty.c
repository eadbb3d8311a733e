/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

/* Closes the slave, after ending its exclusive mode (TIOCEXCL), which would keep this process from
 * opening it again, unless that is root's. Returns whether it was in that mode. */
static bool close_slave(int slave)
{
	int is_exclusive = 0;

	if (slave < 0)
		return false;
	if (ioctl(slave, TIOCGEXCL, &is_exclusive) == 0 && is_exclusive)
		ioctl(slave, TIOCNXCL);
	close(slave);
	return is_exclusive != 0;
}

bool pty_has_reader(int master, int *slave)
{
	struct pollfd end = {.fd = master};
	bool is_exclusive = close_slave(*slave);
	bool has_hung_up = poll(&end, 1, 0) > 0 && end.revents & POLLHUP;

	*slave = open_slave(master);
	/* Exclusive mode lasts as long as the reader who has set it has the terminal open. */
	if (is_exclusive && !has_hung_up && *slave >= 0)
		ioctl(*slave, TIOCEXCL);
	return !has_hung_up;
}

struct pty_unread pty_unread(int slave)
{
	struct pollfd in = {.fd = slave, .events = POLLIN};
	struct pty_unread unread = {.bytes = 0};
	struct stat st;
	int bytes;

	/* FIONREAD counts only bytes that have reached the slave. A thread of the kernel moves them
	 * there, and is late on a busy host; poll(2) waits for it if there is nothing to read. */
	poll(&in, 1, 0);
	if (ioctl(slave, FIONREAD, &bytes) == 0)
		unread.bytes = (unsigned)bytes;
	if (fstat(slave, &st) == 0)
		unread.was_read = (uint64_t)st.st_atim.tv_sec;
	return unread;
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
