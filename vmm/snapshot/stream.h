/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SNAPSHOT_STREAM_H
#define VMM_SNAPSHOT_STREAM_H

/*
 * The state of a machine as a stream of bytes: sections, each with a tag, a number and a length,
 * and fields within them. spec/snapshot.md has the format.
 *
 * One function transfers a structure in either direction, so that what is written and what is read
 * cannot differ. lapic_transfer() for instance writes a local APIC to a stream that is being
 * written, and fills it from one that is being read:
 *
 *	snapshot_begin(stream, "LAPC", cpu);
 *	SNAPSHOT_FIELD(stream, lapic->tpr);
 *	snapshot_bool(stream, &lapic->enabled);
 *	snapshot_check(stream, lapic->id == cpu, "id %u", lapic->id);
 *	snapshot_end(stream);
 *
 * What is read may come from anyone. The first error stays: from then on all fields read as 0, so
 * that a transfer function needs no error handling of its own, and its caller looks once, at the
 * end, whether the structure may be used: snapshot_failed(). Values that the code relies on are
 * validated by snapshot_check().
 *
 * Fields are stored as they are in memory, little-endian; hosts are. A structure is transferred
 * field by field, never as a whole, so that no padding is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest stream that is read or written, in bytes: 64 CPUs and 16 devices take less than a
 * quarter. */
#define SNAPSHOT_STREAM_MAX (UINT64_C(4) << 20)

#define SNAPSHOT_TAG_SIZE 4

struct snapshot_stream {
	bool is_reading;
	uint8_t *bytes;  /* writing: owned by the stream; reading: owned by the caller */
	size_t len;      /* of bytes: written so far, or that there are to read */
	size_t capacity; /* writing only */
	size_t at;       /* reading: the next byte */

	bool in_section;
	char tag[SNAPSHOT_TAG_SIZE + 1];
	uint32_t number;
	size_t start; /* of the section's content */
	size_t end;   /* reading: of the section's content */

	int error;       /* 0, -EBADMSG (reading), -ENOMEM or -EFBIG (writing) */
	char fault[160]; /* with an error: which section, what is wrong with it */
};

/* Begin a stream. The bytes to read must stay until the last call. A stream that was written is
 * freed by snapshot_free(), which is harmless for one that is being read. */
void snapshot_write(struct snapshot_stream *stream);
void snapshot_read(struct snapshot_stream *stream, const uint8_t *bytes, size_t len);
void snapshot_free(struct snapshot_stream *stream);

/* Begins the section with this tag, of SNAPSHOT_TAG_SIZE characters, and this number. When reading,
 * the next section must be this one: sections have a fixed order. They do not nest. */
void snapshot_begin(struct snapshot_stream *stream, const char *tag, uint32_t number);

/* Ends the section. When reading, all of its bytes must have been read. */
void snapshot_end(struct snapshot_stream *stream);

/* Transfers size bytes, within a section. */
void snapshot_bytes(struct snapshot_stream *stream, void *bytes, size_t size);

/* Transfers a number of any size, or an array of numbers. */
#define SNAPSHOT_FIELD(stream, field) snapshot_bytes((stream), &(field), sizeof(field))

/* Transfers a truth value as one byte, 0 or 1. */
void snapshot_bool(struct snapshot_stream *stream, bool *value);

/* Transfers a string of at most size - 1 bytes; when reading, string has room for size. */
void snapshot_string(struct snapshot_stream *stream, char *string, size_t size);

/* When reading: fails the stream unless the condition holds. The format says what is wrong, with
 * the value. When writing it does nothing. */
void snapshot_check(struct snapshot_stream *stream, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fails the stream, unless it has failed already. */
void snapshot_fail(struct snapshot_stream *stream, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns whether a stream that is read has bytes left. */
bool snapshot_has_more(const struct snapshot_stream *stream);

static inline bool snapshot_failed(const struct snapshot_stream *stream)
{
	return stream->error != 0;
}

#endif
