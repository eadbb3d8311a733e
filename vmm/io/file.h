/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FILE_H
#define VMM_FILE_H

/*
 * Files that are copied into guest memory, and locks of files that stay open. Where a function does
 * not say otherwise, it reports an error on standard error, after the name of the file.
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

#endif
