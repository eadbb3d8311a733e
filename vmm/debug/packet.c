/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug/packet.h"

#include <string.h>

#include "debug/hex.h"

#define ESCAPE      '}'
#define ESCAPED_BIT 0x20

static void begin(struct packet *packet)
{
	packet->state = PACKET_CONTENT;
	packet->sum = 0;
	packet->len = 0;
	packet->too_long = false;
}

static void add(struct packet *packet, char byte)
{
	if (packet->len < PACKET_MAX)
		packet->bytes[packet->len++] = byte;
	else
		packet->too_long = true;
}

static void take_content(struct packet *packet, uint8_t byte)
{
	bool is_escaped = packet->state == PACKET_ESCAPED;

	if (byte == '$') { /* the end of the last one was lost */
		begin(packet);
		return;
	}
	if (byte == '#') {
		packet->state = PACKET_SUM_1;
		return;
	}
	packet->sum = (uint8_t)(packet->sum + byte);
	packet->state = PACKET_CONTENT;
	if (is_escaped)
		add(packet, (char)(byte ^ ESCAPED_BIT));
	else if (byte == ESCAPE)
		packet->state = PACKET_ESCAPED;
	else
		add(packet, (char)byte);
}

static enum packet_event complete(struct packet *packet)
{
	uint8_t sum;

	packet->state = PACKET_BETWEEN;
	packet->bytes[packet->len] = '\0';
	if (packet->too_long || !hex_bytes(packet->digits, &sum, 1) || sum != packet->sum)
		return PACKET_DAMAGED;
	return PACKET_COMPLETE;
}

static enum packet_event take_between(struct packet *packet, uint8_t byte)
{
	switch (byte) {
	case '$':
		begin(packet);
		return PACKET_NOTHING;
	case '+':
		return PACKET_ACCEPTED;
	case '-':
		return PACKET_REFUSED;
	case 0x03:
		return PACKET_INTERRUPT;
	default:
		return PACKET_NOTHING;
	}
}

enum packet_event packet_take(struct packet *packet, uint8_t byte)
{
	switch (packet->state) {
	case PACKET_CONTENT:
	case PACKET_ESCAPED:
		take_content(packet, byte);
		return PACKET_NOTHING;
	case PACKET_SUM_1:
		packet->digits[0] = (char)byte;
		packet->state = PACKET_SUM_2;
		return PACKET_NOTHING;
	case PACKET_SUM_2:
		packet->digits[1] = (char)byte;
		return complete(packet);
	case PACKET_BETWEEN:
		break;
	}
	return take_between(packet, byte);
}

size_t packet_copies(const uint8_t *packet, size_t len, size_t all)
{
	size_t end = len;

	while (all - end >= len && memcmp(packet, packet + end, len) == 0)
		end += len;
	return end - len;
}

size_t packet_make(char *bytes, const char *content, size_t len)
{
	char *to = bytes;
	uint8_t sum = 0;

	*to++ = '$';
	for (size_t i = 0; i < len; i++) {
		char byte = content[i];

		if (byte == '$' || byte == '#' || byte == '*' || byte == ESCAPE) {
			*to++ = ESCAPE;
			byte ^= ESCAPED_BIT;
		}
		*to++ = byte;
	}
	for (char *from = bytes + 1; from < to; from++)
		sum = (uint8_t)(sum + (uint8_t)*from);
	*to++ = '#';
	return (size_t)(hex_put(to, &sum, 1) - bytes);
}
