/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and disks are made what they were: copies of pages that share what has not changed, and
 * writes that are undone. */
#include "replay/ram_copy.h"
#include "replay/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"

#define PAGE  4096
#define PAGES 64

static void test_ram(void)
{
	static uint8_t memory[PAGES * PAGE], expected[PAGES * PAGE];
	struct ram_copy first, second;
	uint64_t used = 0, used_first;

	memory[0] = 1;
	memory[5 * PAGE + 4095] = 2;
	memcpy(expected, memory, sizeof memory);
	is(ram_copy_take(&first, NULL, memory, sizeof memory, &used), 0, "memory is copied");
	used_first = used;
	ok(used < 3 * PAGE, "pages of zeroes take no room");
	memory[5 * PAGE] = 3;
	memory[9 * PAGE] = 4;
	is(ram_copy_take(&second, &first, memory, sizeof memory, &used), 0, "and once more");
	ok(used - used_first < 3 * PAGE, "pages that are the same are there once");
	memset(memory, 0xff, sizeof memory);
	ram_copy_restore(&first, memory);
	ok(memcmp(memory, expected, sizeof memory) == 0, "it is what it was at first");
	ram_copy_free(&first, &used);
	ram_copy_restore(&second, memory);
	expected[5 * PAGE] = 3;
	expected[9 * PAGE] = 4;
	ok(memcmp(memory, expected, sizeof memory) == 0, "and what it was then");
	ram_copy_free(&second, &used);
	is(used, 0, "nothing is left of the copies");
}

/* --- disks ------------------------------------------------------------------------------------ */

static uint8_t disk[256];
static bool is_broken;
static unsigned writes_left = UINT32_MAX, writes_failing; /* so many work, then so many fail */

static ssize_t disk_read(
	struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset)
{
	size_t len = iov->iov_len < 10 ? iov->iov_len : 10;

	(void)be, (void)count;
	if (is_broken)
		return -EIO;
	memcpy(iov->iov_base, disk + offset, len);
	return (ssize_t)len;
}

static ssize_t disk_write(
	struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset)
{
	size_t len = iov->iov_len < 7 ? iov->iov_len : 7;

	(void)be, (void)count;
	if (writes_left == 0 && writes_failing > 0) {
		writes_failing--;
		return -ENOSPC;
	}
	writes_left -= writes_left > 0;
	memcpy(disk + offset, iov->iov_base, len);
	return (ssize_t)len;
}

static const struct block_backend_ops ops = {.read = disk_read, .write = disk_write};

static void write_range(struct undo *undo, struct block_backend *be, unsigned at, uint8_t value)
{
	undo_note(undo, be, at, 30);
	memset(disk + at, value, 30);
}

static void test_undo(void)
{
	struct block_backend be = {.ops = &ops};
	struct undo undo = {.count = 0};
	struct block_backend *failed;
	uint8_t before[sizeof disk];

	write_range(&undo, &be, 0, 1);
	write_range(&undo, &be, 20, 2);
	memcpy(before, disk, sizeof disk);
	write_range(&undo, &be, 10, 3);
	write_range(&undo, &be, 100, 4);
	is(undo.count, 4, "four writes are noted");
	is(undo_back_to(&undo, 2, &failed), 0, "two of them are undone");
	ok(memcmp(disk, before, sizeof disk) == 0, "the disk is as it was before them");
	is(undo.count, 2, "and later ones are counted from there");
	undo_forget(&undo, 1);
	undo_back_to(&undo, 0, &failed);
	is(disk[25], 1, "what is forgotten is not undone");
	is(undo.used, 0, "nothing is left");
	is_broken = true;
	undo_note(&undo, &be, 0, 30);
	is(undo.has_failed, true, "a disk that cannot be read has no way back");
	undo_free(&undo);
	is(undo.has_failed, false, "until it begins anew");
}

/* A disk that fails while it is made what it was: at any of its writes, of which a range takes
 * five. It is as before then, or, if it fails a second time, that is told. */
static void test_failing_undo(void)
{
	struct block_backend be = {.ops = &ops}, *failed;
	struct undo undo = {.count = 0};
	uint8_t before[sizeof disk], after[sizeof disk];
	unsigned good = 0;

	is_broken = false;
	memcpy(before, disk, sizeof disk);
	write_range(&undo, &be, 0, 5);
	write_range(&undo, &be, 20, 6);
	write_range(&undo, &be, 10, 7);
	memcpy(after, disk, sizeof disk);
	for (unsigned i = 0; i < 15; i++) {
		writes_left = i;
		writes_failing = 1;
		good += undo_back_to(&undo, 0, &failed) == -ENOSPC && failed == &be &&
			memcmp(disk, after, sizeof disk) == 0 && !undo.has_failed &&
			undo.count == 3;
	}
	is(good, 15, "a disk that cannot be undone is as before, and can be undone later");
	writes_left = UINT32_MAX;
	is(undo_back_to(&undo, 0, &failed), 0, "when it is well");
	ok(memcmp(disk, before, sizeof disk) == 0, "then it is what it was");
	is(undo.used, 0, "and nothing is left");
	write_range(&undo, &be, 0, 5);
	writes_left = 1;
	writes_failing = 2;
	ok(undo_back_to(&undo, 0, &failed) < 0 && undo.has_failed,
		"one that fails twice is as at no moment");
	writes_left = UINT32_MAX;
	undo_free(&undo);
}

int main(void)
{
	test_ram();
	test_undo();
	test_failing_undo();
	return tap_done();
}
