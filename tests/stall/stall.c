/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's disk that stalls: linked into a vole of its own, whose calls to read and write files the
 * linker leads here. Once a file of the name that VOLE_STALL says exists, the next call on the file
 * that VOLE_STALLING_DISK names gives it the name VOLE_STALLED and does not return while that
 * exists, not even for a signal, as a system call to a file server that is gone.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_disk(int fd)
{
	const char *path = getenv("VOLE_STALLING_DISK");
	struct stat disk, file;

	return path && stat(path, &disk) == 0 && fstat(fd, &file) == 0 &&
	       file.st_dev == disk.st_dev && file.st_ino == disk.st_ino;
}

static void stall(int fd)
{
	const char *name = getenv("VOLE_STALL"), *stalled = getenv("VOLE_STALLED");

	if (!name || !stalled || access(name, F_OK) < 0 || !is_disk(fd))
		return;
	rename(name, stalled);
	while (access(stalled, F_OK) == 0)
		usleep(10000);
}

#define STALLING(type, name, parameters, arguments) \
	type __real_##name parameters;              \
	type __wrap_##name parameters;              \
	type __wrap_##name parameters               \
	{                                           \
		stall(fd);                          \
		return __real_##name arguments;     \
	}

STALLING(ssize_t, pread, (int fd, void *bytes, size_t len, off_t offset), (fd, bytes, len, offset))
STALLING(ssize_t, pwrite, (int fd, const void *bytes, size_t len, off_t offset),
	(fd, bytes, len, offset))
STALLING(ssize_t, preadv, (int fd, const struct iovec *iov, int count, off_t offset),
	(fd, iov, count, offset))
STALLING(ssize_t, pwritev, (int fd, const struct iovec *iov, int count, off_t offset),
	(fd, iov, count, offset))
STALLING(int, fdatasync, (int fd), (fd))
