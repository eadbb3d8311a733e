/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_CURSOR_H
#define VMM_STORY_CURSOR_H

/*
 * Takes little-endian numbers from bytes that nobody vouches for. What is not there any more reads
 * as 0, and is_short stays true from then on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *next, *end;
	bool is_short;
};

static inline struct cursor cursor_of(const uint8_t *bytes, size_t len)
{
	return (struct cursor){.next = bytes, .end = bytes + len};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->next);
}

/* Returns where the next len bytes are, NULL if there are fewer; they are taken. */
static inline const uint8_t *take_bytes(struct cursor *cursor, size_t len)
{
	const uint8_t *bytes = cursor->next;

	cursor->is_short |= len > cursor_left(cursor);
	if (cursor->is_short)
		return NULL;
	cursor->next += len;
	return bytes;
}

/* Takes a number of this many bytes, at most eight. */
static inline uint64_t take_number(struct cursor *cursor, size_t len)
{
	const uint8_t *bytes = take_bytes(cursor, len);
	uint64_t value = 0;

	for (size_t i = 0; bytes && i < len; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static inline uint8_t take_u8(struct cursor *cursor)
{
	return (uint8_t)take_number(cursor, 1);
}

static inline uint16_t take_u16(struct cursor *cursor)
{
	return (uint16_t)take_number(cursor, 2);
}

static inline uint32_t take_u32(struct cursor *cursor)
{
	return (uint32_t)take_number(cursor, 4);
}

static inline uint64_t take_u64(struct cursor *cursor)
{
	return take_number(cursor, 8);
}

#endif
