/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_SAVED_H
#define VIRTIO_SAVED_H

/*
 * The state of a device, as a copy that outlives it: for a device of the same type and features to
 * go on from. It has no pointers and no host addresses.
 *
 * A chain that the device has taken and not used yet is given back: the queue's position is that of
 * the chain, which is taken again on restoring, and the copy has how far the device has come with
 * it. No device holds more than one chain of a queue.
 *
 * Whoever fills a copy from a file need not validate it: virtio_restore() does. save.h has the
 * functions.
 */

#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_SAVED_QUEUES 18 /* VIRTIO_QUEUES_MAX */
#define VIRTIO_SAVED_PORTS  8  /* VIRTIO_CONSOLE_PORTS_MAX */

struct virtio_saved_queue {
	uint32_t size;
	uint64_t desc, driver, device; /* guest-physical addresses, as the driver gave them */
	bool ready;

	/* Valid if ready. */
	bool ran_dry;         /* the device looked for a buffer and found none */
	uint16_t position;    /* split: of the next chain to take and use; packed: its slot */
	bool wrap;            /* packed: the wrap counter there */
	bool is_held;         /* the chain there had been taken */
	uint64_t transferred; /* bytes of it that were, to or from the host */
	uint64_t written;     /* bytes of its device-writable part that were written */
};

/* What the driver was told of a console's port, and said of it. */
struct virtio_saved_port {
	bool added, ready, opened;
	uint32_t pending;
	uint16_t cols, rows; /* of its window, at the host's side */
	bool connected;      /* that side was open */
};

struct virtio_saved {
	uint8_t status;
	bool live; /* the machine was told that a driver is at work: virtio_host_ops.live() */
	uint64_t features, driver_features;
	uint32_t config_generation, interrupt_status;
	uint32_t queue_count;
	struct virtio_saved_queue queues[VIRTIO_SAVED_QUEUES];

	/* Of a console. */
	struct virtio_saved_port ports[VIRTIO_SAVED_PORTS];

	/* Of a disk. */
	bool mode_chosen, writeback;
	uint64_t capacity, capacity_max; /* sectors */
};

#endif
