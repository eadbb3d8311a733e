/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of sections: what is written is read again, and what is damaged is refused by name. */
#include "snapshot/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"

struct thing {
	uint8_t byte;
	uint64_t word;
	uint16_t row[3];
	bool flag;
	char name[8];
};

static void transfer(struct snapshot_stream *stream, struct thing *thing)
{
	snapshot_begin(stream, "THIN", 7);
	SNAPSHOT_FIELD(stream, thing->byte);
	SNAPSHOT_FIELD(stream, thing->word);
	SNAPSHOT_FIELD(stream, thing->row);
	snapshot_bool(stream, &thing->flag);
	snapshot_string(stream, thing->name, sizeof thing->name);
	snapshot_check(stream, thing->byte < 100, "byte %u", thing->byte);
	snapshot_end(stream);
}

static const struct thing sample = {42, 0x123456789abcdef0, {1, 2, 0xffff}, true, "abcdefg"};

static void write_sample(struct snapshot_stream *stream)
{
	struct thing thing = sample;

	snapshot_write(stream);
	transfer(stream, &thing);
}

/* Reads len bytes of the stream with one bit changed, or none if bit is negative. Returns the
 * error. */
static int read_changed(const struct snapshot_stream *written, size_t len, int bit, char fault[160])
{
	uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees a read beyond it */
	struct snapshot_stream stream;
	struct thing thing;
	int error;

	memcpy(copy, written->bytes, len);
	if (bit >= 0)
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	snapshot_read(&stream, copy, len);
	transfer(&stream, &thing);
	error = stream.error;
	memcpy(fault, stream.fault, sizeof stream.fault);
	free(copy);
	return error;
}

static void test_round_trip(void)
{
	struct snapshot_stream stream, input;
	struct thing thing;

	write_sample(&stream);
	ok(!snapshot_failed(&stream), "a section is written");
	snapshot_read(&input, stream.bytes, stream.len);
	ok(snapshot_has_more(&input), "there is something to read");
	memset(&thing, 0x55, sizeof thing);
	transfer(&input, &thing);
	ok(!snapshot_failed(&input), "it is read");
	ok(!snapshot_has_more(&input), "to its end");
	is(thing.byte, sample.byte, "a byte");
	is(thing.word, sample.word, "a word");
	ok(memcmp(thing.row, sample.row, sizeof thing.row) == 0, "an array");
	ok(thing.flag, "a truth value");
	ok(strcmp(thing.name, sample.name) == 0, "a string of the greatest length");
	snapshot_free(&stream);
}

static void test_cut_off(void)
{
	struct snapshot_stream stream;
	unsigned refused = 0;
	char fault[160];

	write_sample(&stream);
	for (size_t len = 0; len < stream.len; len++)
		refused += read_changed(&stream, len, -1, fault) == -EBADMSG && *fault;
	is(refused, stream.len, "a stream that is cut off anywhere is refused");
	ok(strstr(fault, "section THIN 7: its length, 27 bytes, is more than there is"),
		"and named: %s", fault);
	snapshot_free(&stream);
}

/* Each bit of the head is looked at: tag, number and length. */
static void test_damaged_head(void)
{
	struct snapshot_stream stream;
	unsigned refused = 0;
	char fault[160];

	write_sample(&stream);
	for (int bit = 0; bit < 12 * 8; bit++)
		refused += read_changed(&stream, stream.len, bit, fault) == -EBADMSG;
	is(refused, 12 * 8, "a damaged head of a section is refused");
	snapshot_free(&stream);
}

static void test_values(void)
{
	struct snapshot_stream stream;
	char fault[160];

	write_sample(&stream);
	is(read_changed(&stream, stream.len, 12 * 8 + 6, fault), -EBADMSG, "a value is validated");
	ok(strcmp(fault, "section THIN 7: byte 106") == 0, "and named: %s", fault);
	is(read_changed(&stream, stream.len, (12 + 1 + 8 + 6) * 8 + 1, fault), -EBADMSG,
		"a truth value is 0 or 1");
	is(read_changed(&stream, stream.len, (12 + 1 + 8 + 6 + 1) * 8 + 3, fault), -EBADMSG,
		"a string fits");
	ok(strcmp(fault, "section THIN 7: a string of 15 bytes") == 0, "and is named: %s", fault);
	snapshot_free(&stream);
}

static void test_rest(void)
{
	struct snapshot_stream stream, input;
	uint8_t byte;

	write_sample(&stream);
	snapshot_read(&input, stream.bytes, stream.len);
	snapshot_begin(&input, "THIN", 7);
	SNAPSHOT_FIELD(&input, byte);
	snapshot_end(&input);
	is(input.error, -EBADMSG, "bytes that nobody reads are an error");
	ok(strcmp(input.fault, "section THIN 7: 26 bytes are left over") == 0, "%s", input.fault);
	snapshot_begin(&input, "THIN", 8);
	ok(strcmp(input.fault, "section THIN 7: 26 bytes are left over") == 0,
		"the first error stays");
	snapshot_free(&stream);
}

static void test_large(void)
{
	static uint8_t megabyte[1 << 20];
	struct snapshot_stream stream;

	snapshot_write(&stream);
	snapshot_begin(&stream, "LARG", 0);
	for (unsigned i = 0; i < 3; i++)
		SNAPSHOT_FIELD(&stream, megabyte);
	is(stream.error, 0, "three megabytes can be written");
	SNAPSHOT_FIELD(&stream, megabyte);
	is(stream.error, -EFBIG, "more than the greatest size cannot");
	snapshot_end(&stream);
	snapshot_free(&stream);
}

int main(void)
{
	test_round_trip();
	test_cut_off();
	test_damaged_head();
	test_values();
	test_rest();
	test_large();
	return tap_done();
}
