/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FILE_H
#define VMM_FILE_H

/*
 * Files that go into guest memory, and locks of those that stay open; terminals and pipes that
 * others share. What is wrong is said on standard error, once, after the name of the file, where
 * nothing else is said.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Open a regular file that is not empty, lock it as one that is read, and measure it. Its
 * descriptor, to be closed, or -errno: -ENOEXEC for what the file is. */
int file_open(const char *path, uint64_t *size);

/* Read [offset, offset + len) of it. 0, or -errno: the file may have become shorter. */
int file_read(int fd, const char *path, void *dst, size_t len, uint64_t offset);

/* The same, or less where the file ends. Bytes read, or -errno; nothing is said. */
ssize_t file_read_some(int fd, void *dst, size_t len, uint64_t offset);

/*
 * Lock a file against other voles: shared by those that only read it, or for one that writes it.
 * The lock is the open file description's (fcntl(2), F_OFD_SETLK): it goes when the file is closed,
 * however vole ends. 0, -EBUSY if another has it, or -errno; nothing is said.
 */
int file_lock(int fd, bool shared);

/*
 * Our own way to a terminal or pipe, fd, which does not block: others share the descriptor that we
 * were given, so its flags are not ours to change. access: O_RDONLY or O_WRONLY. -1 if it is
 * something else, or may not be opened anew: then the given one has to do.
 */
int file_reopen(int fd, int access);

/* How many bytes may be written at once, when poll(2) finds fd ready, without a wait. */
size_t file_step(int fd);

#endif
