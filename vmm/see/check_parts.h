/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECK_PARTS_H
#define VMM_CHECK_PARTS_H

/*
 * The parts of the referee, for check*.c alone. check.c hands events to them:
 *
 *	check_status.c		Status, features, interrupts
 *	check_config.c		configuration space
 *	check_setup.c		registers of queues, and kicks
 *	check_areas.c		where the areas of queues are
 *	check_ring.c		what drivers write to rings besides chains
 *	check_memory.c		loads and stores of CPUs
 *	check_hang.c		what waits for a second
 *	check_chain.c		chains that the device owns
 *	check_request.c		what requests ask of devices
 */

#include "see/check_state.h"

void check_status_access(struct check *check, const struct event *event);
void check_config_access(struct check *check, const struct event *event);
void check_setup_access(struct check *check, const struct event *event);

/* A queue has become ready. */
void check_areas_ready(struct check *check, const struct event *event);
void check_ring_ready(struct check *check, const struct event *event);

/* The areas of a queue, which is ready. */
struct check_area {
	gpa_t at;
	uint64_t len; /* bytes */
	const char *name;
};
enum { CHECK_DESCRIPTORS, CHECK_DRIVER_AREA, CHECK_DEVICE_AREA, CHECK_AREAS };

void check_areas(const struct virtio_device *device, const struct virtq *vq,
	struct check_area areas[CHECK_AREAS]);

/* Returns whether guest memory overlaps an area of a queue of the device that is ready. */
bool check_is_in_areas(const struct virtio_device *device, gpa_t at, uint64_t len);

/* The hang watch: a device tells of a step, or the machine was looked at. */
void check_hang_step(struct check *check, const struct event *event);
void check_hang_look(struct check *check, const struct event *event);

/* A CPU has accessed memory that is watched. */
void check_memory_access(struct check *check, const struct event *event);

/* Looks at a queue, which is ready: the device has told of something about it, or was kicked. */
void check_ring_look(struct check *check, const struct event *event, unsigned queue);

/* The device has finished with a queue for now: what is in its areas is remembered. */
void check_ring_left(struct check *check, const struct event *event, unsigned queue);

/* A chain was taken, or given back; and the driver can see all that were given back so far. */
void check_chain_taken(struct check *check, const struct event *event);
void check_chain_used(struct check *check, const struct event *event);
void check_chain_seen(struct check *check, const struct event *event, unsigned queue);
void check_request(struct check *check, const struct event *event);

/* Forgets the queue, which was stopped. */
void check_queue_forget(struct check_queue *queue);

#endif
