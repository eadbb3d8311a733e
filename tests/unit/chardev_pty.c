/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console on a pseudo-terminal: output waits for the one who has it open, and for nobody else
 * (README, "Build and run").
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"
#include "../watcher.h"
#include "io/chardev_open.h"
#include "io/pty.h"

/* More than any terminal holds. */
#define MUCH 1000000

static char path[PTY_PATH_SIZE];

static void open_pty(struct watcher *w)
{
	capture_begin();
	watcher_open(w, "pty");
	if (sscanf(capture_end(), "vole: it is on %63s", path) != 1)
		exit(1);
}

/* Prints numbered lines of eight bytes, of which the first stands at this byte of all that is
 * printed, until none is taken, or there were many. Returns at which byte it ended. */
static size_t print_from(struct watcher *w, size_t printed)
{
	char line[16];

	while (printed < MUCH) {
		snprintf(line, sizeof line, "%07u\n", (unsigned)(printed / 8) % 10000000);
		if (output(w, line) != 8)
			break;
		printed += 8;
	}
	return printed;
}

/* Prints many numbered lines from the first on. Returns how many bytes were taken. */
static size_t print_much(struct watcher *w)
{
	return print_from(w, 0);
}

/* Prints as print_much() does, with patience for a terminal that somebody seems to have open:
 * whoever looks at the descriptors of processes in /proc, as vole does to say who uses a file,
 * keeps one open for a moment after it was closed. */
static size_t print_all(struct watcher *w)
{
	size_t printed = print_from(w, 0);

	for (unsigned i = 0; i < PATIENCE * 100 && printed < MUCH; i++) {
		poll(NULL, 0, 10);
		printed = print_from(w, printed);
	}
	return printed;
}

/* Reads what the terminal holds. Returns how many bytes are the lines of print_much() from the
 * first on. */
static size_t read_lines(int fd)
{
	struct pollfd in = {.fd = fd, .events = POLLIN};
	char bytes[8], line[16];
	size_t got = 0;

	/* The kernel hands on what a terminal holds in parts. */
	while (poll(&in, 1, 1000) > 0 && read(fd, bytes, 1) == 1) {
		snprintf(line, sizeof line, "%07u\n", (unsigned)(got / 8) % 10000000);
		if (bytes[0] != line[got % 8])
			break;
		got++;
	}
	return got;
}

/* Returns whether nobody has the terminal open, with the patience of print_all(). */
static bool is_alone(struct watcher *w)
{
	for (unsigned i = 0; i < PATIENCE * 100; i++) {
		if (!chardev_has_reader(&w->chardev))
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static void test_nobody(void)
{
	struct watcher w;
	const char *said;
	char line[256];
	size_t got;
	int reader;

	open_pty(&w);
	capture_begin();
	is(print_all(&w), MUCH, "a terminal that nobody has open takes all output");
	said = capture_end();
	snprintf(line, sizeof line,
		"vole: --console pty: %s is full, and nobody has it open: what the guest prints is "
		"lost until somebody does\n",
		path);
	ok(strcmp(said, line) == 0, "that some of it is lost is said, once");
	reader = client_open(path);
	got = read_lines(reader);
	ok(got >= 4096 && got < MUCH,
		"one who opens it finds the oldest output: as much as a terminal holds");
	ok(print_much(&w) < MUCH, "and is waited for from then on");
	close(reader);
	ok(is_alone(&w), "until he leaves");
	capture_begin();
	is(print_all(&w), MUCH, "then all output is taken again");
	is(capture_lines(capture_end()), 0, "and nothing more is said");
	watcher_close(&w);
}

static void print_on(void *ctx)
{
	struct watcher *w = ctx;

	if (print_much(w) == MUCH)
		io_loop_stop(&w->loop);
}

static void test_reader_leaves(void)
{
	struct watcher w;
	int reader;

	open_pty(&w);
	reader = client_open(path);
	ok(print_much(&w) < MUCH, "a terminal that somebody has open takes what it holds");
	w.chardev.ready = print_on;
	w.chardev.backend.ops->want(&w.chardev.backend, false, true);
	close(reader);
	capture_begin();
	run_loop(&w);
	is(capture_lines(capture_end()), 1,
		"when that one leaves, the guest prints on, and that is said");
	ok(w.chardev.is_looking, "for which the host looks while output waits");
	w.chardev.backend.ops->want(&w.chardev.backend, false, false);
	w.chardev.wake.ready(&w.chardev.wake);
	ok(!w.chardev.is_looking, "and only then");
	watcher_close(&w);
}

/* The slave is closed and opened in order to find out who else has it open. */
static void test_unnoticed(void)
{
	struct termios before = {0}, after = {0};
	struct watcher w;
	unsigned looks = 0;
	char buf[16];
	int reader;

	open_pty(&w);
	is(output(&w, "early"), 5, "some output");
	tcgetattr(w.chardev.slave, &before);
	while (looks < 1000 && is_alone(&w))
		looks++;
	is(looks, 1000, "nobody has the terminal open");
	tcgetattr(w.chardev.slave, &after);
	ok(before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag &&
			before.c_cflag == after.c_cflag && before.c_lflag == after.c_lflag &&
			memcmp(before.c_cc, after.c_cc, sizeof before.c_cc) == 0,
		"its settings remain");
	is(chardev_unread(&w.chardev).bytes, 5, "and what it holds");
	is(input(&w, buf, sizeof buf), -EAGAIN, "it has not hung up");
	reader = client_open(path);
	ok(chardev_has_reader(&w.chardev), "somebody has it open");
	ok(read(reader, buf, sizeof buf) == 5 && memcmp(buf, "early", 5) == 0,
		"who finds what was printed before");
	ok(write(reader, "typed", 5) == 5 && chardev_has_reader(&w.chardev) &&
			input(&w, buf, sizeof buf) == 5 && memcmp(buf, "typed", 5) == 0,
		"what he types is not lost either");
	close(reader);
	ok(is_alone(&w), "nobody has it open again");
	watcher_close(&w);
}

/* A thread of the kernel hands on what was written, after that, and late on a busy host. */
static void test_unread(void)
{
	struct watcher w;
	unsigned counted = 0;
	char byte;
	int reader;

	open_pty(&w);
	reader = client_open(path);
	while (counted < 1000 && output(&w, "x") == 1 && chardev_unread(&w.chardev).bytes == 1 &&
		read(reader, &byte, 1) == 1 && chardev_unread(&w.chardev).bytes == 0)
		counted++;
	is(counted, 1000, "output is unread as soon as it is written, and until it is read");
	close(reader);
	watcher_close(&w);
}

static int is_exclusive(const struct watcher *w)
{
	int exclusive = -1;

	ioctl(w->chardev.slave, TIOCGEXCL, &exclusive);
	return exclusive;
}

/* A reader who wants the terminal for himself keeps others from opening it, but for root. */
static void test_exclusive(void)
{
	bool is_root = geteuid() == 0;
	struct watcher w;
	int reader;

	if (is_root && seteuid(65534) < 0)
		exit(1);
	open_pty(&w);
	reader = client_open(path);
	ok(ioctl(reader, TIOCEXCL) == 0, "a reader has the terminal for himself alone");
	ok(print_much(&w) < MUCH, "he is waited for all the same");
	ok(chardev_has_reader(&w.chardev), "and again");
	ok(open(path, O_RDWR | O_NOCTTY) < 0 && errno == EBUSY && is_exclusive(&w) == 1,
		"and nobody else can open it");
	close(reader);
	ok(is_alone(&w), "until he leaves");
	reader = client_open(path);
	ok(reader >= 0 && is_exclusive(&w) == 0, "then the next one can");
	close(reader);
	watcher_close(&w);
	if (is_root && seteuid(0) < 0)
		exit(1);
}

int main(void)
{
	test_nobody();
	test_reader_leaves();
	test_unnoticed();
	test_unread();
	test_exclusive();
	return tap_done();
}
