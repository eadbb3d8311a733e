/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

/*
 * Entropy device (virtio 5.4): fills buffers with random bytes. Work per request is bounded by
 * VIRTIO_RNG_REQUEST_MAX, which the specification permits (5.4.6.2): the used length tells. A
 * request that finds the source empty waits for it; those behind it stay in the queue.
 */

#include <vole/virtio_rng.h>

#include "backend.h"
#include "virtio.h"

struct virtio_rng {
	struct virtio_device dev;
	struct rng_backend *backend; /* not owned */

	/* Guarded by dev.lock. */
	bool waiting; /* chain is a request that found the source empty */
	struct chain chain;
	struct iovec slice[VIRTQ_SIZE_MAX]; /* scratch: segments of a request to fill */
};

/* Makes an entropy device. Returns 0, or -errno as virtio_init(). The caller ends it with
 * virtio_free(&rng->dev). */
int virtio_rng_init(struct virtio_rng *rng, struct rng_backend *backend, const struct gmem *gmem,
	const struct virtio_host_ops *host, void *ctx);

#endif
