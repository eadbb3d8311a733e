/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FILE_H
#define VMM_FILE_H

/*
 * Files that are copied into guest memory, or that it is written to, and locks of files that stay
 * open. Where a function does
 * not say otherwise, it reports an error on standard error, after the name of the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns whether path names a FIFO; it reports nothing. */
bool file_is_fifo(const char *path);

/* Opens a regular file that is not empty, locks it for reading, and sets *size to its size in
 * bytes. Returns a descriptor that the caller closes, or -errno: -ENOEXEC if the file is of another
 * kind. */
int file_open(const char *path, uint64_t *size);

/* Validates an open file as file_open() does, and locks it. fd may be -errno that was said already.
 * Returns fd, or -errno (said), after which fd is closed. */
int file_adopt(int fd, const char *path, uint64_t *size);

/* Closes *fd, a descriptor of any kind, unless it is -1 already, and sets it to -1. */
void file_close(int *fd);

/* Reads [offset, offset + len) of a file; path is for messages. Returns 0 or -errno, also if the
 * file is shorter. */
int file_read(int fd, const char *path, void *dst, size_t len, uint64_t offset);

/* Reads up to len bytes of a file from offset on, less at its end. Returns the number of bytes
 * read, or -errno, which it does not report. */
ssize_t file_read_some(int fd, void *dst, size_t len, uint64_t offset);

/* Writes len bytes to a file from offset on. Returns 0 or -errno, which it does not report. */
int file_write(int fd, const void *bytes, size_t len, uint64_t offset);

/* Writes the pages that are not all zeros: page n at offset + n * PAGE_SIZE. It skips the others,
 * so the file must have holes there. len is a multiple of PAGE_SIZE. Returns as file_write(). */
int file_write_pages(int fd, const uint8_t *pages, uint64_t len, uint64_t offset);

/*
 * Locks a file against other voles: a shared lock for readers, an exclusive one for a writer. The
 * lock belongs to the open file description (fcntl(2), F_OFD_SETLK) and is released when that is
 * closed, however vole ends. Returns 0, -EBUSY if another vole has locked it, or -errno; it reports
 * nothing.
 */
int file_lock(int fd, bool shared);

#endif
