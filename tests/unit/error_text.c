/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of errors, and which of them name a limit of the host. */
#include "error_text.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "../tap.h"

static void is_same(const char *got, const char *expected, const char *name)
{
	ok(strcmp(got, expected) == 0, "%s", name);
}

/* Sets the soft limit of a resource, and returns what it was. */
static rlim_t lower(int resource, rlim_t to)
{
	struct rlimit limit;
	rlim_t was;

	getrlimit(resource, &limit);
	was = limit.rlim_cur;
	limit.rlim_cur = to;
	setrlimit(resource, &limit);
	return was;
}

static void test_files(void)
{
	rlim_t was = lower(RLIMIT_NOFILE, 3);

	is_same(error_text(EMFILE),
		"Too many open files: the limit is 3; raise it (ulimit -n 256, in a new shell "
		"where that is refused)",
		"a low limit of open files");
	is_same(error_text(ENOENT), strerror(ENOENT), "another error, where it is met, too");
	lower(RLIMIT_NOFILE, 300);
	ok(strstr(error_text(EMFILE), "is 300; raise it (ulimit -n 600"), "a usual one, doubled");
	lower(RLIMIT_NOFILE, was);
	ok(strstr(error_text(ENFILE), "/proc/sys/fs/file-max"), "that of the host");
}

/* Sanitizers need the address space: the limit is not lower than what is in use. */
static void test_memory(void)
{
	rlim_t was = lower(RLIMIT_AS, (rlim_t)1 << 60), data;

	ok(strstr(error_text(ENOMEM), ": the limit of the address space is 1125899906842624 KiB"),
		"that of the address space");
	lower(RLIMIT_AS, RLIM_INFINITY);
	ok(strstr(error_text(ENOMEM), ": no limit of this process is met, so the host has no more"),
		"no such limit");
	data = lower(RLIMIT_DATA, (rlim_t)1 << 59);
	ok(strstr(error_text(ENOMEM), ": the limit of data is 562949953421312 KiB (ulimit -d)"),
		"that of data");
	lower(RLIMIT_AS, (rlim_t)1 << 60);
	ok(strstr(error_text(ENOMEM), "(ulimit -d)"), "the lower one of both");
	lower(RLIMIT_DATA, data);
	lower(RLIMIT_AS, was);
}

static void test_file_size(void)
{
	rlim_t was = lower(RLIMIT_FSIZE, 4096);

	is_same(error_text(EFBIG), "File too large: the limit of a file is 4 KiB (ulimit -f)",
		"that of a file's size");
	lower(RLIMIT_FSIZE, was);
}

static void test_threads(void)
{
	rlim_t was = lower(RLIMIT_NPROC, 7);

	ok(strstr(thread_error_text(EAGAIN),
		   ": the limit of this user's threads and processes is 7"),
		"that of threads");
	is_same(thread_error_text(EPERM), strerror(EPERM), "another error of a thread");
	is_same(error_text(EAGAIN), strerror(EAGAIN), "EAGAIN of something else");
	lower(RLIMIT_NPROC, was);
}

static void test_errno(void)
{
	errno = ENOTTY;
	error_text(EMFILE);
	thread_error_text(EAGAIN);
	is(errno, ENOTTY, "errno stays");
}

int main(void)
{
	test_files();
	test_memory();
	test_file_size();
	test_threads();
	test_errno();
	return tap_done();
}
