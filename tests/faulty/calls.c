/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that the linker leads here (--wrap). */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "faulty.h"
#include "sandbox/sandbox.h"

/* Declares a call, and what it is led to. */
#define WRAPPED(type, name, ...)         \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAPPED(int, open, const char *path, int flags, ...);
WRAPPED(int, fstat, int fd, struct stat *st);
WRAPPED(off_t, lseek, int fd, off_t offset, int whence);
WRAPPED(int, fcntl, int fd, int command, ...);
WRAPPED(ssize_t, write, int fd, const void *bytes, size_t len);
WRAPPED(ssize_t, pread, int fd, void *bytes, size_t len, off_t offset);
WRAPPED(ssize_t, pwrite, int fd, const void *bytes, size_t len, off_t offset);
WRAPPED(ssize_t, preadv, int fd, const struct iovec *iov, int count, off_t offset);
WRAPPED(ssize_t, pwritev, int fd, const struct iovec *iov, int count, off_t offset);
WRAPPED(int, fdatasync, int fd);
WRAPPED(int, fallocate, int fd, int mode, off_t offset, off_t len);

static bool is_faulty(int fd)
{
	const char *path = getenv("VOLE_FAULTY_FILE");
	struct stat wanted, st;

	return path && stat(path, &wanted) == 0 && __real_fstat(fd, &st) == 0 &&
	       st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino;
}

/* Returns whether the call fails, with errno set. */
static bool fails(enum call call, size_t *len)
{
	int error;

	stall();
	error = fault_of(call, len);
	if (error)
		errno = error;
	return error != 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	const char *faulty = getenv("VOLE_FAULTY_FILE");
	mode_t mode;
	va_list rest;

	va_start(rest, flags);
	mode = va_arg(rest, mode_t); /* meaningless unless flags has O_CREAT */
	va_end(rest);
	if (faulty && strcmp(path, faulty) == 0 && fails(CALL_OPEN, NULL))
		return -1;
	return __real_open(path, flags, mode);
}

int __wrap_fstat(int fd, struct stat *st)
{
	return is_faulty(fd) && fails(CALL_STAT, NULL) ? -1 : __real_fstat(fd, st);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	return is_faulty(fd) && fails(CALL_SIZE, NULL) ? -1 : __real_lseek(fd, offset, whence);
}

int __wrap_fcntl(int fd, int command, ...)
{
	void *argument;
	va_list rest;

	va_start(rest, command);
	argument = va_arg(rest, void *);
	va_end(rest);
	return is_faulty(fd) && fails(CALL_LOCK, NULL) ? -1 : __real_fcntl(fd, command, argument);
}

/* A disk is not written so, but a record is. */
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (is_faulty(fd))
		stall();
	return __real_write(fd, bytes, len);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t offset)
{
	bool failed = is_faulty(fd) && fails(CALL_READ, &len);

	return failed ? -1 : __real_pread(fd, bytes, len, offset);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	bool failed = is_faulty(fd) && fails(CALL_WRITE, &len);

	return failed ? -1 : __real_pwrite(fd, bytes, len, offset);
}

typedef ssize_t vector_call(int fd, const struct iovec *iov, int count, off_t offset);

/* Transfers the beginning of what iov says, unless the call fails. */
static ssize_t transfer(
	enum call call, vector_call *real, int fd, const struct iovec *iov, int count, off_t offset)
{
	struct iovec some[IOV_MAX];
	size_t len = 0;

	if (!is_faulty(fd))
		return real(fd, iov, count, offset);
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (fails(call, &len))
		return -1;
	for (int i = 0; i < count; i++) {
		some[i] = iov[i];
		if (some[i].iov_len > len)
			some[i].iov_len = len;
		len -= some[i].iov_len;
	}
	return real(fd, some, count, offset);
}

ssize_t __wrap_preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
	return transfer(CALL_READ, __real_preadv, fd, iov, count, offset);
}

ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	return transfer(CALL_WRITE, __real_pwritev, fd, iov, count, offset);
}

int __wrap_fdatasync(int fd)
{
	return is_faulty(fd) && fails(CALL_FLUSH, NULL) ? -1 : __real_fdatasync(fd);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	bool failed = is_faulty(fd) && fails(CALL_ALLOCATE, NULL);

	return failed ? -1 : __real_fallocate(fd, mode, offset, len);
}

/* --- the sandbox ------------------------------------------------------------------------------ */

WRAPPED(int, sandbox_enter, enum sandbox_mode mode, const struct rules *rules,
	const struct landlock_grant *grants, unsigned grant_count);

/* It would forbid the calls by which faults are asked for. */
int __wrap_sandbox_enter(enum sandbox_mode mode, const struct rules *rules,
	const struct landlock_grant *grants, unsigned grant_count)
{
	(void)mode;
	(void)rules;
	(void)grants;
	(void)grant_count;
	return 0;
}
