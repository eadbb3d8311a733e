/* SPDX-License-Identifier: BSD-2-Clause */
#include "rng.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "container.h"

/* Bytes after which other devices have their turn. */
#define PASS_MAX (4 * VIRTIO_RNG_REQUEST_MAX)

static struct virtio_rng *rng_of(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_rng, dev);
}

/*
 * Random bytes into the chain, up to VIRTIO_RNG_REQUEST_MAX. How many, or a negative errno: then
 * the source gave nothing and nothing may be said to have been written.
 */
static ssize_t rng_fill(struct virtio_rng *rng, const struct chain *chain)
{
	uint64_t len = virtio_write_len(&rng->dev, 0, VIRTIO_RNG_REQUEST_MAX);
	unsigned count = chain_writable_slice(chain, 0, len, rng->slice);
	size_t filled = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct iovec *segment = &rng->slice[i];
		ssize_t got =
			rng->backend->ops->fill(rng->backend, segment->iov_base, segment->iov_len);

		/* What came before is good; whether the source is empty or broken, the next request
		 * will find out. */
		if (got < 0)
			return filled > 0 ? (ssize_t)filled : got;
		filled += got;
		/* The used length counts from the start without a gap (virtio 2.7.8.2). */
		if ((size_t)got < segment->iov_len)
			break;
	}
	return filled;
}

static bool rng_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_rng *rng = rng_of(dev);
	size_t bytes = 0;

	while (bytes < PASS_MAX) {
		ssize_t filled;

		if (!rng->waiting)
			rng->waiting = virtio_pop(dev, queue, &rng->chain);
		if (!rng->waiting)
			break;
		filled = rng_fill(rng, &rng->chain);
		if (filled == -EAGAIN)
			break;
		rng->waiting = false;
		if (filled < 0) {
			virtio_publish(dev, queue); /* what came before is good */
			virtio_fail(dev, "no random bytes from the host: %s", strerror(-filled));
			return false;
		}
		if (filled == 0)
			virtio_queue_mistake(dev, RULE_RNG_BUFFER, queue, rng->chain.readable_len,
				"buffer of %" PRIu64 " byte%s", rng->chain.readable_len,
				PLURAL(rng->chain.readable_len));
		virtio_push(dev, queue, &rng->chain, filled);
		bytes += filled;
	}
	virtio_publish(dev, queue);
	return bytes >= PASS_MAX;
}

static void rng_backend_ready(struct virtio_device *dev, unsigned backend)
{
	struct virtio_rng *rng = rng_of(dev);

	(void)backend;
	if (rng->waiting && virtio_queue_live(dev, 0) && rng_notified(dev, 0))
		virtio_kick(dev, 0);
}

static void rng_queue_stopped(struct virtio_device *dev, unsigned queue)
{
	(void)queue;
	rng_of(dev)->waiting = false;
}

static void rng_reset(struct virtio_device *dev)
{
	rng_of(dev)->waiting = false;
}

static const struct chain *rng_held(
	struct virtio_device *dev, unsigned queue, struct virtio_saved_queue *saved)
{
	(void)queue;
	(void)saved;
	return rng_of(dev)->waiting ? &rng_of(dev)->chain : NULL;
}

static int rng_take_held(
	struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved)
{
	struct virtio_rng *rng = rng_of(dev);

	(void)saved;
	rng->waiting = virtio_pop(dev, queue, &rng->chain);
	return rng->waiting ? 0 : -EINVAL;
}

static const struct virtio_ops rng_ops = {
	.name = "rng",
	.id = VIRTIO_ID_ENTROPY,
	.queue_size_max = 64,
	.notified = rng_notified,
	.backend_ready = rng_backend_ready,
	.reset = rng_reset,
	.queue_stopped = rng_queue_stopped,
	.held = rng_held,
	.take_held = rng_take_held,
};

int virtio_rng_init(struct virtio_rng *rng, struct rng_backend *backend, const struct gmem *gmem,
	const struct virtio_host_ops *host, void *ctx)
{
	*rng = (struct virtio_rng){.backend = backend};
	return virtio_init(&rng->dev, &rng_ops, 0, 1, gmem, host, ctx);
}
