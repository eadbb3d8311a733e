/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "descriptors.h"

/* Descriptors that are looked at together. The kernel gives the lowest number that is free, and
 * vole never has so many open: none of its own are above so many free ones. */
#define BATCH 256

/* poll(2) takes no more than the limit of descriptors. */
static unsigned batch_size(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < BATCH)
		return (unsigned)limit.rlim_cur;
	return BATCH;
}

/* Closes what was inherited of count descriptors from first on. Returns whether any is open, or
 * -errno. */
static int close_batch(int first, unsigned count)
{
	struct pollfd fds[BATCH];
	bool found = false;

	for (unsigned i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = first + (int)i};
	if (poll(fds, count, 0) < 0)
		return -errno;
	for (unsigned i = 0; i < count; i++) {
		int flags;

		if (fds[i].revents & POLLNVAL)
			continue;
		found = true;
		flags = fcntl(fds[i].fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fds[i].fd);
	}
	return found;
}

int inherited_close(void)
{
	unsigned count = batch_size();
	int first = STDERR_FILENO + 1, ret;

	while ((ret = close_batch(first, count)) > 0)
		first += (int)count;
	return ret < 0 ? ret : descriptors_close((unsigned)first, UINT_MAX);
}
