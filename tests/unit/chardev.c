/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's end of a console whose two directions are one connection, a socket or a
 * pseudo-terminal: input that is waited for does not keep output from being waited for. And what
 * cannot be waited for.
 */
#include "io/chardev_open.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"
#include "container.h"

/* More than any buffer between the two sides holds. */
#define OUTPUT (4u << 20)

/* Seconds after which a loop that nothing wakes any more is given up. */
#define PATIENCE 60

/* The device: once it has received a byte it sends OUTPUT bytes, and always takes more input. */
struct guest {
	struct io_loop loop;
	struct chardev chardev;
	size_t received, sent;
	unsigned refused; /* times that the host took no more */
	int told;         /* pipe to the client: the host takes no more */
};

static ssize_t send_some(struct guest *guest)
{
	static uint8_t block[65536];
	struct console_backend *backend = &guest->chardev.backend;
	size_t left = OUTPUT - guest->sent;
	struct iovec iov = {block, left < sizeof block ? left : sizeof block};

	return backend->ops->write(backend, &iov, 1);
}

static void send_all(struct guest *guest)
{
	ssize_t len = 0;

	while (guest->sent < OUTPUT && (len = send_some(guest)) > 0)
		guest->sent += (size_t)len;
	if (len == -EAGAIN && guest->refused++ == 0 && write(guest->told, "", 1) != 1)
		perror("write");
}

static void ready(void *ctx)
{
	struct guest *guest = ctx;
	struct console_backend *backend = &guest->chardev.backend;
	uint8_t byte;
	struct iovec iov = {&byte, 1};

	if (backend->ops->read(backend, &iov, 1) == 1)
		guest->received++;
	if (guest->received > 0)
		send_all(guest);
	backend->ops->want(backend, true, guest->received > 0 && guest->sent < OUTPUT);
	if (guest->sent == OUTPUT)
		io_loop_stop(&guest->loop);
}

/* Connected to path, a socket or a terminal. */
static int client_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd >= 0)
		return fd;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		_exit(1);
	return fd;
}

/* A process that sends one byte, and reads nothing before the other side is stuck. */
static pid_t client_start(const char *path, int told)
{
	static uint8_t block[65536];
	pid_t pid = fork();
	size_t received = 0;
	int fd;

	if (pid != 0)
		return pid;
	fd = client_open(path);
	if (write(fd, "x", 1) != 1 || read(told, block, 1) != 1)
		_exit(2);
	while (received < OUTPUT) {
		ssize_t len = read(fd, block, sizeof block);

		if (len <= 0)
			_exit(3);
		received += (size_t)len;
	}
	_exit(0);
}

/* Clients go to path; NULL: chardev_open() says where. */
static void both_ways(const char *name, const char *text, const char *path)
{
	struct guest guest = {.chardev = CHARDEV_EMPTY};
	struct console_backend *backend = &guest.chardev.backend;
	const char *said;
	char terminal[64];
	int told[2], status;
	pid_t client;

	if (pipe(told) < 0)
		exit(1);
	guest.told = told[1];
	capture_begin();
	is(io_loop_init(&guest.loop), 0, "%s: a loop", name);
	is(chardev_open(&guest.chardev, "console", "it", text, &guest.loop), 0, "%s: opens", name);
	said = capture_end();
	guest.chardev.ready = ready;
	guest.chardev.ctx = &guest;
	if (!path && sscanf(said, "vole: it is on %63s", terminal) == 1)
		path = terminal;
	if (!path) {
		ok(false, "%s: there is a way to it", name);
		return;
	}
	backend->ops->want(backend, true, false);
	client = client_start(path, told[0]);
	alarm(PATIENCE);
	capture_begin();
	is(io_loop_run(&guest.loop), 0, "%s: the loop runs", name);
	is(capture_lines(capture_end()), 0, "%s: nothing has to be said", name);
	alarm(0);
	is(guest.sent, OUTPUT, "%s: all output is sent", name);
	ok(guest.refused > 0, "%s: although the other side did not take it at times", name);
	waitpid(client, &status, 0);
	is(status, 0, "%s: the other side received all of it", name);
	chardev_close(&guest.chardev);
	io_loop_free(&guest.loop);
	close(told[0]);
	close(told[1]);
}

/* --- clients that come and go ----------------------------------------------------------------- */

/* A device that only looks who is there, and takes input where a test says so. */
struct watcher {
	struct io_loop loop;
	struct chardev chardev;
	unsigned changes; /* of whether somebody is there */
	bool connected;
};

static bool connected(struct watcher *w)
{
	return w->chardev.backend.ops->connected(&w->chardev.backend);
}

static void look(void *ctx)
{
	struct watcher *w = ctx;

	if (connected(w) == w->connected)
		return;
	w->connected = !w->connected;
	w->changes++;
	io_loop_stop(&w->loop);
}

/* Until somebody comes or goes, or has input. */
static void run_loop(struct watcher *w)
{
	alarm(PATIENCE);
	w->loop.stopped = false;
	io_loop_run(&w->loop);
	io_event_clear(w->loop.stop.fd);
	alarm(0);
}

static void watcher_open(struct watcher *w, const char *text)
{
	*w = (struct watcher){.chardev = CHARDEV_EMPTY};
	io_loop_init(&w->loop);
	is(chardev_open(&w->chardev, "console", "it", text, &w->loop), 0, "a socket to watch");
	w->chardev.ready = look;
	w->chardev.ctx = w;
}

static void watcher_close(struct watcher *w)
{
	chardev_close(&w->chardev);
	io_loop_free(&w->loop);
}

static ssize_t input(struct watcher *w, char *buf, size_t len)
{
	struct iovec iov = {buf, len};

	return w->chardev.backend.ops->read(&w->chardev.backend, &iov, 1);
}

static void stop_loop(void *ctx)
{
	io_loop_stop(&((struct watcher *)ctx)->loop);
}

static void test_clients(const char *text, const char *path)
{
	struct watcher w;
	char buf[16];
	int client;

	watcher_open(&w, text);
	ok(!connected(&w), "nobody is there at first");
	client = client_open(path);
	run_loop(&w);
	ok(w.changes == 1 && w.connected, "5.3.6.2 a client that comes is told of");
	close(client);
	run_loop(&w);
	ok(w.changes == 2 && !w.connected, "5.3.6.2 one that leaves too, though nothing is read");

	client = client_open(path);
	run_loop(&w);
	is(write(client, "last", 4), 4, "another says something");
	close(client);
	w.chardev.ready = stop_loop;
	w.chardev.backend.ops->want(&w.chardev.backend, true, false);
	run_loop(&w);
	ok(connected(&w), "and has left: it is there until that is read");
	ok(input(&w, buf, sizeof buf) == 4 && memcmp(buf, "last", 4) == 0,
		"CON-DEV-11 (5.3.6) what it said is not lost");
	is(input(&w, buf, sizeof buf), -EAGAIN, "then there is nothing");
	ok(!connected(&w), "and nobody");
	watcher_close(&w);
}

static ssize_t output(struct watcher *w, const char *text)
{
	struct iovec iov = {(char *)text, strlen(text)};

	return w->chardev.backend.ops->write(&w->chardev.backend, &iov, 1);
}

static void test_client_that_closes(const char *text, const char *path)
{
	struct watcher w;
	char buf[16];
	int client;

	watcher_open(&w, text);
	client = client_open(path);
	run_loop(&w);
	is(write(client, "last", 4), 4, "a client says something");
	close(client);
	is(output(&w, "more"), -EPIPE, "and has left when the guest prints");
	is(output(&w, "more"), 4, "what it prints is dropped");
	w.chardev.ready = stop_loop;
	w.chardev.backend.ops->want(&w.chardev.backend, true, false);
	run_loop(&w);
	ok(input(&w, buf, sizeof buf) == 4 && memcmp(buf, "last", 4) == 0,
		"CON-DEV-11 (5.3.6) what the client said is not lost");
	is(input(&w, buf, sizeof buf), -EAGAIN, "then there is nothing");
	ok(!connected(&w), "and nobody");
	watcher_close(&w);
}

/* With input that the guest wants, or does not. */
static void test_half_closed(const char *text, const char *path, bool wanted)
{
	struct watcher w;
	char buf[16];
	int client;

	watcher_open(&w, text);
	client = client_open(path);
	run_loop(&w);
	w.chardev.backend.ops->want(&w.chardev.backend, wanted, false);
	shutdown(client, SHUT_WR);
	if (wanted)
		is(input(&w, buf, sizeof buf), -EAGAIN, "a client that ends its side alone");
	for (unsigned i = 0; i < 3; i++)
		w.chardev.wake.ready(&w.chardev.wake);
	if (!wanted)
		w.chardev.input.ready(&w.chardev.input);
	ok(connected(&w), "is there");
	is(w.chardev.input_events, EPOLLHUP, "and waited for until it leaves");
	is(output(&w, "more"), 4, "it is written to");
	ok(read(client, buf, sizeof buf) == 4 && memcmp(buf, "more", 4) == 0, "and reads that");
	close(client);
	run_loop(&w);
	ok(!w.connected, "until it leaves");
	watcher_close(&w);
}

/* epoll_ctl() fails to add this descriptor; -1: none. */
static int failing_fd = -1;

static void test_listener_fails(const char *text, const char *path)
{
	struct watcher w;
	int client;

	watcher_open(&w, text);
	client = client_open(path);
	run_loop(&w);
	failing_fd = w.chardev.listener.socket.fd;
	close(client);
	capture_begin();
	run_loop(&w);
	failing_fd = -1;
	is(capture_lines(capture_end()), 1, "a host that cannot listen again says so");
	client = client_open(path);
	run_loop(&w);
	ok(w.connected, "and does later");
	close(client);
	watcher_close(&w);
}

/* By the end, the path may be somebody else's. */
static void test_path_taken(const char *text, const char *path)
{
	struct watcher w;
	FILE *file;

	watcher_open(&w, text);
	unlink(path);
	file = fopen(path, "w");
	if (!file)
		exit(1);
	fclose(file);
	watcher_close(&w);
	is(unlink(path), 0, "a file in the place of the socket is left alone");
}

/* CPU seconds of this process. */
static double cpu_time(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Ends a loop after some seconds. */
struct rest {
	struct io_source timer;
	struct io_loop *loop;
};

static void rest_over(struct io_source *source)
{
	io_loop_stop(container_of(source, struct rest, timer)->loop);
}

static void run_for(struct io_loop *loop, unsigned seconds)
{
	struct itimerspec when = {.it_value.tv_sec = seconds};
	struct rest rest = {
		.timer = {.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), .ready = rest_over},
		.loop = loop,
	};

	timerfd_settime(rest.timer.fd, 0, &when, NULL);
	io_loop_add(loop, &rest.timer, EPOLLIN);
	io_loop_run(loop);
	io_event_clear(loop->stop.fd);
	io_loop_del(loop, &rest.timer);
	close(rest.timer.fd);
}

/* A client that there is no descriptor for does not keep the loop busy, and is served later. */
static void test_no_descriptors(const char *text, const char *path)
{
	struct rlimit limit, none;
	struct watcher w;
	int client, spare;
	double used;

	watcher_open(&w, text);
	client = client_open(path);
	getrlimit(RLIMIT_NOFILE, &limit);
	spare = dup(client);
	close(spare);
	none = limit;
	none.rlim_cur = (rlim_t)spare + 1; /* the next one, which is run_for()'s */
	setrlimit(RLIMIT_NOFILE, &none);

	capture_begin();
	used = cpu_time();
	run_for(&w.loop, 3);
	used = cpu_time() - used;
	is(capture_lines(capture_end()), 1, "a client without a descriptor: it is said, once");
	ok(used < 0.5, "and waits, but not busily");
	setrlimit(RLIMIT_NOFILE, &limit);
	run_loop(&w);
	ok(w.connected, "until there is one");
	watcher_close(&w);
	close(client);
}

/* --- a terminal ------------------------------------------------------------------------------- */

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

/* What epoll says of standard input, if it is not 0; epoll_ctl() as libc has it, but for that. */
static int stdin_error;

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && fd >= 0 && fd == failing_fd) {
		errno = ENOSPC;
		return -1;
	}
	if (operation == EPOLL_CTL_ADD && fd == STDIN_FILENO && stdin_error != 0) {
		errno = stdin_error;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static void without_waiting(int error, int expected, unsigned lines, const char *name)
{
	struct io_loop loop;
	struct chardev chardev;

	/* A file: of others, vole makes a descriptor of its own. */
	if (dup2(memfd_create("input", 0), STDIN_FILENO) < 0)
		exit(1);
	stdin_error = error;
	capture_begin();
	is(io_loop_init(&loop), 0, "%s: a loop", name);
	is(chardev_open(&chardev, "console", "it", "stdio", &loop), expected, "%s: %d", name,
		expected);
	chardev_close(&chardev);
	io_loop_free(&loop);
	is(capture_lines(capture_end()), lines, "%s: said once, if at all", name);
	stdin_error = 0;
}

int main(void)
{
	char folder[] = "/tmp/vole-test-XXXXXX", path[64], text[80];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(text, sizeof text, "unix:%s", path);
	both_ways("socket", text, path);
	both_ways("pseudo-terminal", "pty", NULL);
	test_clients(text, path);
	signal(SIGPIPE, SIG_IGN); /* as vole */
	test_client_that_closes(text, path);
	test_half_closed(text, path, true);
	test_half_closed(text, path, false);
	test_listener_fails(text, path);
	test_path_taken(text, path);
	test_no_descriptors(text, path);
	rmdir(folder);
	test_typed();
	test_shared_terminal();
	without_waiting(EPERM, 0, 0, "a file need not be waited for");
	without_waiting(ENOSPC, -ENOSPC, 1, "nothing more can be waited for");
	return tap_done();
}
