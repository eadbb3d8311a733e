/* SPDX-License-Identifier: BSD-2-Clause */
#include "rng.h"

#include <string.h>

#include "container.h"

/*
 * Random bytes into the chain, up to VIRTIO_RNG_REQUEST_MAX. How many, or a negative errno: then
 * the source failed and nothing may be said to have been written.
 */
static ssize_t rng_fill(struct virtio_rng *rng, const struct chain *chain)
{
	unsigned count = iov_slice(
		chain->writable, chain->writable_count, 0, VIRTIO_RNG_REQUEST_MAX, rng->slice);
	size_t filled = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct iovec *segment = &rng->slice[i];
		ssize_t got =
			rng->backend->ops->fill(rng->backend, segment->iov_base, segment->iov_len);

		if (got < 0)
			return got;
		filled += got;
		/* The used length counts from the start without a gap (virtio 2.7.8.2). */
		if ((size_t)got < segment->iov_len)
			break;
	}
	return filled;
}

static bool rng_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_rng *rng = container_of(dev, struct virtio_rng, dev);
	struct chain chain;

	while (virtio_pop(dev, queue, &chain)) {
		ssize_t filled = rng_fill(rng, &chain);

		if (filled < 0) {
			virtio_fail(dev, "no random bytes from the host: %s", strerror(-filled));
			return false;
		}
		virtq_push(&dev->queues[queue], &chain, filled);
	}
	virtio_publish(dev, queue);
	return false;
}

static const struct virtio_ops rng_ops = {
	.name = "rng",
	.id = VIRTIO_ID_ENTROPY,
	.queue_size_max = 64,
	.notified = rng_notified,
};

int virtio_rng_init(struct virtio_rng *rng, struct rng_backend *backend, const struct gmem *gmem,
	const struct virtio_host_ops *host, void *ctx)
{
	rng->backend = backend;
	return virtio_init(&rng->dev, &rng_ops, 0, 1, gmem, host, ctx);
}
