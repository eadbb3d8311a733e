/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies and other packets that are sent. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debug/gdb_parts.h"
#include "debug/hex.h"

void gdb_put(struct gdb_reply *reply, const char *format, ...)
{
	size_t room = sizeof reply->bytes - reply->len;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(reply->bytes + reply->len, room, format, arguments);
	va_end(arguments);
	if (len > 0)
		reply->len += (size_t)len < room ? (size_t)len : room - 1;
}

void gdb_put_bytes(struct gdb_reply *reply, const char *bytes, size_t len)
{
	size_t room = PACKET_MAX - reply->len;

	len = len < room ? len : room;
	memcpy(reply->bytes + reply->len, bytes, len);
	reply->len += len;
}

void gdb_put_hex(struct gdb_reply *reply, const void *bytes, size_t len)
{
	size_t room = (PACKET_MAX - reply->len) / 2;

	len = len < room ? len : room;
	reply->len = (size_t)(hex_put(reply->bytes + reply->len, bytes, len) - reply->bytes);
}

void gdb_put_error(struct gdb_reply *reply, unsigned number)
{
	gdb_put(reply, "E%02x", number);
}

void gdb_send(struct gdb *gdb)
{
	gdb->last_len = packet_make(gdb->last, gdb->reply.bytes, gdb->reply.len);
	gdb->reply.len = 0;
	gdb_link_send(&gdb->link, gdb->last, gdb->last_len);
}

void gdb_send_output(struct gdb *gdb, const char *bytes, size_t len)
{
	gdb_put(&gdb->reply, "O");
	gdb_put_hex(&gdb->reply, bytes, len);
	gdb_send(gdb);
}

void gdb_tell(struct gdb *gdb, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t part = left < PACKET_MAX / 4 ? left : PACKET_MAX / 4;

		gdb_send_output(gdb, text, part);
		text += part;
		left -= part;
	}
}
