/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory: what is handed out, and above all what is not. */
#include "gmem.h"

#include <errno.h>
#include <string.h>

#include "../tap.h"

/* The host's memory; there is a page between any two of the regions but the first two. */
static uint8_t host[0x9000];

static uint8_t *const low = host, *const top = host + 0x7000;

/* RAM of two pages, the second read-only; a page that is next to it for the guest only; a page
 * after a hole; a page at the very end of the address space. */
static const struct gmem_region regions[] = {
	{0x1000, 0x1000, host, true},
	{0x2000, 0x1000, host + 0x1000, false},
	{0x3000, 0x1000, host + 0x3000, true},
	{0x5000, 0x1000, host + 0x5000, true},
	{UINT64_MAX - 0xfff - 0x1000, 0x1000, host + 0x7000, true},
};

static const struct gmem memory = {.regions = regions, .count = sizeof regions / sizeof regions[0]};

static void *readable(gpa_t gpa, uint64_t len)
{
	return gmem_ptr(&memory, gpa, len, GMEM_READ);
}

static void *writable(gpa_t gpa, uint64_t len)
{
	return gmem_ptr(&memory, gpa, len, GMEM_WRITE);
}

static void test_bounds(void)
{
	ok(readable(0x1000, 1) == low, "the first byte of a region");
	ok(readable(0x1fff, 1) == low + 0xfff, "its last byte");
	ok(readable(0x1000, 0x1000) == low, "all of it");
	ok(!readable(0xfff, 1), "HARD-09 the byte before it is not RAM");
	ok(!readable(0xfff, 2), "HARD-09 nor is a range that begins there");
	ok(!readable(0x4000, 1), "HARD-09 the byte after the last of adjacent regions is not RAM");
	ok(!readable(0x3fff, 2), "HARD-09 a range over the end is refused");
	ok(!readable(0x3800, 0x2000), "HARD-09 a range over a hole is refused");
	ok(!readable(0x1000, 0), "nothing is nowhere");
	ok(!readable(0, 0), "nothing is nowhere at 0 either");
	ok(!gmem_ptr(&(struct gmem){0}, 0, 1, GMEM_READ), "memory without regions");
}

static void test_overflow(void)
{
	gpa_t base = UINT64_MAX - 0xfff - 0x1000;

	ok(!readable(0x1000, UINT64_MAX), "HARD-02 length 2^64 - 1");
	ok(!readable(0x1800, UINT64_MAX - 0x17ff), "HARD-02 address plus length is 2^64");
	ok(!readable(0x1800, UINT64_MAX - 0x7ff), "HARD-02 and wraps into the region");
	ok(!readable(UINT64_MAX, 1), "HARD-02 the last address");
	ok(!readable(0xffffffffffffffe0, 0x100), "HARD-02 a range over the end of the addresses");
	ok(readable(base + 0xfff, 1) == top + 0xfff, "HARD-02 RAM near the end is RAM");
	ok(!readable(base + 0xfff, 2), "HARD-02 the byte after it is not");
}

static void test_regions(void)
{
	ok(readable(0x1ff0, 0x20) == low + 0xff0,
		"a range over two regions adjacent on both sides");
	ok(readable(0x1000, 0x2000) == low, "HARD-02 all of both");
	ok(!readable(0x2ff0, 0x20), "HARD-02 regions apart on the host are refused as a whole");
	ok(!readable(0x1000, 0x2001), "HARD-02 by a single byte too");
	ok(readable(0x3000, 0x1000) == host + 0x3000, "each of them is memory of its own");
	ok(!gmem_ptr(&(struct gmem){.regions = regions, .count = 1}, 0x1ff0, 0x20, GMEM_READ),
		"the last region is the last");
}

static void test_access(void)
{
	ok(writable(0x1000, 0x1000) == low, "RAM is writable");
	ok(!writable(0x2000, 1), "read-only memory is not");
	ok(!writable(0x1fff, 2), "HARD-02 nor a range that ends in it");
	ok(readable(0x2000, 0x1000) == low + 0x1000, "but it is readable");
}

static void test_copies(void)
{
	uint8_t bytes[4] = {1, 2, 3, 4}, back[4] = {0};

	is(gmem_write(&memory, 0x1001, bytes, 4), 0, "HARD-27 write at an odd address");
	ok(memcmp(low + 1, bytes, 4) == 0, "the bytes are there");
	is(gmem_read(&memory, 0x1001, back, 4), 0, "HARD-27 read at an odd address");
	ok(memcmp(back, bytes, 4) == 0, "the bytes come back");

	is(gmem_write(&memory, 0x1ffe, bytes, 4), (uint64_t)-EFAULT, "write into read-only memory");
	ok(low[0xffe] == 0 && low[0xfff] == 0, "none of it was written");
	is(gmem_read(&memory, 0x3ffe, back, 4), (uint64_t)-EFAULT, "read over the end");
	ok(memcmp(back, bytes, 4) == 0, "none of it was copied");
	is(gmem_read(&memory, 0x1000, back, 0), (uint64_t)-EFAULT, "read of nothing");
}

/* Copies go by words where they can. */
static void test_copies_small(void)
{
	uint8_t source[64], copy[64];
	unsigned wrong = 0, wrong_out = 0;

	for (unsigned i = 0; i < sizeof source; i++)
		source[i] = i + 1;
	for (unsigned from = 0; from < 16; from++) {
		for (unsigned len = 0; len <= 40; len++) {
			memset(copy, 0xa5, sizeof copy);
			gmem_copy_in(copy, source + from, len);
			wrong += memcmp(copy, source + from, len) != 0 || copy[len] != 0xa5;
			memset(copy, 0xa5, sizeof copy);
			gmem_copy_out(copy + from, source, len);
			wrong_out += memcmp(copy + from, source, len) != 0 ||
				     copy[from + len] != 0xa5 ||
				     (from > 0 && copy[from - 1] != 0xa5);
		}
	}
	is(wrong, 0, "HARD-27 copies from any address, of any length");
	is(wrong_out, 0, "HARD-27 copies to any address, of any length");
}

/* --- the observer of writes ------------------------------------------------------------------- */

struct told {
	unsigned calls;
	gpa_t gpa[4];
	uint64_t len[4];
	uint8_t first; /* byte at 0x1000, when it was told last */
};

static void record(void *ctx, gpa_t gpa, uint64_t len)
{
	struct told *told = ctx;

	told->gpa[told->calls % 4] = gpa;
	told->len[told->calls % 4] = len;
	told->calls++;
	told->first = low[0];
}

/* The range that the observer was told last. */
static bool told_of(const struct told *told, unsigned calls, gpa_t gpa, uint64_t len)
{
	unsigned last = (calls - 1) % 4;

	return told->calls == calls && told->gpa[last] == gpa && told->len[last] == len;
}

static void test_marks(void)
{
	ok(!writable(0x2ff8, 1), "what the guest may only read is not writable");
	ok(gmem_ptr(&memory, 0x2ff8, 8, GMEM_MARK) == low + 0x1ff8,
		"but a CPU may set flags in its tables there");
	ok(gmem_ptr(&memory, 0x1ffc, 8, GMEM_MARK) == low + 0xffc, "over two regions, too");
	ok(!gmem_ptr(&memory, 0x4000, 1, GMEM_MARK), "though nowhere but in RAM");
}

static void test_observer(void)
{
	struct gmem_region joined[] = {
		{0x1000, 0x1000, host, true}, {0x2000, 0x1000, host + 0x1000, true}};
	struct told told = {0};
	struct gmem observed = {
		.regions = joined, .count = 2, .written = record, .written_ctx = &told};
	uint8_t byte = low[0] + 1, was = low[0];

	ok(gmem_ptr(&observed, 0x1004, 0x10, GMEM_WRITE) == low + 4 &&
			told_of(&told, 1, 0x1004, 0x10),
		"the observer is told of a range that is handed out to be written");
	gmem_write(&observed, 0x1000, &byte, 1);
	ok(told_of(&told, 2, 0x1000, 1), "and of a copy into guest memory");
	ok(told.first == was && low[0] == byte, "before the bytes are there");
	gmem_ptr(&observed, 0x1ff0, 0x20, GMEM_WRITE);
	ok(told_of(&told, 4, 0x2000, 0x10) && told.gpa[2] == 0x1ff0 && told.len[2] == 0x10,
		"of the part in each region, where a range spans two");
	gmem_announce(&observed, low + 0x1234, 8);
	ok(told_of(&told, 5, 0x2234, 8), "of a later write, by the address that the guest knows");

	gmem_ptr(&observed, 0x1000, 1, GMEM_READ);
	gmem_read(&observed, 0x1000, &byte, 1);
	gmem_ptr(&observed, 0x2fff, 2, GMEM_WRITE);
	gmem_ptr(&observed, 0x1000, 0, GMEM_WRITE);
	gmem_write(&observed, 0x3000, &byte, 1);
	is(told.calls, 5, "but neither of reads nor of what is refused");
	gmem_ptr(&observed, 0x1008, 1, GMEM_MARK);
	ok(told_of(&told, 6, 0x1008, 1), "of a flag that a CPU sets");
	gmem_announce(&memory, low, 1);
	ok(writable(0x1000, 1), "memory without an observer");
}

int main(void)
{
	test_bounds();
	test_marks();
	test_overflow();
	test_regions();
	test_access();
	test_copies();
	test_copies_small();
	test_observer();
	return tap_done();
}
