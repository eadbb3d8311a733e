/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CASE_VIRTIO_H
#define CASE_VIRTIO_H

/* The parts of a driver that the kernels with a virtio driver share: the rings of a split virtqueue
 * (virtio 2.7.6, 2.7.8), and the word of the command line that names the mistake to make. */

#include <vole/virtio_ring.h>

#include "case.h"

#define QUEUE_SIZE 8 /* of the queue */

struct available_ring {
	uint16_t flags;
	volatile uint16_t idx;
	uint16_t ring[QUEUE_SIZE], used_event;
};

struct used_ring {
	uint16_t flags;
	volatile uint16_t idx;
	struct virtq_used_elem ring[QUEUE_SIZE];
	uint16_t avail_event;
};

static const char *command_line;

/* Whether this is the mistake to make. */
static int makes(const char *mistake)
{
	const char *word = command_line;

	while (*mistake && *mistake == *word) {
		mistake++;
		word++;
	}
	return *mistake == *word;
}

#endif
