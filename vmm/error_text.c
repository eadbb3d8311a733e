/* SPDX-License-Identifier: BSD-2-Clause */
#include "error_text.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* A machine with one disk has some 30 open files. */
#define FILES_WANTED 256

/* Returns whether there is a limit, and its value. */
static bool find_limit(int resource, uint64_t *value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return false;
	*value = limit.rlim_cur;
	return true;
}

static void write_files(struct error_text *to, const char *what)
{
	uint64_t limit, wanted = FILES_WANTED;

	if (!find_limit(RLIMIT_NOFILE, &limit)) {
		snprintf(to->text, sizeof to->text, "%s", what);
		return;
	}
	if (limit >= FILES_WANTED)
		wanted = 2 * limit;
	snprintf(to->text, sizeof to->text,
		"%s: the limit is %" PRIu64 "; raise it (ulimit -n %" PRIu64
		", in a new shell where that is refused)",
		what, limit, wanted);
}

/* What a machine needs, measured with both engines; views have a buffer and a thread each. */
#define MEMORY_NEEDED                                                                           \
	"vole needs the guest's memory (--memory), 24M, 8M for each CPU and disk, and 48M for " \
	"each of --capture, --trace, --log, --stats and --record"

static void write_memory(struct error_text *to, const char *what)
{
	uint64_t space = UINT64_MAX, data = UINT64_MAX;
	bool has_limit = find_limit(RLIMIT_AS, &space);

	has_limit |= find_limit(RLIMIT_DATA, &data);
	if (has_limit)
		snprintf(to->text, sizeof to->text,
			"%s: the limit of %s is %" PRIu64 " KiB (ulimit -%c); " MEMORY_NEEDED, what,
			space <= data ? "the address space" : "data",
			(space <= data ? space : data) / 1024, space <= data ? 'v' : 'd');
	else
		snprintf(to->text, sizeof to->text,
			"%s: no limit of this process is met, so the host has no more "
			"(/proc/meminfo, /proc/sys/vm/overcommit_memory)",
			what);
}

static void write_file_size(struct error_text *to, const char *what)
{
	uint64_t limit;

	if (find_limit(RLIMIT_FSIZE, &limit))
		snprintf(to->text, sizeof to->text,
			"%s: the limit of a file is %" PRIu64 " KiB (ulimit -f)", what,
			limit / 1024);
	else
		snprintf(to->text, sizeof to->text, "%s", what);
}

const char *error_text_write(struct error_text *error_text, int error)
{
	int saved = errno;
	const char *what = strerror(error);

	switch (error) {
	case EMFILE:
		write_files(error_text, what);
		break;
	case ENOMEM:
		write_memory(error_text, what);
		break;
	case EFBIG:
		write_file_size(error_text, what);
		break;
	case ENFILE:
		snprintf(error_text->text, sizeof error_text->text,
			"%s: all processes of the host together have as many as "
			"/proc/sys/fs/file-max permits",
			what);
		break;
	default:
		snprintf(error_text->text, sizeof error_text->text, "%s", what);
		break;
	}
	errno = saved;
	return error_text->text;
}

/* Returns whether the address space has no room for a thread's stack: the C library calls that
 * EAGAIN, too. */
static bool no_stack_fits(void)
{
	pthread_attr_t attributes;
	size_t size = 0;
	void *stack;

	if (pthread_attr_init(&attributes) != 0)
		return true;
	pthread_attr_getstacksize(&attributes, &size);
	pthread_attr_destroy(&attributes);
	/* The guard and the thread's own data come on top. */
	size += 256 << 10;
	stack = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return true;
	munmap(stack, size);
	return false;
}

int thread_error(int error)
{
	int saved = errno;

	if (error == EAGAIN && no_stack_fits())
		error = ENOMEM;
	errno = saved;
	return error;
}

const char *thread_error_text_write(struct error_text *error_text, int error)
{
	int saved = errno;
	uint64_t limit;

	error = thread_error(error);
	if (error != EAGAIN)
		return error_text_write(error_text, error);
	if (find_limit(RLIMIT_NPROC, &limit))
		snprintf(error_text->text, sizeof error_text->text,
			"%s: the limit of this user's threads and processes is %" PRIu64
			" (ulimit -u; pids.max in a container); vole needs one for each CPU and "
			"disk, and three more",
			strerror(error), limit);
	else
		snprintf(error_text->text, sizeof error_text->text,
			"%s: more threads and processes than pids.max of this container permits",
			strerror(error));
	errno = saved;
	return error_text->text;
}
