/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RAM_COPY_H
#define VMM_RAM_COPY_H

/* Copies of guest memory at several moments. A page that has not changed between two of them is
 * there once, and one of zeroes takes no room. */

#include <stddef.h>
#include <stdint.h>

struct ram_page;

struct ram_copy {
	struct ram_page **pages; /* NULL: zeroes. Owned */
	size_t count;
};

/* Copies size bytes of memory, a multiple of 4096; before is the copy of another moment, or NULL.
 * Adds to *used how many bytes it takes. Returns 0 or -ENOMEM: then there is nothing to be freed.
 */
int ram_copy_take(struct ram_copy *copy, const struct ram_copy *before, const uint8_t *memory,
	size_t size, uint64_t *used);

/* Makes memory what it was. Pages that are so already are not written. */
void ram_copy_restore(const struct ram_copy *copy, uint8_t *memory);

/* Frees it, and takes what that sets free from *used. */
void ram_copy_free(struct ram_copy *copy, uint64_t *used);

#endif
