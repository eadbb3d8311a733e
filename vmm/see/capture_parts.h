/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CAPTURE_PARTS_H
#define VMM_CAPTURE_PARTS_H

/* What the files of the view of captures share: capture_record.c, with what all records have,
 * capture_rings.c for the memory of queues, and capture.c for all else. */

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "see/capture_format.h"
#include "see/pcapng.h"
#include "see/ring_copy.h"
#include "see/views.h"

struct captured_queue {
	unsigned interface; /* number + 1; 0: it has none yet */
	struct ring_copy ring;
	uint64_t *numbers; /* epb_packetid of chains by their id; owned, NULL: none */
};

struct captured_device {
	unsigned interface;                 /* number + 1; 0: it has none yet */
	const struct virtio_device *virtio; /* NULL: none of its queues was ready */
	struct captured_queue queues[VIRTIO_QUEUES_MAX];
};

/* Addresses that are known to have been named last, by a hash of them. */
#define CAPTURE_NAMED 1024

struct capture_view {
	struct view view;
	const char *name; /* of the file, for messages */
	struct pcapng file;
	uint32_t snap;
	bool stores;
	uint64_t chains;            /* how many were numbered */
	unsigned machine_interface; /* number + 1, for what is of no device; 0: it has none yet */
	struct captured_device devices[DEVICE_COUNT];
	uint64_t named[CAPTURE_NAMED];

	/* The record that is being made. */
	struct pcapng_packet packet;
};

static inline struct captured_queue *captured_queue(
	struct capture_view *capture, const struct event *event, int queue)
{
	return &capture->devices[event->number].queues[queue];
}

/* Begins a record of an event, with its head; queue is EVENT_NO_QUEUE if it is about none. The
 * caller adds to what is returned, and ends it. */
struct bytes *capture_begin_record(struct capture_view *capture, const struct event *event,
	enum capture_kind kind, int queue, uint32_t direction);
void capture_end_record(struct capture_view *capture);

/* Adds the length and the text of the place of an event's instruction, "" if it has none. */
void capture_add_place(
	struct capture_view *capture, struct bytes *record, const struct event *event);

/* Captures the kernel's symbol of guest-physical memory that the next record names, unless there is
 * none, or that was done for this address not long ago. */
void capture_name(struct capture_view *capture, const struct event *event, uint64_t address);

/* Captures what has changed in a queue's areas before its next step is. */
void capture_look_at_ring(struct capture_view *capture, const struct event *event, int queue);

/* Captures a store to memory that is watched, to each queue that has some of it. */
void capture_store(struct capture_view *capture, const struct event *event);

/* Captures that a queue is ready or stopped, with its memory. */
void capture_queue_ready(struct capture_view *capture, const struct event *event);

/* Frees what is kept of queues. */
void capture_free_rings(struct capture_view *capture);

#endif
