/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/terminal.h"
#include "log.h"

/* Of an open file. 0 or -errno (said). */
static int measure(int fd, const char *path, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		int ret = -errno;

		say("%s: %s", path, strerror(-ret));
		return ret;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		say("%s: %s", path,
			S_ISDIR(st.st_mode)   ? "a directory"
			: S_ISREG(st.st_mode) ? "the file is empty"
					      : "not a regular file");
		return -ENOEXEC;
	}
	*size = (uint64_t)st.st_size;
	return 0;
}

/* So that no vole empties it for output meanwhile, this one neither. Where the file cannot be
 * locked it can be read all the same. */
static int lock_to_read(int fd, const char *path)
{
	if (file_lock(fd, true) != -EBUSY)
		return 0;
	say("%s: in use by a vole, which may write it", path);
	return -EBUSY;
}

int file_open(const char *path, uint64_t *size)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0) {
		ret = -errno;
		say("%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = measure(fd, path, size);
	if (ret == 0)
		ret = lock_to_read(fd, path);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

ssize_t file_read_some(int fd, void *dst, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (uint8_t *)dst + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int file_read(int fd, const char *path, void *dst, size_t len, uint64_t offset)
{
	ssize_t n = file_read_some(fd, dst, len, offset);

	if (n == (ssize_t)len)
		return 0;
	say("%s: %s", path, n < 0 ? strerror((int)-n) : "became shorter while it was read");
	return n < 0 ? (int)n : -EIO;
}

int file_lock(int fd, bool shared)
{
	struct flock lock = {.l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int file_reopen(int fd, int access)
{
	int flags = access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, given, own;
	struct stat st;
	char path[32];
	unsigned number;

	if (fstat(fd, &st) < 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return -1;
	/* A name of the master of a pseudo-terminal makes another one. */
	if (ioctl(fd, TIOCGPTN, &number) == 0)
		return -1;
	/* What was opened for something else stays so. */
	given = fcntl(fd, F_GETFL) & O_ACCMODE;
	if (given != O_RDWR && given != access)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, flags);
	/* su(1) leaves a user at a terminal of somebody else, which has one name that all may open.
	 */
	if (own < 0 && terminal_controls_us(fd))
		own = open("/dev/tty", flags);
	return own;
}

size_t file_step(int fd)
{
	bool blocks = !(fcntl(fd, F_GETFL) & O_NONBLOCK);

	/* A terminal that is ready has room for something: more is not promised. For a pipe,
	 * pipe(7) has it. */
	return blocks && isatty(fd) ? 1 : PIPE_BUF;
}
