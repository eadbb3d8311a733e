/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains as streams of bytes: no cut into segments makes a difference. */
#include "chain.h"

#include <string.h>

#include "../tap.h"

static const char text[] = "abcdefghijklmnop"; /* 16 bytes */

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
		struct chain chain = {.writable = iov,
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
		unsigned offset = mask % 16, len = mask / 16 % 16;
		unsigned left = len < 16 - offset ? len : 16 - offset;
		unsigned parts = iov_slice(iov, count, offset, len, out);
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
	struct chain chain = {.readable = iov, .readable_count = 2, .readable_len = 16};

	is(chain_read(&chain, 16, got, 1), 0, "nothing is behind the end");
	is(chain_read(&chain, UINT64_MAX, got, 16), 0, "HARD-07 nor far behind it");
	is(chain_write(&chain, 0, got, 16), 0, "HARD-10 readable segments are not written");
	is(iov_slice(iov, 2, 0, UINT64_MAX, out), 2, "HARD-07 a slice ends with its stream");
	is(iov_slice(iov, 2, 16, 1, out), 0, "no slice behind the end");
	is(iov_slice(iov, 0, 0, 1, out), 0, "no slice of nothing");
}

int main(void)
{
	test_read();
	test_write();
	test_slice();
	test_ends();
	return tap_done();
}
