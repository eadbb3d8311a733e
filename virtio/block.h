/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BLOCK_H
#define VIRTIO_BLOCK_H

/*
 * Block device (virtio 5.2): read, write, flush, get-id. Offers FLUSH, and RO where the back end is
 * read-only. A driver that did not accept FLUSH gets every write on stable storage before it
 * completes (5.2.6.2). A request whose status byte can be found always gets a status; a host's I/O
 * error is the request's error and nothing else.
 */

#include "backend.h"
#include "virtio.h"

struct virtio_block {
	struct virtio_device dev;
	struct block_backend *backend;      /* not owned */
	struct iovec slice[VIRTQ_SIZE_MAX]; /* scratch: the data of the request being served */
};

/* 0, or -errno as virtio_init(). End with virtio_free(&blk->dev). */
int virtio_block_init(struct virtio_block *blk, struct block_backend *backend,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx);

#endif
