/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BLOCK_RUN_H
#define VIRTIO_BLOCK_RUN_H

/*
 * Reads, or writes, of one queue that lie one behind the other on the disk, in the order in which
 * they were made available: the host transfers them at once, by one preadv(2) or pwritev(2).
 *
 * A run belongs to the thread that serves the disk, which has the device's lock, and is empty when
 * that is released for others to have their turn.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "block_request.h"
#include "virtq_state.h"

/* Requests in a run at most. */
#define BLOCK_RUN_MAX 64

struct block_run {
	unsigned count;
	struct block_request requests[BLOCK_RUN_MAX];
	uint64_t len;                          /* bytes of data of all of them */
	struct iovec segments[VIRTQ_SIZE_MAX]; /* of their chains: the queue keeps those of one */
	unsigned segment_count;
};

/* Adds a request that has just begun, unless it does not go on where the run ends, is more than a
 * plain transfer, breaks a rule, or makes the run too long: more than budget bytes, or than there
 * is room for. Returns whether it did; then the run has a copy of its own. */
bool block_run_add(struct block_run *run, const struct block_request *request,
	const struct block_disk *disk, uint64_t budget);

/* Has the host transfer the data, and subtracts from *budget what was used. What the host did not
 * take, because of an error as well, is left to block_request_serve(). The run is not empty. */
void block_run_transfer(struct block_run *run, struct block_disk *disk, uint64_t *budget);

#endif
