/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DWARF_READER_H
#define VMM_DWARF_READER_H

/*
 * Reads the little-endian numbers and strings that DWARF is made of, within bounds.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is left of a part of a section. What goes beyond its end reads as 0, and sets failed. */
struct dwarf_reader {
	const uint8_t *at, *end;
	bool is_64; /* offsets have 64 bits (DWARF 5, 7.4) */
	bool failed;
};

static inline const uint8_t *dwarf_take(struct dwarf_reader *reader, uint64_t len)
{
	const uint8_t *at = reader->at;

	if (len > (uint64_t)(reader->end - reader->at)) {
		reader->failed = true;
		reader->at = reader->end;
		return NULL;
	}
	reader->at += len;
	return at;
}

/* A little-endian number of so many bytes. */
static inline uint64_t dwarf_number(struct dwarf_reader *reader, unsigned len)
{
	const uint8_t *bytes = dwarf_take(reader, len);
	uint64_t value = 0;

	for (unsigned i = 0; bytes && i < len && i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static inline uint64_t dwarf_offset(struct dwarf_reader *reader)
{
	return dwarf_number(reader, reader->is_64 ? 8 : 4);
}

/* LEB128 (DWARF 5, 7.6). */
static inline uint64_t dwarf_leb(struct dwarf_reader *reader, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)dwarf_number(reader, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= UINT64_MAX << shift;
	return value;
}

static inline const char *dwarf_string(struct dwarf_reader *reader)
{
	const uint8_t *start = reader->at;
	const uint8_t *end = memchr(start, 0, (size_t)(reader->end - start));

	if (!end) {
		reader->failed = true;
		reader->at = reader->end;
		return "";
	}
	reader->at = end + 1;
	return (const char *)start;
}

#endif
