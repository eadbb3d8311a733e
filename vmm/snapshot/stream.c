/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot/stream.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first allocation, in bytes. */
#define CAPACITY_MIN 16384

/* In front of a section's content. */
struct section_head {
	char tag[SNAPSHOT_TAG_SIZE];
	uint32_t number, len;
};

void snapshot_write(struct snapshot_stream *stream)
{
	*stream = (struct snapshot_stream){0};
}

void snapshot_read(struct snapshot_stream *stream, const uint8_t *bytes, size_t len)
{
	/* Nothing is written through it while the stream is being read. */
	*stream =
		(struct snapshot_stream){.is_reading = true, .bytes = (uint8_t *)bytes, .len = len};
}

void snapshot_free(struct snapshot_stream *stream)
{
	if (!stream->is_reading)
		free(stream->bytes);
	*stream = (struct snapshot_stream){0};
}

static void fail(struct snapshot_stream *stream, int error, const char *format, va_list arguments)
{
	size_t len = 0;

	if (stream->error != 0)
		return;
	stream->error = error;
	if (stream->in_section)
		len = (size_t)snprintf(stream->fault, sizeof stream->fault,
			"section %s %u: ", stream->tag, stream->number);
	vsnprintf(stream->fault + len, sizeof stream->fault - len, format, arguments);
}

void snapshot_fail(struct snapshot_stream *stream, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(stream, error, format, arguments);
	va_end(arguments);
}

void snapshot_check(struct snapshot_stream *stream, bool holds, const char *format, ...)
{
	va_list arguments;

	if (!stream->is_reading || holds)
		return;
	va_start(arguments, format);
	fail(stream, -EBADMSG, format, arguments);
	va_end(arguments);
}

/* Returns where to write the next size bytes, or NULL. */
static uint8_t *reserve(struct snapshot_stream *stream, size_t size)
{
	size_t capacity = stream->capacity > 0 ? stream->capacity : CAPACITY_MIN;
	uint8_t *bytes;

	if (stream->error != 0)
		return NULL;
	if (size > SNAPSHOT_STREAM_MAX - stream->len) {
		snapshot_fail(stream, -EFBIG, "the state is too large");
		return NULL;
	}
	while (capacity < stream->len + size)
		capacity *= 2;
	if (capacity != stream->capacity) {
		bytes = realloc(stream->bytes, capacity);
		if (!bytes) {
			snapshot_fail(stream, -ENOMEM, "no memory");
			return NULL;
		}
		stream->bytes = bytes;
		stream->capacity = capacity;
	}
	bytes = stream->bytes + stream->len;
	stream->len += size;
	return bytes;
}

/* Reads size bytes that end at limit at the latest, or zeroes. */
static void take(struct snapshot_stream *stream, void *bytes, size_t size, size_t limit)
{
	if (stream->error == 0 && size > limit - stream->at)
		snapshot_fail(stream, -EBADMSG, "it ends too early");
	if (stream->error != 0) {
		memset(bytes, 0, size);
		return;
	}
	memcpy(bytes, stream->bytes + stream->at, size);
	stream->at += size;
}

static void begin_reading(struct snapshot_stream *stream, const char *tag, uint32_t number)
{
	struct section_head head;

	take(stream, &head, sizeof head, stream->len);
	stream->in_section = true;
	snapshot_check(stream,
		memcmp(head.tag, tag, SNAPSHOT_TAG_SIZE) == 0 && head.number == number,
		"another section is in its place");
	snapshot_check(stream, head.len <= stream->len - stream->at,
		"its length, %u bytes, is more than there is", head.len);
	stream->end = stream->error == 0 ? stream->at + head.len : stream->at;
}

void snapshot_begin(struct snapshot_stream *stream, const char *tag, uint32_t number)
{
	memcpy(stream->tag, tag, SNAPSHOT_TAG_SIZE);
	stream->number = number;
	if (stream->is_reading) {
		begin_reading(stream, tag, number);
		return;
	}
	stream->in_section = true;
	reserve(stream, sizeof(struct section_head));
	stream->start = stream->len;
}

void snapshot_end(struct snapshot_stream *stream)
{
	struct section_head head = {.number = stream->number};

	if (stream->is_reading) {
		snapshot_check(stream, stream->at == stream->end, "%zu bytes are left over",
			stream->end - stream->at);
	} else if (stream->error == 0) {
		head.len = (uint32_t)(stream->len - stream->start);
		memcpy(head.tag, stream->tag, sizeof head.tag);
		memcpy(stream->bytes + stream->start - sizeof head, &head, sizeof head);
	}
	stream->in_section = false;
}

void snapshot_bytes(struct snapshot_stream *stream, void *bytes, size_t size)
{
	uint8_t *to;

	if (stream->is_reading) {
		take(stream, bytes, size, stream->end);
		return;
	}
	to = reserve(stream, size);
	if (to)
		memcpy(to, bytes, size);
}

void snapshot_bool(struct snapshot_stream *stream, bool *value)
{
	uint8_t byte = stream->is_reading ? 0 : *value;

	snapshot_bytes(stream, &byte, sizeof byte);
	snapshot_check(stream, byte <= 1, "a truth value is %u", byte);
	*value = stream->error == 0 && byte == 1;
}

void snapshot_string(struct snapshot_stream *stream, char *string, size_t size)
{
	uint32_t len = stream->is_reading ? 0 : (uint32_t)strlen(string);

	SNAPSHOT_FIELD(stream, len);
	snapshot_check(stream, len < size, "a string of %u bytes", len);
	if (stream->error != 0)
		len = 0;
	snapshot_bytes(stream, string, len);
	if (!stream->is_reading)
		return;
	string[len] = '\0';
	snapshot_check(stream, strlen(string) == len, "a string with a NUL");
}

bool snapshot_has_more(const struct snapshot_stream *stream)
{
	return stream->at < stream->len;
}
