/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What vole tells its child: whether there would be something to put back. */
#define IS_RAW      'r'
#define IS_RESTORED 's'

static void close_range_of_fds(int first, int last)
{
	if (first <= last)
		close_range((unsigned)first, (unsigned)last, 0);
}

/* The child: wait until vole is gone; the last that it said counts. Only async-signal-safe calls. */
_Noreturn static void guard(const struct terminal *terminal, int pipe_end)
{
	int low = terminal->fd < pipe_end ? terminal->fd : pipe_end;
	int high = terminal->fd < pipe_end ? pipe_end : terminal->fd;
	char word = IS_RAW;
	ssize_t len;

	/* A session of its own: neither keys nor the end of the terminal's session reach it, and it
	 * may set the terminal although it is no foreground job. */
	setsid();
	close_range_of_fds(0, low - 1);
	close_range_of_fds(low + 1, high - 1);
	close_range_of_fds(high + 1, INT_MAX);
	do
		len = read(pipe_end, &word, 1);
	while (len > 0 || (len < 0 && errno == EINTR));
	if (word == IS_RAW)
		tcsetattr(terminal->fd, TCSANOW, &terminal->saved);
	_exit(0);
}

static int start_guard(struct terminal *terminal)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	terminal->guard_pipe = ends[1];
	terminal->guard = fork();
	if (terminal->guard == 0)
		guard(terminal, ends[0]);
	close(ends[0]);
	if (terminal->guard < 0) {
		terminal->guard = 0;
		return -errno;
	}
	return 0;
}

/* A pipe that is full, or a child that was killed: then it is as well to go on. */
static void tell_guard(const struct terminal *terminal, char word)
{
	if (terminal->guard_pipe >= 0)
		(void)!write(terminal->guard_pipe, &word, 1);
}

/* A job in the background must not touch the terminal, which would stop it; and need not: the shell that
 * took the terminal has set it as it likes. */
static bool is_foreground(const struct terminal *terminal)
{
	return terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp();
}

static int set_raw(const struct terminal *terminal)
{
	struct termios raw = terminal->saved;

	cfmakeraw(&raw);
	raw.c_oflag = terminal->saved.c_oflag;
	return tcsetattr(terminal->fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

int terminal_raw(struct terminal *terminal, int fd)
{
	int ret;

	*terminal = TERMINAL_EMPTY;
	if (tcgetattr(fd, &terminal->saved) < 0)
		return -errno;
	terminal->fd = fd;
	ret = start_guard(terminal);
	if (ret < 0)
		return ret;
	return set_raw(terminal);
}

void terminal_suspend(const struct terminal *terminal)
{
	if (is_foreground(terminal))
		tcsetattr(terminal->fd, TCSANOW, &terminal->saved);
	tell_guard(terminal, IS_RESTORED);
}

void terminal_resume(const struct terminal *terminal)
{
	bool foreground = is_foreground(terminal);

	tell_guard(terminal, foreground ? IS_RAW : IS_RESTORED);
	if (foreground)
		set_raw(terminal);
}

void terminal_restore(struct terminal *terminal)
{
	terminal_suspend(terminal);
	if (terminal->guard_pipe >= 0)
		close(terminal->guard_pipe);
	if (terminal->guard > 0)
		while (waitpid(terminal->guard, NULL, 0) < 0 && errno == EINTR)
			;
	*terminal = TERMINAL_EMPTY;
}
