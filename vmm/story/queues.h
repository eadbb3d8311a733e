/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_QUEUES_H
#define VMM_STORY_QUEUES_H

/*
 * The devices and queues of a capture, as they are after the records that were read so far: the
 * rings are put together from their changes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_ring.h>

#include "layout.h"
#include "story/record.h"
#include "virtio.h"

/* The largest queue of a page: virtio 2.7 and 2.8 permit no larger one. Those of a vole's machine
 * are smaller, but other programs may write captures, too. */
#define STORY_QUEUE_SIZE_MAX 32768

enum story_area { AREA_DESCRIPTOR, AREA_DRIVER, AREA_DEVICE, AREAS };

/* Names what of a record exceeds the bounds of a page. */
enum story_bound {
	BOUND_NONE,
	BOUND_DEVICE, /* there are DEVICE_COUNT devices */
	BOUND_QUEUE,  /* a device has VIRTIO_QUEUES_MAX queues */
	BOUND_SIZE,   /* a queue has STORY_QUEUE_SIZE_MAX entries */
};

/* The first record that was left out for such a bound. */
struct story_beyond {
	enum story_bound bound;
	uint16_t device, queue;
	uint32_t size; /* with BOUND_SIZE: entries of the queue */
};

struct story_queue {
	uint32_t size; /* entries; 0: it is not ready */
	bool is_packed, has_event_idx;
	uint64_t at[AREAS]; /* guest-physical addresses */
	size_t len[AREAS];
	uint8_t *bytes[AREAS]; /* owned; NULL while it was never ready */
	uint32_t beyond; /* entries, if it has more than STORY_QUEUE_SIZE_MAX; then size is 0 */
};

struct story_device {
	uint32_t id; /* virtio 5 */
	bool is_known;
	uint64_t features; /* that the driver has written to DriverFeatures */
	uint8_t status;    /* Status */
	uint32_t interrupt_status;
	struct story_queue queues[VIRTIO_QUEUES_MAX];
};

struct story_devices {
	struct story_device device[DEVICE_COUNT];
};

/* Returns the queue that a record is about, NULL if it is about none. */
struct story_queue *story_queue_of(struct story_devices *devices, const struct record *record);

/* Returns RECORD_DAMAGED if a record cannot have any effect, for a place that its queue has not for
 * instance; RECORD_BEYOND if a page does not show what it is about, and sets *beyond to the bound;
 * else RECORD_FINE. */
enum record_fault story_check(
	struct story_devices *devices, const struct record *record, struct story_beyond *beyond);

/* Has a record take effect that story_check() finds fine. Returns 0, or -ENOMEM if a queue's areas
 * have no room. */
int story_apply(struct story_devices *devices, const struct record *record);

void story_free(struct story_devices *devices);

#endif
