/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_BLOCK_H
#define GUEST_BLOCK_H

/*
 * Driver of the block device (virtio 5.2). One CPU at a time.
 *
 * block_read() and the like wait until they are done. To have many requests under way at once,
 * use what they are made of: block_submit() for each, block_kick(), then block_wait() for each.
 *
 * What a disk can do besides reading and writing is up to the device; block_init() finds out, and
 * the fields of struct block say. What is not there is -ENOTSUP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/start_info.h>
#include <vole/virtio_blk.h>

#include "virtq.h"

#define BLOCK_QUEUES_MAX 4 /* more than these are not used */

/* How much a request of one of the types may ask for. */
struct block_limits {
	uint32_t segments; /* ranges of sectors; 0: the device has no such requests */
	uint32_t sectors;  /* in a range */
};

struct block {
	struct mmio dev;
	struct virtq queues[BLOCK_QUEUES_MAX];
	unsigned queue_count;
	unsigned queue; /* where block_submit() puts requests: 0 at first, the user may change it */

	uint64_t capacity; /* sectors; see block_look_again() */
	unsigned changes;  /* of dev.changes, those that are known in capacity */
	uint32_t len_max;  /* bytes of data in one piece; a multiple of a sector */
	uint32_t block;    /* bytes: what the disk likes to be read and written in */
	uint32_t unit;     /* bytes: what it handles as a whole inside */
	bool read_only;
	bool can_flush;
	bool can_choose; /* block_set_write_back() */
	struct block_limits discard, zero;
};

/* One request: the driver's until block_submit(), the device's until done. */
struct block_request {
	struct virtio_blk_req header; /* the device reads it */
	uint8_t status;               /* the device writes it: VIRTIO_BLK_S_ */
	bool done;
	struct virtq *vq; /* where it is under way */
};

/* Bring the device up. 0, or a negative number of error.h, said why. */
int block_init(struct block *blk, const struct device_map_entry *entry);

/*
 * count sectors from or to data, wait. 0, or -EIO; nothing is checked here that the device has to
 * check. A write is safe from the host's failure only after a block_flush(), unless the device
 * writes through.
 */
int block_read(struct block *blk, uint64_t sector, void *data, unsigned count);
int block_write(struct block *blk, uint64_t sector, const void *data, unsigned count);

/* Everything written before is on stable storage when this returns 0. -EIO; -ENOTSUP if the device
 * cannot: then every write is stable as it is (virtio 5.2.6.2). */
int block_flush(struct block *blk);

/* Whether writes may wait in a cache for the next flush; and have it so, or have each of those
 * to come be stable when it is done. 0, or -ENOTSUP if the device does not let us choose. */
bool block_writes_back(const struct block *blk);
int block_set_write_back(struct block *blk, bool on);

/*
 * Have count sectors read as zeroes; with unmap, the disk need not keep storage for them. Discard:
 * nobody needs what is there, and it may read as anything from now on. As many requests as the
 * device's limits make of it. 0, -EIO, or -ENOTSUP.
 */
int block_zero(struct block *blk, uint64_t sector, uint64_t count, bool unmap);
int block_discard(struct block *blk, uint64_t sector, uint64_t count);

/* If the device has told of a change since, read the capacity again. True if it is another. */
bool block_look_again(struct block *blk);

/* The disk's name, NUL-terminated. 0, -EIO, -ENOTSUP. */
int block_id(struct block *blk, char id[VIRTIO_BLK_ID_BYTES + 1]);

/*
 * Start a request of a VIRTIO_BLK_T_ type, with len bytes of data: read by the device if type is
 * VIRTIO_BLK_T_OUT, or DISCARD or WRITE_ZEROES, whose data are struct
 * virtio_blk_discard_write_zeroes; else written. The device hears of it by block_kick(). 0, or
 * -ENOSPC if too many are under way in this queue.
 */
int block_submit(struct block *blk, struct block_request *request, uint32_t type, uint64_t sector,
	void *data, size_t len);
void block_kick(struct block *blk);

/* Wait for one request, marking others of its queue done that are. 0, -EIO, -ENOTSUP, by its
 * status; -EIO also if the device has failed. */
int block_wait(struct block_request *request);

#endif
