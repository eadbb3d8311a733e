/* SPDX-License-Identifier: BSD-2-Clause */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/stream.h"

/* The end of the last line. */
enum line_state {
	LINE_FRESH,      /* with a newline */
	LINE_GUEST_PART, /* the guest has printed a part of a line */
	LINE_OWN_PART,   /* who holds the lock has written a part of a message */
	LINE_CUT,        /* the rest of a message is lost */
};

/* Signal handlers take the lock too, so it is no mutex. */
static struct {
	atomic_bool is_shared;
	atomic_flag lock;  /* guards state */
	atomic_uint state; /* enum line_state */
} line = {.lock = ATOMIC_FLAG_INIT};

void line_compare(void)
{
	struct stat out, error;
	bool is_same = fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &error) == 0 &&
		       out.st_dev == error.st_dev && out.st_ino == error.st_ino;

	/* /dev/tty is another file than the terminal that it leads to. */
	if (!is_same)
		is_same = stream_controls_us(STDOUT_FILENO) && stream_controls_us(STDERR_FILENO);
	atomic_store(&line.is_shared, is_same);
}

bool line_is_shared(void)
{
	return atomic_load_explicit(&line.is_shared, memory_order_relaxed);
}

static bool try_lock(void)
{
	return !atomic_flag_test_and_set_explicit(&line.lock, memory_order_acquire);
}

static enum line_state get_state(void)
{
	return atomic_load_explicit(&line.state, memory_order_relaxed);
}

static void set_state(enum line_state state)
{
	atomic_store_explicit(&line.state, state, memory_order_relaxed);
}

bool line_begin(unsigned wait_ms)
{
	bool is_locked;

	for (; !(is_locked = try_lock()) && wait_ms > 0; wait_ms--)
		poll(NULL, 0, 1);
	return is_locked;
}

void line_end(void)
{
	if (get_state() == LINE_OWN_PART)
		set_state(LINE_CUT);
	atomic_flag_clear_explicit(&line.lock, memory_order_release);
}

/* --- messages --------------------------------------------------------------------------------- */

static bool must_break(void)
{
	return get_state() == LINE_GUEST_PART || get_state() == LINE_CUT;
}

ssize_t line_write(const char *text, size_t len, size_t step)
{
	bool breaks = must_break();
	struct iovec parts[2] = {{(char *)"\n", 1}, {(char *)text, len}};
	ssize_t n;

	if (len > step - breaks)
		parts[1].iov_len = step - breaks;
	n = writev(STDERR_FILENO, parts + !breaks, 1 + breaks);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	n -= breaks;
	set_state(n == 0 || text[n - 1] == '\n' ? LINE_FRESH : LINE_OWN_PART);
	return n;
}

/* Whoever holds the lock may be the thread that this signal has interrupted. */
void line_write_last(const char *text, size_t len)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct iovec parts[2] = {{(char *)"\n", 1}, {(char *)text, len}};
	bool is_locked = line_begin(1000);
	bool breaks = get_state() != LINE_FRESH;

	poll(&out, 1, 1000);
	if (writev(STDERR_FILENO, parts + !breaks, 1 + breaks) > 0)
		set_state(LINE_FRESH);
	if (is_locked)
		line_end();
}

/* --- what the guest prints -------------------------------------------------------------------- */

/* A carriage return leaves text where it is, and a fresh line as it is. */
static void note_printed(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == '\r')
		len--;
	if (len > 0)
		set_state(text[len - 1] == '\n' ? LINE_FRESH : LINE_GUEST_PART);
}

/* Ends a message whose rest is lost. Returns 0 or -errno. */
static int end_cut(int fd)
{
	char newline = '\n';
	const struct iovec end = {&newline, 1};
	ssize_t n = get_state() == LINE_CUT ? stream_write_some(fd, &end, 1) : 0;

	if (n > 0)
		set_state(LINE_FRESH);
	return n < 0 ? (int)n : 0;
}

ssize_t line_write_guest(int fd, const struct iovec *iov, size_t step)
{
	ssize_t n;

	if (!line_is_shared())
		return stream_write_some(fd, iov, step);
	if (!line_begin(1))
		return -EAGAIN;
	n = end_cut(fd);
	if (n == 0)
		n = stream_write_some(fd, iov, step);
	if (n > 0)
		note_printed(iov->iov_base, (size_t)n);
	line_end();
	return n;
}
