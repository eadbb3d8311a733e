/* SPDX-License-Identifier: BSD-2-Clause */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "error_text.h"
#include "log.h"
#include "monotonic.h"

static void set_signals(void)
{
	/* An ignored signal is lost even where it is waited for, by a signalfd or a kick of a
	 * vCPU. */
	static const int used[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};
	sigset_t set;

	for (size_t i = 0; i < sizeof used / sizeof *used; i++)
		signal(used[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static bool hold_standard_fds(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0 || open("/dev/null", flags) == fd)
			continue;
		say("/dev/null: %s", error_text(errno));
		return false;
	}
	return true;
}

/* A machine with many disks needs more descriptors than shells permit at first. Where that fails,
 * opening a file fails, which is said then. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The deepest call needs a fifth of it, and threads have what the limit was at the start. */
#define STACK_MIN (256u << 10)

static bool has_stack(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK_MIN)
		return true;
	say("the limit of the stack is %u KiB, and vole needs %u; raise it (ulimit -s %u, in a new "
	    "shell where that is refused)",
		(unsigned)(limit.rlim_cur >> 10), STACK_MIN >> 10, STACK_MIN >> 10);
	return false;
}

uint64_t process_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

struct process_start process_begin(void)
{
	return (struct process_start){monotonic_ns(), process_cpu_ns()};
}

bool process_prepare(void)
{
	raise_fd_limit();
	set_signals();
	return hold_standard_fds() && has_stack();
}
