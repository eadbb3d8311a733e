/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What vole tells its child: whether there would be something to put back, and what. */
struct message {
	bool is_raw;
	struct termios saved;
};

/* The child: wait until vole is gone; the last that it said counts. */
static void guard(void *ctx, int pipe)
{
	const struct terminal *terminal = ctx;
	struct message message = {.is_raw = false};
	ssize_t len;

	/* Messages are short enough to come whole (pipe(7)). */
	do
		len = read(pipe, &message, sizeof message);
	while (len > 0 || (len < 0 && errno == EINTR));
	/* In a session of its own, the child may set the terminal although it is no foreground
	 * job. */
	if (message.is_raw)
		tcsetattr(terminal->fd, TCSANOW, &message.saved);
}

static int start_guard(struct terminal *terminal)
{
	/* tcsetattr() may look at what it has set. */
	static const struct rule rules[] = {
		RULE_IOCTL(TCGETS),
		RULE_IOCTL(TCSETS),
		RULE_IOCTL(RULE_TCGETS2),
		RULE_IOCTL(RULE_TCSETS2),
	};
	const struct helper_work work = {
		.name = "vole terminal",
		.rules = rules,
		.rule_count = sizeof rules / sizeof *rules,
		.run = guard,
		.ctx = terminal,
		.fd = terminal->fd,
	};

	return helper_start(&terminal->guard, &work);
}

/* The child may have been killed: then it is as well to go on. */
static void set_is_raw(struct terminal *terminal, bool is_raw)
{
	struct message message = {is_raw, terminal->saved};

	if (terminal->is_raw == is_raw)
		return;
	terminal->is_raw = is_raw;
	(void)!write(terminal->guard.pipe, &message, sizeof message);
}

static int set_raw(const struct terminal *terminal)
{
	struct termios raw = terminal->saved;

	cfmakeraw(&raw);
	raw.c_oflag = terminal->saved.c_oflag;
	return tcsetattr(terminal->fd, TCSANOW, &raw) < 0 ? -errno : 1;
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
	helper_finish(&terminal->guard);
	*terminal = TERMINAL_EMPTY;
}
