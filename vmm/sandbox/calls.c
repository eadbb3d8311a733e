/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Younger than some C libraries. */
#define GUARD_INSTALL 102        /* MADV_GUARD_INSTALL */
#define GUARD_REMOVE  103        /* MADV_GUARD_REMOVE */
#define SET_VMA       0x53564d41 /* PR_SET_VMA */

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

#define COUNT(array) (sizeof array / sizeof *array)

#define CALL(name)                    \
	{                             \
		.number = __NR_##name \
	}
#define CALL_IF(name, ...)                                       \
	{                                                        \
		.number = __NR_##name, .checks = { __VA_ARGS__ } \
	}
#define CALL_FAILS(name, cause)                         \
	{                                               \
		.number = __NR_##name, .error = (cause) \
	}

/* What pthread_create() asks of clone(2): a thread, and nothing that has rights of its own. */
#define THREAD                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
		CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* Memory: malloc(), stacks of threads, and their end. No page becomes executable, and no file is
 * mapped. */
static const struct rule memory[] = {
	CALL(brk),
	CALL_IF(mmap, {CHECK_LACKS, 2, PROT_EXEC, 0}, {CHECK_HAS, 3, MAP_ANONYMOUS, 0}),
	CALL_IF(mprotect, {CHECK_LACKS, 2, PROT_EXEC, 0}),
	/* mremap(2) would make a mapping of code longer, over the data behind it in its file.
	 * Without it, realloc() copies. */
	CALL_FAILS(mremap, ENOSYS),
	CALL(munmap),
	CALL_IF(madvise, {CHECK_IS, 2, MADV_DONTNEED, 0}), /* free(), and the end of a thread */
	CALL_IF(madvise, {CHECK_IS, 2, MADV_FREE, 0}),
	CALL_IF(madvise, {CHECK_IS, 2, MADV_HUGEPAGE, 0}), /* malloc(), if the user has it so */
	CALL_IF(madvise, {CHECK_WITHIN, 2, GUARD_INSTALL, GUARD_REMOVE}), /* pthread_create() */
	/* The C library names its mappings if the user has it so. */
	CALL_IF(prctl, {CHECK_IS, 0, SET_VMA, 0}),
};

/* Threads of disks begin with the driver, and all end. */
static const struct rule threads[] = {
	CALL_IF(clone, {CHECK_IS, 0, THREAD, 0}),
	/* musl's flag, which Linux ignores: CLONE_DETACHED. */
	CALL_IF(clone, {CHECK_IS, 0, THREAD | 0x400000, 0}),
	/* Its flags are in memory, where no filter sees them; the C library takes clone(2) then. */
	CALL_FAILS(clone3, ENOSYS),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(futex),
	CALL(sched_yield),
	CALL(sched_getaffinity), /* malloc() asks for the number of CPUs */
	CALL(membarrier),        /* musl's pthread_create() */
	/* The size of stacks; no limit is changed. */
	CALL_IF(prlimit64, {CHECK_IS, 0, 0, 0}, {CHECK_NULL, 2, 0, 0}),
	CALL(exit),
	CALL(exit_group),
};

/* Signals: the end and the stop that a user asks for, kicks of CPUs, abort(). */
static const struct rule signals[] = {
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigpending), /* whoever searches the past with gdb may be asked to stop */
	CALL(rt_sigreturn),
	CALL(restart_syscall), /* a call goes on after SIGCONT */
	CALL(getpid),
	CALL(gettid),
};

/* Files, pipes, sockets and eventfds that are open. */
static const struct rule data[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64),
	CALL(preadv), CALL(pwritev),
	CALL(lseek),                  /* a disk's size, when the user says that it has changed */
	CALL(fstat),                  /* as well */
	CALL(fdatasync),              /* a disk's flush */
	CALL(fsync), CALL(fallocate), /* discard, and zeroes */
	CALL(ftruncate), CALL_IF(fcntl, {CHECK_IS, 1, F_GETFD, 0}),
	CALL_IF(fcntl, {CHECK_IS, 1, F_GETFL, 0}),
	/* A client of a console's socket is read and written by descriptors of their own. */
	CALL_IF(fcntl, {CHECK_IS, 1, F_DUPFD_CLOEXEC, 0}), CALL(accept4), /* such a client comes */
	CALL(recvfrom),                                                   /* and has perhaps gone */
	CALL(getrandom), CALL(close), CALL(close_range), /* the end by the sandbox itself */
};

/* Waiting, and the time. Most of the clocks' calls are made only where the kernel's vDSO does not
 * do. */
static const struct rule waiting[] = {
#ifdef __NR_poll
	CALL(poll),
#endif
	CALL(ppoll),
#ifdef __NR_epoll_wait
	CALL(epoll_wait),
#endif
	CALL(epoll_pwait), CALL(epoll_ctl), CALL(timerfd_settime), CALL(clock_gettime),
	CALL(clock_getres), CALL(gettimeofday),
#ifdef __NR_time
	CALL(time),
#endif
	CALL(clock_nanosleep), CALL(nanosleep), CALL(wait4), /* the helpers' end */
};

/* The terminal, which is set and restored; TIOCSTI, which would type into it, is not here. And
 * pseudo-terminals. */
static const struct rule terminals[] = {
	RULE_IOCTL(TCGETS),
	RULE_IOCTL(TCSETS),
	RULE_IOCTL(RULE_TCGETS2),
	RULE_IOCTL(RULE_TCSETS2),
	RULE_IOCTL(TIOCGPGRP),  /* is vole the foreground job? */
	RULE_IOCTL(TIOCGWINSZ), /* the size, which the guest is told */
	RULE_IOCTL(FIONREAD),   /* what a reader has left */
	RULE_IOCTL(TIOCGPTN),   /* the number, for a message */
	RULE_IOCTL(
		TIOCGPTPEER),  /* whether there is a reader; landlock sees to it that it is ours */
	RULE_IOCTL(TIOCGEXCL), /* whether a reader has it in exclusive mode */
	RULE_IOCTL(TIOCNXCL),  /* ends that mode while vole opens it again */
	RULE_IOCTL(TIOCEXCL),  /* restores that mode */
#ifdef __NR_getpgrp
	CALL(getpgrp),
#endif
	CALL(getpgid),
};

/* A checkpoint, whose content is final, goes through a socket. */
static const struct rule keeper[] = {
	CALL_IF(fcntl, {CHECK_IS, 1, F_ADD_SEALS, 0}),
	CALL(sendmsg),
};

void calls_add_keeper(struct rules *rules)
{
	rules_add(rules, keeper, COUNT(keeper));
}

void calls_add(struct rules *rules)
{
	const struct rule own_threads = CALL_IF(tgkill, {CHECK_IS, 0, (uint32_t)getpid(), 0});

	rules_add(rules, memory, COUNT(memory));
	rules_add(rules, threads, COUNT(threads));
	rules_add(rules, signals, COUNT(signals));
	rules_add(rules, &own_threads, 1);
#ifndef __GLIBC__
	rules_add(rules, &(struct rule)CALL(tkill), 1); /* musl's pthread_kill() */
#endif
	rules_add(rules, data, COUNT(data));
	rules_add(rules, waiting, COUNT(waiting));
	rules_add(rules, terminals, COUNT(terminals));
}
