/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "children.h"
#include "descriptors.h"
#include "io/file.h"
#include "log.h"

static void close_others(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other);
	unsigned high = (unsigned)(one < other ? other : one);

	if (low > 0)
		descriptors_close(0, low - 1);
	if (low + 1 < high)
		descriptors_close(low + 1, high - 1);
	descriptors_close(high + 1, INT_MAX);
}

/* What the rules of every helper have. */
static const struct rule ends[] = {
	{.number = __NR_read},
	{.number = __NR_restart_syscall},
	{.number = __NR_exit_group},
};

_Noreturn static void run(const struct helper_work *work, int pipe)
{
	struct rules rules = {0};

	setsid();
	prctl(PR_SET_NAME, work->name);
	rules_add(&rules, ends, sizeof ends / sizeof *ends);
	rules_add(&rules, work->rules, work->rule_count);
	sandbox_enter_helper(&rules, work->grants, work->grant_count);
	work->run(work->ctx, pipe);
	_exit(0);
}

int helper_start(struct helper *helper, const struct helper_work *work)
{
	int ends_of_pipe[2], ret;
	sigset_t all, before;

	*helper = HELPER_EMPTY;
	if (pipe2(ends_of_pipe, O_CLOEXEC) < 0)
		return -errno;
	helper->pipe = ends_of_pipe[1];
	/* Whoever ends vole may signal all of its processes, and a helper is to outlive it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	helper->pid = fork();
	if (helper->pid == 0) {
		close_others(ends_of_pipe[0], work->fd);
		run(work, ends_of_pipe[0]);
	}
	ret = helper->pid < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends_of_pipe[0]);
	if (ret < 0)
		helper->pid = 0;
	return ret;
}

void helper_finish(struct helper *helper)
{
	file_close(&helper->pipe);
	if (helper->pid > 0 && !children_await(helper->pid))
		say("process %d of vole's has not ended in a second; if it was stopped, kill -CONT "
		    "%d has it do what is left",
			helper->pid, helper->pid);
	*helper = HELPER_EMPTY;
}
