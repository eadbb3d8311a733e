/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#define BLOCK 4096u

/* By chance, the number of ones among n random bits is never further from n / 2 than ten standard
 * deviations, each of them half the root of n. */
static bool is_fair(uint32_t ones, uint32_t bits)
{
	uint64_t distance = ones > bits / 2 ? ones - bits / 2 : bits / 2 - ones;

	return distance * distance * 4 < (uint64_t)bits * 100;
}

static uint32_t ones_of(const uint8_t *data, size_t n)
{
	uint32_t ones = 0;

	for (size_t i = 0; i < n; i++)
		for (uint32_t byte = data[i]; byte; byte &= byte - 1)
			ones++;
	return ones;
}

static void sizes(int fd)
{
	static const uint32_t sizes[] = {1, 7, 64, 1000};
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		bad += !read_all(fd, buffer, sizes[i]);
	ok(!bad, "rng: reads of 1 to 1000 bytes");
}

/* Neither constant, nor the same again and again, nor with more of one bit than of the other. */
static void quality(int fd)
{
	uint32_t bytes = numeric_setting("rng_bytes", 1u << 20);
	uint32_t ones = 0, repeated = 0;

	memset(expected, 0, BLOCK);
	for (uint32_t at = 0; at < bytes; at += BLOCK) {
		if (!read_all(fd, buffer, BLOCK)) {
			ok(false, "rng: gives %u bytes, ended after %u", bytes, at);
			return;
		}
		repeated += same(buffer, expected, 16);
		ones += ones_of(buffer, BLOCK);
		memcpy(expected, buffer, BLOCK);
	}
	ok(true, "rng: gives %u bytes", bytes);
	ok(!repeated, "rng: does not repeat itself");
	ok(is_fair(ones, bytes * 8), "rng: %u of %u bits are set", ones, bytes * 8);
}

/* Another process reads without end while the device is taken from the driver. */
static void rebind(int fd)
{
	int number = driver_device("virtio_rng", "");
	long child = SYS3(__NR_fork, 0, 0, 0), error;

	if (child == 0) {
		while (sys_read(fd, buffer, BLOCK) > 0)
			;
		SYS3(__NR_exit, 0, 0, 0);
	}
	error = driver_unbind("virtio_rng", number);
	ok(child > 0 && error == 0, "rng: unbound while it is read, error %d", (int)-error);
	ok(SYS5(__NR_wait4, child, NULL, 0, NULL, 0) == child, "rng: its reader comes to an end");
	error = driver_bind("virtio_rng", number);
	ok(error == 0 && read_all(fd, buffer, BLOCK), "rng: bound again and read, error %d",
		(int)-error);
}

void test_entropy(void)
{
	int fd = sys_open("/dev/hwrng", O_RDONLY);

	if (fd < 0 || !same(line_of("/sys/class/misc/hw_random/rng_current"), "virtio_rng", 10)) {
		absent("rng");
		return;
	}
	sizes(fd);
	quality(fd);
	rebind(fd);
	sys_close(fd);
}
