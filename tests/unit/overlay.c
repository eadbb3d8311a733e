/* SPDX-License-Identifier: BSD-2-Clause */
/* A private layer over a disk: it reads as if it had been written to the disk, which stays as it
 * is. */
#include "io/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../driver.h"
#include "../tap.h"

#define SECTORS 61 /* the last block of the layer is not whole */
#define BYTES   (SECTORS * 512)

static struct fake_block disk;
static struct overlay overlay;
static uint8_t expected[BYTES], before[sizeof disk.disk];

static void begin(void)
{
	fake_block_init(&disk);
	disk.backend.capacity = SECTORS;
	disk.backend.read_only = true;
	memcpy(expected, disk.disk, BYTES);
	memcpy(before, disk.disk, sizeof before);
	is(overlay_open(&overlay, &disk.backend, "disk"), 0, "a layer is made");
}

static uint32_t draw(void)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(seed >> 33);
}

/* Reads all of the disk, in whatever steps there are. */
static bool reads_as_expected(void)
{
	static uint8_t bytes[BYTES];
	uint64_t at = 0;

	while (at < BYTES) {
		struct iovec iov[2] = {{bytes + at, 100}, {bytes + at + 100, BYTES - at - 100}};
		ssize_t ret = overlay.backend.ops->read(&overlay.backend, iov, 2, at);

		if (ret <= 0)
			return false;
		at += (uint64_t)ret;
	}
	return memcmp(bytes, expected, BYTES) == 0;
}

/* Some sectors are written, from two segments, or become zeroes. */
static bool change(unsigned first, unsigned sectors)
{
	static uint8_t bytes[BYTES];
	uint64_t offset = first * 512, len = sectors * 512, at = 0;
	uint8_t value = (uint8_t)draw();

	if (value % 4 == 0) {
		memset(expected + offset, 0, len);
		return overlay.backend.ops->write_zeroes(
			       &overlay.backend, offset, len, value & 4) == 0;
	}
	memset(bytes, value, len);
	memset(expected + offset, value, len);
	while (at < len) {
		struct iovec iov[2] = {{bytes, 7}, {bytes + 7, len - at - 7}};
		ssize_t ret = overlay.backend.ops->write(&overlay.backend, iov, 2, offset + at);

		if (ret <= 0)
			return false;
		at += (uint64_t)ret;
	}
	return true;
}

static void test_random(void)
{
	unsigned good = 0;

	begin();
	ok(!overlay.backend.read_only && overlay.backend.capacity == SECTORS,
		"it is as large as the disk, and writable");
	ok(reads_as_expected(), "it reads as the disk");
	for (unsigned i = 0; i < 500; i++) {
		unsigned first = draw() % SECTORS;

		good += change(first, 1 + draw() % (SECTORS - first)) && reads_as_expected();
	}
	is(good, 500, "what is written is read, and all else as it was");
	ok(memcmp(disk.disk, before, sizeof before) == 0, "the disk stays as it is");
	is(overlay.backend.ops->flush(&overlay.backend), 0, "there is nothing to flush");
	is(disk.flushes + disk.writes, 0, "nor is it flushed or written");
	overlay_close(&overlay);
}

/* A disk that cannot be read: what needs it fails, and nothing is made up. */
static void test_failing_disk(void)
{
	uint8_t bytes[4096] = {1};
	struct iovec half = {bytes, 512}, whole = {bytes, 4096};

	begin();
	disk.fail_after = 0;
	is(overlay.backend.ops->read(&overlay.backend, &half, 1, 0), -EIO, "a read fails");
	is(overlay.backend.ops->write(&overlay.backend, &half, 1, 0), -EIO,
		"so does a write of a part of a block");
	is(overlay.backend.ops->write(&overlay.backend, &whole, 1, 4096), 4096,
		"a write of a whole one does not");
	disk.fail_after = SIZE_MAX;
	is(overlay.backend.ops->read(&overlay.backend, &half, 1, 0), 512, "the disk is back");
	is(bytes[0], 1, "with what it has");
	overlay_close(&overlay);
}

static long resident_kib(void)
{
	struct rusage usage = {.ru_maxrss = 0};

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* A disk becomes as large as a record says (spec/replay.md), which may be as large as one can be;
 * then smaller, and what is cut off is gone. */
static void test_sizes(void)
{
	const uint64_t huge = INT64_C(1) << 40;
	const unsigned kept = 13;
	uint8_t bytes[512] = {1};
	struct iovec iov = {bytes, sizeof bytes};
	long before_kib = resident_kib();

	begin();
	change(3, 20);
	is(overlay_resize(&overlay, huge), 0, "a disk becomes huge");
	ok(resident_kib() - before_kib < 32 << 10, "which takes no memory");
	ok(reads_as_expected(), "it has what it had");
	is(overlay.backend.ops->read(&overlay.backend, &iov, 1, (huge - 1) * 512), 512,
		"and a last sector");
	is(bytes[0], 0, "of zeroes");
	is(overlay.backend.ops->write(&overlay.backend, &iov, 1, (huge - 3) * 512), 512,
		"which can be written");
	is(overlay_resize(&overlay, kept), 0, "it becomes smaller");
	is(overlay_resize(&overlay, SECTORS), 0, "and what it was");
	memset(expected + (size_t)kept * 512, 0, sizeof expected - (size_t)kept * 512);
	ok(reads_as_expected(), "with zeroes for what was cut off");
	ok(change(kept - 2, 20) && reads_as_expected(), "where it can be written");
	overlay_close(&overlay);
}

int main(void)
{
	test_random();
	test_failing_disk();
	test_sizes();
	return tap_done();
}
