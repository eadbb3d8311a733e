/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECKSUM_H
#define VMM_CHECKSUM_H

/* Checksums with 64 bits that tell whether something is what it was. They are no protection against
 * somebody who wants another content to have the same one. */

#include <stddef.h>
#include <stdint.h>

/* Returns the checksum of bytes that follow what sum is the checksum of; 0 is that of nothing. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/* Sets *size and *sum to a file's or block device's. Holes and zeroes have the same checksum, and a
 * hole costs nothing. Returns 0 or -errno; says nothing. */
int checksum_file(int fd, uint64_t *size, uint64_t *sum);

#endif
