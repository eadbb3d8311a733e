/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file_holder.h"
#include "log.h"
#include "page.h"

bool file_is_fifo(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Sets *size to the bytes of an open file. Returns 0, or -errno, which it has said. */
static int measure(int fd, const char *path, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		int ret = -errno;

		say("%s: %s", path, error_text(-ret));
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
	file_say_in_use(fd, "", path);
	return -EBUSY;
}

int file_adopt(int fd, const char *path, uint64_t *size)
{
	int ret;

	if (fd < 0)
		return fd;
	ret = measure(fd, path, size);
	if (ret == 0)
		ret = lock_to_read(fd, path);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

int file_open(const char *path, uint64_t *size)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0) {
		ret = -errno;
		say("%s: %s", path, error_text(-ret));
		return ret;
	}
	return file_adopt(fd, path, size);
}

void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
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
	say("%s: %s", path, n < 0 ? error_text((int)-n) : "became shorter while it was read");
	return n < 0 ? (int)n : -EIO;
}

/* The most that one write takes, so that signals are not kept waiting. */
#define WRITE_MAX (1u << 20)

int file_write(int fd, const void *bytes, size_t len, uint64_t offset)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t most = len < WRITE_MAX ? len : WRITE_MAX;
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, from, most, (off_t)offset));

		if (n < 0)
			return -errno;
		from += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_write_pages(int fd, const uint8_t *pages, uint64_t len, uint64_t offset)
{
	uint64_t first = 0;

	/* Adjacent pages are written together. */
	for (uint64_t at = 0; at <= len; at += PAGE_SIZE) {
		int ret = 0;

		if (at < len && !page_is_zero(pages + at))
			continue;
		if (first < at)
			ret = file_write(fd, pages + first, at - first, offset + first);
		if (ret < 0)
			return ret;
		first = at + PAGE_SIZE;
	}
	return 0;
}

int file_lock(int fd, bool shared)
{
	struct flock lock = {.l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}
