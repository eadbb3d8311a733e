/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_POLLING_H
#define VMM_POLLING_H

/*
 * A thread that serves a device looks at its queues for a while before it waits for a kick. A
 * request that comes within that time needs no kick, which is an exit of the guest's, and no
 * wake-up of the thread. The time looked for is bounded, so that a guest that asks for nothing
 * costs nothing.
 *
 * The time can adapt itself: a wait that was shorter than the longest look doubles it, since a look
 * would have been cheaper; one that was longer has the thread look no more.
 *
 * A structure belongs to the thread that serves the device, once that runs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"

struct polling {
	uint64_t max_ns;         /* the longest look; 0: none at all */
	uint64_t window_ns;      /* the next look */
	bool adapts;             /* else each look is of max_ns */
	bool has_more;           /* the device has more to do at once than it did */
	uint64_t waits_since_ns; /* when the thread began to wait, monotonic; 0: it has not */
};

#define POLLING_OFF ((struct polling){0})

/* Each look takes at most so many microseconds. */
struct polling polling_fixed(unsigned us);

/* Looks take as long as it pays, at most POLLING_ADAPTIVE_US. */
#define POLLING_ADAPTIVE_US 50
struct polling polling_adaptive(void);

/* Looks at the queues of the device. Returns how long the thread may wait for something else: 0
 * while requests go on to come, or IO_FOREVER, when kicks are asked for. Called before the thread
 * waits. */
int64_t polling_look(struct polling *polling, struct virtio_device *virtio);

/* Returns whether the thread looks at the queues before it waits, so that it need not serve a queue
 * when it is kicked. */
static inline bool polling_is_on(const struct polling *polling)
{
	return polling->window_ns != 0;
}

#endif
