/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECK_STATE_H
#define VMM_CHECK_STATE_H

/*
 * What the referee (check.h) remembers of each device, for check*.c alone. Everything is guarded by
 * the lock of views; the device's lock is held as well.
 */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/uio.h>

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>
#include <vole/virtio_ring.h>

#include "chain.h"
#include "inspect.h"
#include "layout.h"
#include "see/check_rules.h"
#include "see/event.h"
#include "see/text.h"
#include "see/views.h"
#include "virtio.h"

/* A chain that the device has taken and not given back yet. */
struct check_chain {
	struct check_chain *next;
	uint16_t id;
	bool is_used; /* it was given back, but the driver may not see that yet */

	/* A split queue's: copies of its descriptors, in the order of the chain, and where they are
	 * in the table. */
	unsigned desc_count;
	struct virtq_desc descs[VIRTQ_SIZE_MAX];
	uint16_t indices[VIRTQ_SIZE_MAX];

	/* What the device reads: the first bytes as they were, and a digest of all. */
	size_t header_len; /* bytes */
	uint8_t header[16];
	uint64_t digest;

	/* Host segments: the ones that the device writes come last. */
	unsigned segment_count, readable_count;
	struct iovec segments[];
};

/* Bits of check_queue.done, since the device or the queue was reset. */
#define CHECK_DONE_SIZE_MAX 0x01u /* QueueSizeMax was read */
#define CHECK_DONE_READY    0x02u /* QueueReady was read */
#define CHECK_OWES_STOP     0x04u /* QueueReady was set to 0 and not read since */
#define CHECK_OWES_RESET    0x08u /* QueueReset was set to 1 and not read since */
#define CHECK_WAS_RESET     0x10u /* by QueueReset */
#define CHECK_DONE_ADDRESS  0x20u /* and the next five bits: an address register was written */
#define CHECK_ADDRESSES     0x7e0u

struct check_queue {
	unsigned done;
	uint16_t index;            /* the available ring's, when it was looked at last */
	uint16_t used_event_first; /* as it was when the queue became ready */

	/* The used ring as the device left it, when it had given back this many chains. */
	bool has_copy;
	uint16_t copy_used;
	struct virtq_used_elem copy[VIRTQ_SIZE_MAX];

	struct check_chain *chains;      /* in flight */
	uint16_t owners[VIRTQ_SIZE_MAX]; /* of each descriptor of a split queue: the head of its
					  * chain, and 1; 0: the driver's */

	/* The CPU that has made something available last, and has not looked since whether to kick;
	 * EVENT_NO_CPU: none. And check.orders of it then. */
	int published_by;
	unsigned orders;

	/* For the hang watch. Of a split queue: the used ring's index when a CPU looked at it last,
	 * and when the device interrupted for it last. */
	bool owes_look; /* the device was kicked, or wants to look again, and has not looked yet */
	uint16_t loaded_used, interrupted_used;

	unsigned kicks, unasked;  /* since the queue became ready */
	uint16_t kicked_index;    /* the available index at the last one */
	struct place kicked_from; /* or no text */
};

/* CPUs whose reads of InterruptStatus are told apart; those with higher numbers share. */
#define CHECK_CPUS 64

#define CHECK_READ_MAGIC   1u
#define CHECK_READ_VERSION 2u
#define CHECK_READ_ID      4u
#define CHECK_READ_ALL     7u

/* What a driver has done since it reset the device. */
struct check_session {
	bool owes_read_back; /* FEATURES_OK was written, and Status not read since */
	bool device_selected, driver_selected;
	unsigned words_read;       /* of DeviceFeatures, a bit each */
	bool status_read;          /* InterruptStatus, by any CPU, since the last acknowledgement */
	uint8_t shown[CHECK_CPUS]; /* what each CPU has read there, but for what was acknowledged
				    * since */

	/* A field of 64 bits that is being read in halves: check_config.c. */
	bool generation_read;
	unsigned halves;          /* read: bit 0 the lower one, bit 1 the upper one */
	int halves_by;            /* the CPU; what others read meanwhile is not looked at */
	bool halves_are_guarded;  /* ConfigGeneration had been read before */
	struct place halves_from; /* where the last one was read, or no text */
};

/* What the hang watch has seen of a device when something began to wait there. */
struct check_hang {
	bool is_waiting; /* else the rest is not valid */
	bool is_unacknowledged;
	uint64_t since_ns;
	unsigned steps;
	struct virtio_view view;
	uint64_t host_ns[CHECK_CPUS]; /* of each CPU: cpu_state.host_ns */
};

struct check_device {
	const struct virtio_device *device; /* NULL: nothing has happened to it yet */
	uint64_t told;                      /* rules that it broke, a bit each */
	unsigned identified;                /* CHECK_READ_ bits */
	bool was_reset;

	struct check_queue queues[VIRTIO_QUEUES_MAX];

	unsigned steps; /* of the driver and the device, but for reads of registers */
	struct check_hang hang;

	/* Since the last reset. */
	struct check_session session;
};

struct check {
	struct view view;
	bool sees_stores, fatal;
	uint64_t broken;             /* rules that any device's driver broke, a bit each */
	unsigned orders[CHECK_CPUS]; /* accesses of each CPU to rings before which it had executed
				      * a barrier: event_access.is_ordered */
	uint64_t refused;            /* the same of rules whose breach devices refuse (report.h) */
	struct text text;            /* the line that is being made */
	struct check_device devices[DEVICE_COUNT];
};

static inline struct check_device *check_device(struct check *check, const struct event *event)
{
	return &check->devices[event->number];
}

/* Loads a word of a ring. */
static inline uint16_t check_load(const le16_atomic *from)
{
	return VOLE_SWAP16(atomic_load_explicit(&from->raw, memory_order_relaxed));
}

#endif
