/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DISK_FORMAT_H
#define VMM_DISK_FORMAT_H

/*
 * Recognises disk images that are not raw: a guest would find another system's tables where it
 * looks for sectors, and its first write would destroy the image.
 */

#include <stdint.h>

/* Sets *format to the name of the format of an open file of size bytes ("qcow2"), or to NULL if it
 * is none of those that are known. Returns 0, or -errno (not said) if the file cannot be read. */
int disk_format(int fd, uint64_t size, const char **format);

#endif
