/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_VIRTQ_VIEW_H
#define VIRTIO_VIRTQ_VIEW_H

/*
 * What a device knows of a virtqueue, as a copy: a part of what virtio_inspect() tells.
 */

#include <stdbool.h>
#include <stdint.h>

#include "gmem.h"

/* Positions are indices modulo 2^16 in a split queue, slots in a packed one. */
struct virtq_view {
	bool exists; /* with the accepted features; else the rest is 0 */
	bool ready;  /* QueueReady; else the rest is 0 */
	bool packed;
	uint32_t size;

	unsigned waiting; /* chains that are available, and that the device has not taken */
	bool unnoticed;   /* the queue was empty when the device last looked: nobody has told it of
			   * those that are waiting now */

	uint16_t available; /* split: the available ring's index, in guest memory */
	uint16_t taken;     /* position of the next chain to take */
	uint16_t used;      /* position after the last one that was given back */
	uint16_t used_seen; /* split: the used ring's index, in guest memory: as used, unless
			     * somebody else wrote there */

	bool all_used;  /* every chain that was made available was given back */
	bool event_idx; /* EVENT_IDX was negotiated */
	bool unheard;   /* the last chains were given back without an interrupt, because of what
			 * suppression still is, and the driver has gone on to no other since */
	uint32_t suppression; /* the driver's word on interrupts, as virtq.suppression, now */

	gpa_t available_at, used_at; /* split: where these indices are in guest memory */
};

#endif
