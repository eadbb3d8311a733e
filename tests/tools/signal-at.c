/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signal-at SIGNAL NUMBER FILE COMMAND...: runs a command and sends its process a signal, by
 * number, at the beginning of its system call of this number, counted from 1 on over all its
 * threads. Writes to FILE how many were counted, and the kernel's number of the last of them. Waits
 * until the command and all that it has left behind have ended, and ends as the command did.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

struct traced {
	pid_t pid;
	int signal;
	unsigned long number;
	unsigned long calls;
	uint64_t last_call;
	int status; /* of wait(2), once it has ended */
	bool sent;
};

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* The child: waits until it is traced. */
_Noreturn static void execute(const int ends[2], char **command)
{
	char byte;

	close(ends[1]);
	if (read(ends[0], &byte, 1) == 0)
		execvp(*command, command);
	fail(*command);
}

/* Starts the command, traced from its execve(2) on. With PTRACE_SEIZE it can be let go again at any
 * time. */
static void start(struct traced *traced, char **command)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			     PTRACE_O_EXITKILL;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe2");
	traced->pid = fork();
	if (traced->pid < 0)
		fail("fork");
	if (traced->pid == 0)
		execute(ends, command);
	close(ends[0]);
	if (ptrace(PTRACE_SEIZE, traced->pid, NULL, options) < 0)
		fail("PTRACE_SEIZE");
	close(ends[1]);
}

/* Has all threads stop, for a moment, to be let go. One that is made meanwhile stops by itself. */
static void interrupt(pid_t pid)
{
	char path[32];
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	for (struct dirent *entry; tasks && (entry = readdir(tasks));)
		if (*entry->d_name != '.')
			ptrace(PTRACE_INTERRUPT, (pid_t)strtol(entry->d_name, NULL, 10), NULL,
				NULL);
	if (tasks)
		closedir(tasks);
}

static void count_call(struct traced *traced, pid_t tid)
{
	struct __ptrace_syscall_info info;

	if (traced->sent || ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof info, &info) < 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	traced->calls++;
	traced->last_call = info.entry.nr;
	if (traced->calls != traced->number)
		return;
	kill(traced->pid, traced->signal);
	traced->sent = true;
	interrupt(traced->pid);
}

/* A thread has stopped. */
static void go_on(struct traced *traced, pid_t tid, int status)
{
	bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
	bool is_event = status >> 16 != 0;
	long signal = is_call || is_event ? 0 : WSTOPSIG(status);

	if (is_call)
		count_call(traced, tid);
	/* It fails if the thread was killed meanwhile. */
	ptrace(traced->sent ? PTRACE_DETACH : PTRACE_SYSCALL, tid, NULL, signal);
}

/* Until there is nobody left: what the command leaves behind becomes this process's children. */
static void wait_for_all(struct traced *traced)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid < 0)
			continue;
		if (WIFSTOPPED(status))
			go_on(traced, tid, status);
		else if (tid == traced->pid)
			traced->status = status;
	}
}

static void write_count(const struct traced *traced, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file ||
		fprintf(file, "%lu %lu\n", traced->calls, (unsigned long)traced->last_call) < 0 ||
		fclose(file) != 0)
		fail(path);
}

int main(int argc, char **argv)
{
	struct traced traced = {0};

	if (argc < 5) {
		fprintf(stderr, "usage: signal-at SIGNAL NUMBER FILE COMMAND...\n");
		return EXIT_FAILURE;
	}
	traced.signal = (int)strtol(argv[1], NULL, 10);
	traced.number = strtoul(argv[2], NULL, 10);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start(&traced, argv + 4);
	wait_for_all(&traced);
	write_count(&traced, argv[3]);
	if (WIFSIGNALED(traced.status)) {
		signal(WTERMSIG(traced.status), SIG_DFL);
		raise(WTERMSIG(traced.status));
	}
	return WEXITSTATUS(traced.status);
}
