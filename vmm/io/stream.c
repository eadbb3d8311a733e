/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

bool stream_controls_us(int fd)
{
	/* The other end of a pseudo-terminal answers too, for the session there. */
	return tcgetsid(fd) == getsid(0);
}

int stream_reopen(int fd, int access)
{
	int flags = access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, given, own;
	struct stat st;
	char path[32];
	unsigned number;

	if (fstat(fd, &st) < 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return -1;
	/* Opening the master of a pseudo-terminal by name would make another pair. */
	if (ioctl(fd, TIOCGPTN, &number) == 0)
		return -1;
	/* A descriptor that was opened for the other direction is left as it is. */
	given = fcntl(fd, F_GETFL) & O_ACCMODE;
	if (given != O_RDWR && given != access)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, flags);
	/* After su(1) the terminal's device node is another user's; /dev/tty opens for all. */
	if (own < 0 && stream_controls_us(fd))
		own = open("/dev/tty", flags);
	return own;
}

size_t stream_step(int fd)
{
	bool blocks = !(fcntl(fd, F_GETFL) & O_NONBLOCK);

	/* poll(2) promises room for one byte of a terminal, and for PIPE_BUF bytes of a pipe
	 * (pipe(7)). */
	return blocks && isatty(fd) ? 1 : PIPE_BUF;
}

ssize_t stream_write_some(int fd, const struct iovec *iov, size_t step)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	ssize_t ret;

	if (poll(&ready, 1, 0) <= 0)
		return -EAGAIN;
	ret = write(fd, iov->iov_base, iov->iov_len < step ? iov->iov_len : step);
	if (ret >= 0)
		return ret;
	return errno == EINTR ? -EAGAIN : -errno;
}

void stream_ring_bell(int fd)
{
	char byte = '\a';
	const struct iovec bell = {&byte, 1};

	if (isatty(fd))
		stream_write_some(fd, &bell, 1);
}
