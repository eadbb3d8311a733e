/* SPDX-License-Identifier: BSD-2-Clause */
/* A console on a terminal: what is typed to a guest that reads nothing, and a terminal that vole
 * may not open. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../tap.h"
#include "io/chardev_open.h"

/* Seconds after which a process that waits is given up. */
#define PATIENCE 60

static void left(void *ctx)
{
	*(bool *)ctx = true;
}

/* Type this, and have the chardev read all of it. */
static void type(struct chardev *chardev, int master, const char *text, size_t len)
{
	struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};
	int unread = 0;

	while (len > 0) {
		size_t part = len < 1024 ? len : 1024;

		if (write(master, text, part) != (ssize_t)part)
			_exit(1);
		text += part;
		len -= part;
		for (size_t had = 0; had < part; had += (size_t)unread) {
			if (poll(&typed, 1, PATIENCE * 1000) <= 0 ||
				ioctl(STDIN_FILENO, FIONREAD, &unread) < 0)
				_exit(2);
			if (chardev->input_events != EPOLLIN)
				_exit(3);
			chardev->input.ready(&chardev->input);
		}
	}
}

/* In a process of its own, whose terminal this is: more than fits is typed to a guest that takes
 * nothing, and then ^A x. Its exit status is 0 if that is heard, and the guest gets what did
 * fit. */
_Noreturn static void type_much(int master, int slave)
{
	static char text[KEYBOARD_MAX], got[KEYBOARD_MAX + 1];
	struct iovec iov = {got, sizeof got};
	struct chardev chardev;
	struct io_loop loop;
	bool quit = false;

	setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, STDIN_FILENO) < 0 ||
		dup2(slave, STDOUT_FILENO) < 0)
		_exit(4);
	io_loop_init(&loop);
	if (chardev_open(&chardev, "console", "it", "stdio", &loop) < 0 || !chardev.is_terminal)
		_exit(5);
	chardev.quit = left;
	chardev.ctx = &quit;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = 'c';
	type(&chardev, master, text, sizeof text - 1);
	/* A ^A of the guest's is one with what follows: there is no room for both. */
	type(&chardev, master, "\1b", 2);
	type(&chardev, master, "cd", 2);
	/* Two bells, which need not come at once. */
	if (read(master, got, 1) != 1 || read(master, got + 1, 1) != 1 ||
		memcmp(got, "\a\a", 2) != 0)
		_exit(6);
	if (quit)
		_exit(7);
	type(&chardev, master, "\1x", 2);
	if (!quit)
		_exit(8);
	if (chardev.backend.ops->read(&chardev.backend, &iov, 1) != sizeof text ||
		memcmp(got, text, sizeof text) != 0)
		_exit(9);
	chardev_close(&chardev);
	io_loop_free(&loop);
	_exit(0);
}

static void test_typed(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	pid_t pid;

	if (master < 0 || unlockpt(master) < 0)
		exit(1);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	pid = fork();
	if (pid == 0)
		type_much(master, slave);
	waitpid(pid, &status, 0);
	is(status, 0, "more than can be typed ahead is dropped, with a bell, but for ^A x");
	close(slave);
	close(master);
}

/* In a process of its own, whose standard output is a terminal that it may not open: it prints
 * until the terminal, which nobody reads, is full, and ends. */
_Noreturn static void print_much(int slave)
{
	static char text[4096];
	struct iovec iov = {text, sizeof text};
	struct chardev chardev;
	struct io_loop loop;
	ssize_t len;

	memset(text, '\t', sizeof text);
	setsid();
	if (dup2(slave, STDOUT_FILENO) < 0 || setresuid(65534, 65534, 65534) < 0)
		_exit(1);
	io_loop_init(&loop);
	if (chardev_open(&chardev, "console", "it", "stdio", &loop) < 0 ||
		chardev.out != STDOUT_FILENO)
		_exit(2);
	alarm(PATIENCE);
	do
		len = chardev.backend.ops->write(&chardev.backend, &iov, 1);
	while (len > 0);
	_exit(len == -EAGAIN ? 0 : 3);
}

static void test_shared_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	struct termios settings;
	pid_t pid;

	if (geteuid() != 0) {
		ok(true, "a terminal that may not be opened # SKIP only root can become somebody "
			 "else");
		return;
	}
	if (master < 0 || unlockpt(master) < 0)
		exit(1);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (fchmod(slave, 0600) < 0 || tcgetattr(slave, &settings) < 0)
		exit(1);
	settings.c_oflag |= OPOST | XTABS; /* a tab is eight bytes */
	tcsetattr(slave, TCSANOW, &settings);
	pid = fork();
	if (pid == 0)
		print_much(slave);
	waitpid(pid, &status, 0);
	is(status, 0, "a terminal that may not be opened, and is not read, does not block");
	close(slave);
	close(master);
}

int main(void)
{
	test_typed();
	test_shared_terminal();
	return tap_done();
}
