/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What vole tells its child: whether there would be something to put back, and what. */
struct message {
	bool is_raw;
	struct termios saved;
};

static void close_range_of_fds(int first, int last)
{
	if (first <= last)
		close_range((unsigned)first, (unsigned)last, 0);
}

/* The child: wait until vole is gone; the last that it said counts. Only async-signal-safe calls.
 */
_Noreturn static void guard(const struct terminal *terminal, int pipe_end)
{
	int low = terminal->fd < pipe_end ? terminal->fd : pipe_end;
	int high = terminal->fd < pipe_end ? pipe_end : terminal->fd;
	struct message message = {.is_raw = false};
	ssize_t len;

	/* A session of its own: neither keys nor the end of the terminal's session reach it, and it
	 * may set the terminal although it is no foreground job. */
	setsid();
	prctl(PR_SET_NAME, "vole terminal");
	close_range_of_fds(0, low - 1);
	close_range_of_fds(low + 1, high - 1);
	close_range_of_fds(high + 1, INT_MAX);
	/* Messages are short enough to come whole (pipe(7)). */
	do
		len = read(pipe_end, &message, sizeof message);
	while (len > 0 || (len < 0 && errno == EINTR));
	if (message.is_raw)
		tcsetattr(terminal->fd, TCSANOW, &message.saved);
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

/* The child may have been killed: then it is as well to go on. */
static void set_is_raw(struct terminal *terminal, bool is_raw)
{
	struct message message = {is_raw, terminal->saved};

	if (terminal->is_raw == is_raw)
		return;
	terminal->is_raw = is_raw;
	(void)!write(terminal->guard_pipe, &message, sizeof message);
}

static int set_raw(const struct terminal *terminal)
{
	struct termios raw = terminal->saved;

	cfmakeraw(&raw);
	raw.c_oflag = terminal->saved.c_oflag;
	return tcsetattr(terminal->fd, TCSANOW, &raw) < 0 ? -errno : 1;
}

bool terminal_controls_us(int fd)
{
	/* The other end of a pseudo-terminal answers too, for the session there. */
	return tcgetsid(fd) == getsid(0);
}

int terminal_open(struct terminal *terminal, int fd)
{
	sigset_t set;
	int ret;

	*terminal = TERMINAL_EMPTY;
	terminal->fd = fd;
	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ret = start_guard(terminal);
	return ret < 0 ? ret : terminal_resume(terminal);
}

void terminal_suspend(struct terminal *terminal)
{
	if (terminal->is_raw && tcgetpgrp(terminal->fd) == getpgrp())
		tcsetattr(terminal->fd, TCSANOW, &terminal->saved);
	set_is_raw(terminal, false);
}

int terminal_resume(struct terminal *terminal)
{
	pid_t owner = tcgetpgrp(terminal->fd);

	if (owner < 0)
		return -errno;
	if (owner != getpgrp()) {
		set_is_raw(terminal, false);
		return 0;
	}
	if (!terminal->is_found && tcgetattr(terminal->fd, &terminal->saved) < 0)
		return -errno;
	terminal->is_found = true;
	set_is_raw(terminal, true);
	return set_raw(terminal);
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
