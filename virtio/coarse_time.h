/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_COARSE_TIME_H
#define VIRTIO_COARSE_TIME_H

#include <stdint.h>
#include <time.h>

/* Returns the host's monotonic time in milliseconds, in steps of some of them, for which it costs
 * little. It is for reports: nothing that a guest sees depends on it. */
static inline uint64_t coarse_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
