/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BLOCK_H
#define VIRTIO_BLOCK_H

/*
 * Block device (virtio 5.2): read, write, flush, write zeroes, discard, get-id. Offers SIZE_MAX,
 * SEG_MAX, BLK_SIZE, FLUSH, TOPOLOGY, CONFIG_WCE; MQ with several queues; RO where the back end is
 * read-only, else WRITE_ZEROES, and DISCARD where storage can be given back.
 *
 * With a write-back cache, writes are on stable storage after the next flush; with write-through,
 * each one is before it completes. A driver with CONFIG_WCE can choose; else those that accepted
 * FLUSH get the first, the others the second (5.2.6.2). A request whose status byte can be found
 * always gets a status; a host's I/O error is the request's error and nothing else.
 */

#include <vole/virtio_blk.h>

#include "backend.h"
#include "block_request.h"
#include "block_run.h"
#include "virtio.h"

#define BLOCK_QUEUES_MAX 8

/* The features of a disk that virtio_block_mask() can remove. */
#define BLOCK_CHOICES                                                                     \
	(VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) |           \
		VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) | VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) |      \
		VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY) | VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE) | \
		VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

struct virtio_block {
	struct virtio_device dev;
	struct block_disk disk;
	bool mode_chosen, writeback;                     /* by the driver, since the last reset */
	struct block_request requests[BLOCK_QUEUES_MAX]; /* by queue: the one being served */
	struct block_run run;                            /* scratch: served along with it */
};

/* Makes a block device with queue_count queues, 1 to BLOCK_QUEUES_MAX. Returns 0, or -errno as
 * virtio_init(). The caller ends it with virtio_free(&blk->dev). */
int virtio_block_init(struct virtio_block *blk, struct block_backend *backend, unsigned queue_count,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx);

/* Removes features from those that the device offers: only ones in BLOCK_CHOICES, and CONFIG_WCE
 * along with FLUSH (virtio 5.2.5.2). Called before the first access of a driver. */
void virtio_block_mask(struct virtio_block *blk, uint64_t features);

#endif
