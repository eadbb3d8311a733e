/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains as streams of bytes: no cut into segments makes a difference. */
#include "chain.h"

#include <stdbool.h>
#include <string.h>

#include "../tap.h"
#include "gmem.h"

static const char text[] = "abcdefghijklmnop"; /* 16 bytes */

/* Memory that nobody observes. */
static const struct gmem unobserved;

/* Cut base[0..len) at the bits of mask: bit i separates byte i from byte i + 1. */
static unsigned cut(char *base, size_t len, unsigned mask, struct iovec *iov)
{
	unsigned count = 0;
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		if (i + 1 == len || mask & 1u << i) {
			iov[count++] = (struct iovec){base + start, i + 1 - start};
			start = i + 1;
		}
	}
	return count;
}

static void test_read(void)
{
	char memory[16], got[16];
	struct iovec iov[16];
	unsigned wrong = 0;

	memcpy(memory, text, 16);
	for (unsigned mask = 0; mask < 1u << 15; mask += 7) {
		struct chain chain = {.readable = iov,
			.readable_count = cut(memory, 16, mask, iov),
			.readable_len = 16};
		unsigned offset = mask % 16, len = mask / 16 % 16;
		unsigned expected = len < 16 - offset ? len : 16 - offset;

		wrong += chain_read(&chain, offset, got, len) != expected;
		wrong += memcmp(got, text + offset, expected) != 0;
	}
	is(wrong, 0, "SPLIT-DEV-05 (2.7.4.1) HARD-13 reading is the same for every cut");
}

static void test_write(void)
{
	char memory[16];
	struct iovec iov[16];
	unsigned wrong = 0;

	for (unsigned mask = 0; mask < 1u << 15; mask += 7) {
		struct chain chain = {.gmem = &unobserved,
			.writable = iov,
			.writable_count = cut(memory, 16, mask, iov),
			.writable_len = 16};
		unsigned offset = mask % 16, len = mask / 16 % 16;
		unsigned expected = len < 16 - offset ? len : 16 - offset;
		char after[16];

		memset(memory, '.', 16);
		memset(after, '.', 16);
		memcpy(after + offset, text, expected);
		wrong += chain_write(&chain, offset, text, len) != expected;
		wrong += memcmp(memory, after, 16) != 0;
	}
	is(wrong, 0, "SPLIT-DEV-05 (2.7.4.1) HARD-13 writing is the same for every cut");
}

static void test_slice(void)
{
	char memory[16];
	struct iovec iov[16], out[16];
	unsigned wrong = 0;

	for (unsigned mask = 0; mask < 1u << 15; mask += 7) {
		unsigned count = cut(memory, 16, mask, iov);
		struct chain chain = {.gmem = &unobserved,
			.readable = iov,
			.readable_count = mask & 1 ? count : 0,
			.writable = iov,
			.writable_count = mask & 1 ? 0 : count};
		unsigned offset = mask % 16, len = mask / 16 % 16;
		unsigned left = len < 16 - offset ? len : 16 - offset;
		unsigned parts = mask & 1 ? chain_readable_slice(&chain, offset, len, out)
					  : chain_writable_slice(&chain, offset, len, out);
		const char *at = memory + offset;

		wrong += parts > count;
		for (unsigned i = 0; i < parts; i++) {
			wrong += out[i].iov_base != at || out[i].iov_len == 0 ||
				 out[i].iov_len > left;
			at += out[i].iov_len;
			left -= out[i].iov_len;
		}
		wrong += left != 0;
	}
	is(wrong, 0, "SPLIT-DEV-05 (2.7.4.1) a slice is the same bytes for every cut");
}

static void test_ends(void)
{
	char memory[16], got[16];
	struct iovec iov[2] = {{memory, 8}, {memory + 8, 8}}, out[2];
	struct chain chain = {
		.gmem = &unobserved, .readable = iov, .readable_count = 2, .readable_len = 16};

	is(chain_read(&chain, 16, got, 1), 0, "nothing is behind the end");
	is(chain_read(&chain, UINT64_MAX, got, 16), 0, "HARD-07 nor far behind it");
	is(chain_write(&chain, 0, got, 16), 0, "HARD-10 readable segments are not written");
	is(chain_readable_slice(&chain, 0, UINT64_MAX, out), 2,
		"HARD-07 a slice ends with its stream");
	is(chain_readable_slice(&chain, 16, 1, out), 0, "no slice behind the end");
	is(chain_writable_slice(&chain, 0, 1, out), 0, "no slice of nothing");
}

/* --- the observer of writes ------------------------------------------------------------------- */

#define BASE 0x8000 /* guest-physical */

/* The walker's reports, one character for each byte. */
struct told {
	char bytes[16];
	bool outside;
};

static void record(void *ctx, gpa_t gpa, uint64_t len)
{
	struct told *told = ctx;

	if (gpa < BASE || len > 16 || gpa - BASE > 16 - len)
		told->outside = true;
	else
		memset(told->bytes + (gpa - BASE), 'w', len);
}

/* A chain of sixteen bytes in segments of 8, 1 and 7 bytes, of which some are written. */
static void test_observer(void)
{
	char memory[16];
	struct gmem_region region = {BASE, sizeof memory, (uint8_t *)memory, true};
	struct told told;
	struct gmem gmem = {
		.regions = &region, .count = 1, .written = record, .written_ctx = &told};
	struct iovec iov[3] = {{memory, 8}, {memory + 8, 1}, {memory + 9, 7}}, out[3];
	struct chain chain = {
		.gmem = &gmem, .writable = iov, .writable_count = 3, .writable_len = 16};
	struct chain reader = {
		.gmem = &gmem, .readable = iov, .readable_count = 3, .readable_len = 16};

	memset(&told, 0, sizeof told);
	chain_write(&chain, 6, text, 4);
	ok(memcmp(told.bytes, "\0\0\0\0\0\0wwww\0\0\0\0\0", 16) == 0 && !told.outside,
		"the observer is told of the bytes of a copy, and of no others");
	memset(&told, 0, sizeof told);
	chain_writable_slice(&chain, 7, 8, out);
	ok(memcmp(told.bytes, "\0\0\0\0\0\0\0wwwwwwww", 16) == 0 && !told.outside,
		"and of the bytes of a slice that may be written");
	memset(&told, 0, sizeof told);
	chain_readable_slice(&reader, 0, 16, out);
	chain_read(&reader, 0, memory, 0);
	ok(memchr(told.bytes, 'w', 16) == NULL && !told.outside, "but not of what is only read");
}

int main(void)
{
	test_read();
	test_write();
	test_slice();
	test_ends();
	test_observer();
	return tap_done();
}
