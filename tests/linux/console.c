/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>

#define CONSOLES 4     /* names that are tried: one that was bound again may have another */
#define PATIENCE 20000 /* milliseconds in which the host answers */

/* The console's file, raw, or a negative errno. */
static int console_open(void)
{
	struct termios how;
	char path[LINE];
	int fd = -1;

	for (unsigned i = 0; i < CONSOLES && fd < 0; i++) {
		format(path, sizeof path, "/dev/hvc%u", i);
		fd = sys_open(path, O_RDWR | O_NOCTTY);
	}
	if (fd < 0 || sys_ioctl(fd, TCGETS, &how) < 0)
		return fd;
	how.c_iflag = how.c_oflag = how.c_lflag = 0;
	how.c_cc[VMIN] = 1;
	sys_ioctl(fd, TCSETS, &how);
	return fd;
}

/* Read n bytes while they keep coming. How many came. */
static size_t receive(int fd, uint8_t *to, size_t n)
{
	size_t got = 0;

	while (got < n && readable(fd, PATIENCE)) {
		long part = sys_read(fd, to + got, n - got);

		if (part <= 0)
			break;
		got += (size_t)part;
	}
	return got;
}

static void echo(int fd, const char *when)
{
	static const char line[] = "hvc: send this line back\n";
	const size_t len = sizeof line - 1;
	size_t got;

	ok(write_all(fd, line, len), "hvc: takes a line%s", when);
	if (!setting("hvc")) {
		skip("hvc: the line comes back", "no hvc=echo on the command line");
		return;
	}
	got = receive(fd, buffer, len);
	ok(got == len && same(buffer, line, len), "hvc: the line comes back%s, %u of %u bytes",
		when, (uint32_t)got, (uint32_t)len);
}

/* Lines of 63 digits: byte i of them. A chunk is a whole number of periods, 640 bytes, and a bit,
 * so each chunk begins with another digit. */
static void pattern(uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		expected[i] = (at + i) % 64 == 63 ? '\n' : (uint8_t)('0' + (at + i) / 64 % 10);
}

static uint32_t part_at(uint32_t at, uint32_t bytes)
{
	return CHUNK < bytes - at ? CHUNK : bytes - at;
}

static void bulk_out(int fd, uint32_t bytes)
{
	char line[LINE];
	size_t len = format(line, sizeof line, "hvc: %u bytes follow\n", bytes);
	bool good = write_all(fd, line, len);

	for (uint32_t at = 0; at < bytes && good; at += CHUNK) {
		pattern(at, part_at(at, bytes));
		good = write_all(fd, expected, part_at(at, bytes));
	}
	ok(good, "hvc: takes %u bytes", bytes);
	sys_ioctl(fd, TCSBRK, (void *)1); /* waits until they are out */
}

static void bulk_in(int fd, uint32_t bytes)
{
	char line[LINE];
	size_t len = format(line, sizeof line, "hvc: send %u bytes\n", bytes);
	bool good = write_all(fd, line, len);
	uint32_t at = 0;

	while (at < bytes && good) {
		uint32_t part = part_at(at, bytes);

		pattern(at, part);
		good = receive(fd, buffer, part) == part && same(buffer, expected, part);
		at += part;
	}
	ok(good, "hvc: gives %u bytes as they were sent, looked at %u", bytes, at);
}

/* There is output on its way, and a process that waits for input, when the device is taken from
 * the driver. Closes fd. */
static void rebind(int fd)
{
	int number = driver_device("virtio_console", "");
	long child = SYS3(__NR_fork, 0, 0, 0), error;
	unsigned waited = 0;
	int again;

	if (child == 0) {
		while (sys_read(fd, buffer, 1) > 0)
			;
		SYS3(__NR_exit, 0, 0, 0);
	}
	pattern(0, CHUNK);
	write_all(fd, "hvc: leaves\n", 12);
	sys_write(fd, expected, CHUNK / 64);
	error = driver_unbind("virtio_console", number);
	ok(child > 0 && error == 0, "hvc: unbound while in use, error %d", (int)-error);
	ok(SYS5(__NR_wait4, child, NULL, 0, NULL, 0) == child, "hvc: its reader comes to an end");
	sys_close(fd);
	error = driver_bind("virtio_console", number);
	/* Linux is done with the console that was closed some time later; until then its name still
	 * leads there, and to an error. */
	for (again = console_open(); again < 0 && waited < PATIENCE; waited += 10) {
		readable(-1, 10);
		again = console_open();
	}
	ok(error == 0 && again >= 0, "hvc: bound again, error %d", (int)-error);
	echo(again, " again");
	sys_close(again);
}

void test_console(void)
{
	uint32_t bulk = numeric_setting("hvc_bytes", 0);
	int fd = console_open();

	if (fd < 0) {
		absent("hvc");
		return;
	}
	echo(fd, "");
	if (bulk) {
		bulk_out(fd, bulk);
		bulk_in(fd, bulk);
	}
	rebind(fd);
}
