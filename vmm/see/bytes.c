/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vole/le.h>

int bytes_init(struct bytes *bytes, size_t size)
{
	*bytes = (struct bytes){.data = malloc(size), .size = size};
	return bytes->data ? 0 : -ENOMEM;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){.data = NULL};
}

void bytes_begin(struct bytes *bytes)
{
	bytes->len = 0;
	bytes->full = false;
}

void *bytes_room(struct bytes *bytes, size_t len)
{
	void *room = bytes->data + bytes->len;

	bytes->full |= len > bytes->size - bytes->len;
	if (bytes->full)
		return NULL;
	bytes->len += len;
	return room;
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	void *room = bytes_room(bytes, len);

	/* Who has nothing to add may have no data either, which memcpy() must not see. */
	if (room && len > 0)
		memcpy(room, data, len);
}

void bytes_u8(struct bytes *bytes, uint8_t value)
{
	bytes_add(bytes, &value, sizeof value);
}

void bytes_u16(struct bytes *bytes, uint16_t value)
{
	le16 word = cpu_to_le16(value);

	bytes_add(bytes, &word, sizeof word);
}

void bytes_u32(struct bytes *bytes, uint32_t value)
{
	le32 word = cpu_to_le32(value);

	bytes_add(bytes, &word, sizeof word);
}

void bytes_u64(struct bytes *bytes, uint64_t value)
{
	le64 word = cpu_to_le64(value);

	bytes_add(bytes, &word, sizeof word);
}

void bytes_pad(struct bytes *bytes)
{
	while (bytes->len % 4 != 0 && !bytes->full)
		bytes_u8(bytes, 0);
}

void bytes_set_u32(struct bytes *bytes, size_t offset, uint32_t value)
{
	le32 word = cpu_to_le32(value);

	memcpy(bytes->data + offset, &word, sizeof word);
}
