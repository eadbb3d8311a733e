/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BYTES_H
#define VMM_BYTES_H

/*
 * Bytes of a file's record that is put together from pieces; numbers are little-endian. One thread
 * at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data; /* owned; NULL: empty */
	size_t len, size;
	bool full; /* a piece did not fit: it and all that follows is left out */
};

/* Makes a record of up to size bytes. Returns 0 or -ENOMEM; the caller calls bytes_free(). */
int bytes_init(struct bytes *bytes, size_t size);
void bytes_free(struct bytes *bytes);

/* Makes the record empty. */
void bytes_begin(struct bytes *bytes);

/* Add a piece. */
void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_u8(struct bytes *bytes, uint8_t value);
void bytes_u16(struct bytes *bytes, uint16_t value);
void bytes_u32(struct bytes *bytes, uint32_t value);
void bytes_u64(struct bytes *bytes, uint64_t value);

/* Adds zeroes up to the next multiple of four bytes. */
void bytes_pad(struct bytes *bytes);

/* Returns where the next len bytes are to be stored, which are added; NULL if they do not fit. */
void *bytes_room(struct bytes *bytes, size_t len);

/* Stores a number over four bytes that were added before. */
void bytes_set_u32(struct bytes *bytes, size_t offset, uint32_t value);

#endif
