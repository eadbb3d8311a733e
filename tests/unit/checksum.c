/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums of files: the same for the same content, wherever a file system has holes, and others
 * for other content or other places. */
#include "checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"

#define BLOCK 4096

static uint8_t content[40 * BLOCK + 100];

/* Returns a file, open and without a name. */
static int make_file(void)
{
	char path[] = "/tmp/vole-checksum-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		exit(1);
	unlink(path);
	return fd;
}

static void put(int fd, size_t at, size_t len)
{
	if (pwrite(fd, content + at, len, (off_t)at) != (ssize_t)len)
		exit(1);
}

/* Returns the checksum of a file, and closes it. */
static uint64_t sum_of(int fd, uint64_t expected_size)
{
	uint64_t size = 0, sum = 0;

	is(checksum_file(fd, &size, &sum), 0, "a file has a checksum");
	is(size, expected_size, "and a size");
	close(fd);
	return sum;
}

/* Content at the beginning, a little later, far away and in a block that is not whole. */
static void test_holes(void)
{
	static const size_t places[] = {0, 3 * BLOCK, 20 * BLOCK, 40 * BLOCK};
	int full = make_file(), sparse = make_file();

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		memset(content + places[i], 1 + (int)i, 100);
	put(full, 0, sizeof content);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		put(sparse, places[i], 100);
	ok(sum_of(full, sizeof content) == sum_of(sparse, sizeof content),
		"holes and zeroes have the same checksum, wherever holes are");
}

static void test_others(void)
{
	int one = make_file(), moved = make_file(), shorter = make_file(), none = make_file();
	uint64_t sum;

	memset(content, 0, sizeof content);
	memset(content + 5 * BLOCK, 7, BLOCK);
	put(one, 0, sizeof content);
	put(shorter, 0, sizeof content - 1);
	memset(content + 5 * BLOCK, 0, BLOCK);
	memset(content + 6 * BLOCK, 7, BLOCK);
	put(moved, 0, sizeof content);
	sum = sum_of(one, sizeof content);
	ok(sum != sum_of(moved, sizeof content), "the same block elsewhere has another");
	ok(sum != sum_of(shorter, sizeof content - 1), "so has a file that is shorter");
	ok(sum != sum_of(none, 0), "and one that is empty");
}

int main(void)
{
	test_holes();
	test_others();
	return tap_done();
}
