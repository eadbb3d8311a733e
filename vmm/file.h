/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FILE_H
#define VMM_FILE_H

/*
 * Files that go into guest memory. What is wrong is said on standard error, once, after the name of
 * the file.
 */

#include <stddef.h>
#include <stdint.h>

/* Open a regular file that is not empty, and measure it. Its descriptor, to be closed, or -errno. */
int file_open(const char *path, uint64_t *size);

/* Read [offset, offset + len) of it. 0, or -errno: the file may have become shorter. */
int file_read(int fd, const char *path, void *dst, size_t len, uint64_t offset);

#endif
