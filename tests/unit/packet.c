/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of the gdb remote protocol: how they are taken apart, and made. */

#include "debug/packet.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "debug/hex.h"

static struct packet packet;

/* Takes all bytes. Returns what the last one was the end of. */
static enum packet_event take(const char *bytes, size_t len)
{
	enum packet_event event = PACKET_NOTHING;

	for (size_t i = 0; i < len; i++)
		event = packet_take(&packet, (uint8_t)bytes[i]);
	return event;
}

static enum packet_event take_text(const char *text)
{
	return take(text, strlen(text));
}

static void test_packets(void)
{
	is(take_text("$m100,4#5e"), PACKET_COMPLETE, "a packet");
	ok(strcmp(packet.bytes, "m100,4") == 0, "... and its content");
	is(packet.len, 6, "... and its length");
	is(take_text("$#00"), PACKET_COMPLETE, "an empty packet");
	is(packet.len, 0, "... has no content");
	is(take_text("$m100,4#5E"), PACKET_COMPLETE, "a sum in capital letters");
	is(take_text("$m100,4#5f"), PACKET_DAMAGED, "a wrong sum");
	is(take_text("$m100,4#x1"), PACKET_DAMAGED, "a sum that is none");
	is(take_text("$m1$m100,4#5e"), PACKET_COMPLETE, "a packet after one that was cut off");
	ok(strcmp(packet.bytes, "m100,4") == 0, "... and its content");
}

static void test_between(void)
{
	is(take_text("+"), PACKET_ACCEPTED, "+ between packets");
	is(take_text("-"), PACKET_REFUSED, "- between packets");
	is(take_text("\x03"), PACKET_INTERRUPT, "0x03 between packets");
	is(take_text("x"), PACKET_NOTHING, "what belongs to nothing");
	is(take_text("$a+-\x03#"
		     "9c"),
		PACKET_DAMAGED, "the same bytes in a packet are content");
	is(packet.len, 4, "... all of them");
}

static void test_escapes(void)
{
	is(take("$X}\x03}\x5d}\x04#33", 11), PACKET_COMPLETE,
		"escaped bytes count as they are sent");
	is(packet.len, 4, "... and are one byte each");
	is(memcmp(packet.bytes, "X#}$", 4), 0, "... with bit 5 inverted");
}

static void test_length(void)
{
	static char bytes[PACKET_MAX + 8];
	uint8_t sum;

	memset(bytes, 'a', sizeof bytes);
	bytes[0] = '$';
	sum = (uint8_t)('a' * PACKET_MAX);
	snprintf(bytes + 1 + PACKET_MAX, 4, "#%02x", sum);
	is(take(bytes, PACKET_MAX + 4), PACKET_COMPLETE, "the longest packet");
	is(packet.len, PACKET_MAX, "... has its length");
	bytes[1 + PACKET_MAX] = 'a';
	snprintf(bytes + 2 + PACKET_MAX, 4, "#%02x", (uint8_t)(sum + 'a'));
	is(take(bytes, PACKET_MAX + 5), PACKET_DAMAGED, "one byte more is refused");
}

static void test_making(void)
{
	char bytes[32];

	is(packet_make(bytes, "OK", 2), 6, "a packet is made");
	is(memcmp(bytes, "$OK#9a", 6), 0, "... with its sum");
	is(packet_make(bytes, "", 0), 4, "an empty one");
	is(packet_make(bytes, "a#$}*", 5), 13, "bytes that have a meaning are escaped");
	is(memcmp(bytes, "$a}\x03}\x04}\x5d}\x0a#", 11), 0, "... each by one before it");
	is(take(bytes, 13), PACKET_COMPLETE, "... and are read as they were");
	is(memcmp(packet.bytes, "a#$}*", 5), 0, "... all of them");
}

static void test_numbers(void)
{
	const char *text = "1aB,";
	uint64_t value;
	uint8_t bytes[2];

	ok(hex_number(&text, &value) && value == 0x1ab && *text == ',', "a number ends at a comma");
	ok(!hex_number(&text, &value), "a comma is none");
	ok(hex_skip(&text, ',') && !hex_skip(&text, ','), "and is skipped once");
	text = "ffffffffffffffff";
	ok(hex_number(&text, &value) && value == UINT64_MAX, "the largest number");
	text = "11112222333344445";
	ok(!hex_number(&text, &value), "one digit more");
	ok(hex_bytes("12fE", bytes, 2) && bytes[0] == 0x12 && bytes[1] == 0xfe, "bytes");
	ok(!hex_bytes("12f", bytes, 2) && !hex_bytes("1x00", bytes, 2), "a digit that is missing");
}

int main(void)
{
	test_packets();
	test_between();
	test_escapes();
	test_length();
	test_making();
	test_numbers();
	return tap_done();
}
