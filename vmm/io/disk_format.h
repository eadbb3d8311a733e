/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DISK_FORMAT_H
#define VMM_DISK_FORMAT_H

/*
 * Recognises disk images that are not raw: a guest would find another system's tables where it
 * looks for sectors, and its first write would destroy the image.
 */

#include <stdint.h>

/* Returns the name of the format of an open file of size bytes ("qcow2"), NULL if it is none of
 * those that are known or cannot be read. */
const char *disk_format(int fd, uint64_t size);

#endif
