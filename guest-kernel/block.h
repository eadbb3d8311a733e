/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_BLOCK_H
#define GUEST_BLOCK_H

/*
 * Driver of the block device (virtio 5.2). One CPU at a time.
 *
 * block_read() and the like wait until they are done. To have many requests under way at once,
 * use what they are made of: block_submit() for each, then block_wait() for each.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/start_info.h>
#include <vole/virtio_blk.h>

#include "virtq.h"

struct block {
	struct mmio dev;
	struct virtq vq;
	uint64_t capacity; /* sectors */
	bool read_only;
	bool can_flush;
};

/* One request: the driver's until block_submit(), the device's until done. */
struct block_request {
	struct virtio_blk_req header; /* the device reads it */
	uint8_t status;               /* the device writes it: VIRTIO_BLK_S_ */
	bool done;
};

/* Bring the device up. 0, or a negative number of error.h, said why. */
int block_init(struct block *blk, const struct device_map_entry *entry);

/*
 * count sectors from or to data, wait. 0, or -EIO; nothing is checked here that the device has to
 * check. A write is safe from the host's failure only after a block_flush().
 */
int block_read(struct block *blk, uint64_t sector, void *data, unsigned count);
int block_write(struct block *blk, uint64_t sector, const void *data, unsigned count);

/* Everything written before is on stable storage when this returns 0. -EIO; -ENOTSUP if the device
 * cannot: then every write is stable as it is (virtio 5.2.6.2). */
int block_flush(struct block *blk);

/* The disk's name, NUL-terminated. 0, -EIO, -ENOTSUP. */
int block_id(struct block *blk, char id[VIRTIO_BLK_ID_BYTES + 1]);

/*
 * Start a request of a VIRTIO_BLK_T_ type, with len bytes of data: read by the device if type is
 * VIRTIO_BLK_T_OUT, else written. The device is not kicked, see virtq_kick(&blk->vq). 0, or -ENOSPC
 * if too many are under way.
 */
int block_submit(struct block *blk, struct block_request *request, uint32_t type, uint64_t sector,
	void *data, size_t len);

/* Wait for one request, marking others done that are. 0, -EIO, -ENOTSUP, by its status; -EIO also
 * if the device has failed. */
int block_wait(struct block *blk, struct block_request *request);

#endif
