/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/protobuf.h"

#include <string.h>

/* Wire types. */
enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2 };

/* Seven bits a byte, the lowest first; the highest bit says that another follows. */
static void add_varint(struct bytes *bytes, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		bytes_u8(bytes, (uint8_t)(value | 0x80));
	bytes_u8(bytes, (uint8_t)value);
}

static void add_tag(struct bytes *bytes, unsigned field, unsigned type)
{
	add_varint(bytes, (uint64_t)field << 3 | type);
}

void protobuf_uint(struct bytes *bytes, unsigned field, uint64_t value)
{
	add_tag(bytes, field, VARINT);
	add_varint(bytes, value);
}

void protobuf_fixed64(struct bytes *bytes, unsigned field, uint64_t value)
{
	add_tag(bytes, field, FIXED64);
	bytes_u64(bytes, value);
}

void protobuf_string(struct bytes *bytes, unsigned field, const char *value)
{
	size_t len = strlen(value);

	add_tag(bytes, field, DELIMITED);
	add_varint(bytes, len);
	bytes_add(bytes, value, len);
}

size_t protobuf_begin(struct bytes *bytes, unsigned field)
{
	add_tag(bytes, field, DELIMITED);
	bytes_u32(bytes, 0);
	return bytes->len;
}

/* A varint may have more bytes than its value needs. */
void protobuf_end(struct bytes *bytes, size_t begun)
{
	uint32_t len = (uint32_t)(bytes->len - begun);

	if (!bytes->full)
		bytes_set_u32(bytes, begun - 4,
			(len & 0x7f) | 0x80 | (len >> 7 & 0x7f) << 8 | 0x8000 |
				(len >> 14 & 0x7f) << 16 | 0x800000 | (len >> 21 & 0x7f) << 24);
}
