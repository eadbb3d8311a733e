/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TRACE_PARTS_H
#define VMM_TRACE_PARTS_H

/*
 * The parts of the view of --trace: trace.c has the view and what CPUs do, trace_device.c the
 * tracks and what devices with their queues do.
 */

#include "layout.h"
#include "options.h"
#include "see/text.h"
#include "see/trace_file.h"
#include "see/views.h"

/* A request in flight: its own track, which the next request takes over. */
struct lane {
	trace_track track;
	bool is_taken;
	uint16_t id; /* of the chain */
};

struct traced_queue {
	trace_track requests; /* the parent of the lanes' tracks */
	struct lane lanes[VIRTQ_SIZE_MAX];
	uint64_t flow;       /* of the last kick, or of what the device does by itself; 0: none */
	bool is_serving;     /* a slice is open */
	bool is_interrupted; /* the flow goes on to the acknowledgement */
};

struct traced_device {
	trace_track track;
	bool is_at_host; /* a slice is open */
	struct traced_queue queues[VIRTIO_QUEUES_MAX];
};

struct traced_cpu {
	trace_track track;
	bool is_in_guest; /* a slice is open */
	unsigned depth;   /* slices of exits that are open */
};

struct trace_view {
	struct view view;
	const char *path;
	struct trace_file file;
	struct text text;
	uint64_t flows;   /* how many began */
	uint64_t last_ns; /* of the last event */
	struct traced_cpu cpus[CPUS_MAX];
	struct traced_device devices[DEVICE_COUNT];
};

/* Returns a CPU's part, whose track is described. */
struct traced_cpu *trace_cpu(struct trace_view *trace, const struct event *event);

/* Shows a step of a device. */
void trace_step(struct trace_view *trace, const struct event *event);

/* Ends the slices and flows of all devices, at the end of the machine. */
void trace_end_devices(struct trace_view *trace);

#endif
