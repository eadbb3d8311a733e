/* SPDX-License-Identifier: BSD-2-Clause */
#include "descriptors.h"

#include <errno.h>
#include <unistd.h>

/* Linux before 5.9 has no close_range(2), and filters of containers that are older than it answer
 * EPERM: descriptors are closed one by one, those that programs use in fact. */
#define OLD_LINUX_MAX 4096

int descriptors_close(unsigned first, unsigned last)
{
	if (close_range(first, last, 0) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	for (unsigned fd = first; fd <= last && fd < OLD_LINUX_MAX; fd++)
		close((int)fd);
	return 0;
}
