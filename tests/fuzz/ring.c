/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring alone, of the form that was negotiated: a device that takes every chain, looks at all that
 * the ring says of it, writes every byte that it may, and gives it back.
 */
#include <assert.h>
#include <string.h>

#include "device.h"

struct fuzz_ring {
	struct device_run run;
	struct virtio_device dev;
};

/* Every segment lies in guest memory, a writable one in RAM, and their sum is the chain's length.
 */
static void check_segments(
	struct fuzz_ring *f, const struct iovec *iov, unsigned count, uint64_t len, uint64_t memory)
{
	const uint8_t *base = f->run.driver.ram.bytes;
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = iov[i].iov_base;

		assert(at >= base && iov[i].iov_len > 0);
		assert((size_t)(at - base) < memory &&
			iov[i].iov_len <= memory - (size_t)(at - base));
		sum += iov[i].iov_len;
	}
	assert(sum == len && sum <= UINT64_C(1) << 32);
}

static bool notified(struct virtio_device *dev, unsigned queue)
{
	struct fuzz_ring *f = (struct fuzz_ring *)dev->ctx;
	unsigned steps = 0;
	struct chain chain;

	struct input *in = &f->run.meanwhile;
	unsigned taken = 0; /* in the ring's slots or entries, since it was published */

	while (virtio_pop(dev, queue, &chain)) {
		assert(++steps <= VIRTQ_SIZE_MAX);
		taken += chain.slots > 0 ? chain.slots : 1;
		assert(taken <= dev->queues[queue].size);
		check_segments(f, chain.readable, chain.readable_count, chain.readable_len,
			DEVICE_RAM + DEVICE_ROM);
		check_segments(
			f, chain.writable, chain.writable_count, chain.writable_len, DEVICE_RAM);
		assert(chain.readable_count + chain.writable_count <= VIRTQ_SIZE_MAX);
		for (unsigned i = 0; i < chain.writable_count; i++)
			memset(chain.writable[i].iov_base, (int)take(in, 1),
				chain.writable[i].iov_len);
		device_meddle(&f->run);
		virtq_push(&dev->queues[queue], &chain, (uint32_t)chain.writable_len);
		if (take(in, 1) % 4 == 1) {
			virtio_publish(dev, queue);
			taken = 0;
		}
	}
	virtio_publish(dev, queue);
	return false;
}

static void raise_interrupt(void *ctx)
{
	driver_host_ops.raise(&((struct fuzz_ring *)ctx)->run.driver.host);
}

static void note_kick(void *ctx, unsigned queue)
{
	driver_host_ops.kick(&((struct fuzz_ring *)ctx)->run.driver.host, queue);
}

static int go_live(void *ctx, bool live)
{
	return driver_host_ops.live(&((struct fuzz_ring *)ctx)->run.driver.host, live);
}

static void report(void *ctx, const struct virtio_report *report)
{
	driver_host_ops.report(&((struct fuzz_ring *)ctx)->run.driver.host, report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct virtio_host_ops host_ops = {
		.raise = raise_interrupt,
		.kick = note_kick,
		.live = go_live,
		.report = report,
	};
	static const struct virtio_ops ops = {
		.name = "ring",
		.id = 42,
		.queue_size_max = VIRTQ_SIZE_MAX,
		.notified = notified,
	};
	static struct fuzz_ring f;

	device_begin(&f.run, data, size);
	virtio_init(&f.dev, &ops, 0, 2, &f.run.driver.ram.gmem, &host_ops, &f);
	device_end(&f.run, &f.dev);
	return 0;
}
