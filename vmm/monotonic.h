/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MONOTONIC_H
#define VMM_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Returns the host's monotonic time in nanoseconds: it never goes back, whatever becomes of the
 * time of day. Any thread. */
static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Returns the monotonic time in so many nanoseconds from now, for functions that wait until then.
 * Any thread. */
static inline struct timespec monotonic_in(uint64_t ns)
{
	ns += monotonic_ns();
	return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

#endif
