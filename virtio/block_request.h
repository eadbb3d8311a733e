/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BLOCK_REQUEST_H
#define VIRTIO_BLOCK_REQUEST_H

/*
 * One request of the block device (virtio 5.2.6): a header, data, and one byte of status, in two
 * streams whose cut into descriptors has no meaning (2.7.4.1). Data to be written to the disk
 * follows the header; data read from it precedes the status, which is the last byte that the device
 * writes.
 *
 * A request can be as large as 4 GiB, so it is served in steps, each within a budget, and others
 * have their turn in between.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backend.h"
#include "chain.h"
#include "virtq_state.h"

/* Limits of discard and write zeroes, so that a request is executed in one step. Those of write
 * zeroes are lower, because the zeroes may have to be written. */
#define BLOCK_DISCARD_SEG_MAX     16
#define BLOCK_DISCARD_SECTORS_MAX 131072
#define BLOCK_ZEROES_SEG_MAX      8
#define BLOCK_ZEROES_SECTORS_MAX  2048

struct virtio_device;

/* A request while it is served. */
struct block_request {
	unsigned queue; /* constant */
	bool active;    /* the other fields are valid */
	struct chain chain;
	uint32_t type;
	uint64_t sector;
	uint64_t data_len_max; /* device-writable bytes before the status */
	uint64_t transferred;  /* bytes of data, to or from the disk */
	uint64_t written;      /* device-writable bytes that were written, from the first on */
};

/* The disk as requests see it. Guarded by the device's lock. */
struct block_disk {
	struct virtio_device *dev;     /* not owned; it reports the driver's mistakes */
	struct block_backend *backend; /* not owned */
	uint64_t capacity;             /* sectors, as the driver sees it */
	uint64_t capacity_max;         /* the largest since reset: a driver may not know less */
	uint64_t features;             /* accepted by the driver */
	bool write_back;               /* writes may complete before they are stable (5.2.6.2) */
	struct iovec slice[VIRTQ_SIZE_MAX]; /* scratch: the segments transferred in one step */
};

/* Reads the header of request->chain, which was popped. Returns false (reported) if the chain has
 * no complete header, or no byte for a status: then the request cannot be answered. The device's
 * lock is held. */
bool block_request_begin(struct block_request *request, struct block_disk *disk);

/* Has a request that has just begun go on where it was when this much of it was transferred and
 * written. Returns false if it cannot have come so far. The device's lock is held. */
bool block_request_resume(struct block_request *request, uint64_t transferred, uint64_t written);

/* Returns whether a request that has just begun reads or writes some data, keeps all rules, and is
 * done once they are transferred. The device's lock is held. */
bool block_request_is_plain(const struct block_request *request, const struct block_disk *disk);

/* The data of such a request: their length in bytes, and their segments, which *out is set to, as
 * many as the chain has at most. The latter returns their number. */
uint64_t block_request_plain_len(const struct block_request *request);
unsigned block_request_plain_slice(const struct block_request *request, struct iovec *out);

/*
 * Continues the request for up to *budget bytes of data, at least 1, and subtracts from *budget
 * what was used; an operation that may take the host long uses up all of it. Returns true if the
 * request is done and its status written: then request->written is the used length. A request that
 * breaks a rule is reported (report.h). The device's lock is held.
 */
bool block_request_serve(struct block_request *request, struct block_disk *disk, uint64_t *budget);

#endif
