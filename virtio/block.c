/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "container.h"

#define QUEUE_SIZE VIRTQ_SIZE_MAX

/* Physical blocks that TOPOLOGY suggests for a request while chaos has it suggest any. */
#define OPT_IO_UNITS 8u

/* Bytes after which other devices have their turn, and the lock is free for a moment, be it in
 * the middle of a request. */
#define PASS_BYTES (UINT64_C(1) << 20)

/* The limit in bytes of a data segment that SIZE_MAX tells drivers. SEG_MAX tells them the number
 * of segments in a request, which the queue's size bounds: header and status take one descriptor
 * each. A request beyond that is served like any other. (Without SEG_MAX, Linux makes requests of
 * one segment only.) */
#define SEGMENT_LEN_MAX PASS_BYTES

static_assert(VIRTQ_SIZE_MAX * (VIRTQ_CHAIN_LEN_MAX / PASS_BYTES) <= VIRTIO_PASSES_MAX,
	"a queue's worth of requests");

static struct virtio_block *block_of(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_block, dev);
}

/*
 * Whether writes may complete before they are stable (virtio 5.2.6.2). A driver with CONFIG_WCE
 * chooses, at any time; until it does, and without CONFIG_WCE, one that can flush gets a write-back
 * cache, and one that cannot does not (5.2.5.2). Before features are agreed on this is what they
 * are likely to be.
 */
static bool writes_back(const struct virtio_block *blk)
{
	if (blk->mode_chosen)
		return blk->writeback;
	return !(blk->dev.status & VIRTIO_STATUS_FEATURES_OK) ||
	       virtio_has_feature(&blk->dev, VIRTIO_BLK_F_FLUSH);
}

/* --- queues ----------------------------------------------------------------------------------- */

/* Returns the number of queues: one without MQ (virtio 5.2.2). */
static unsigned block_queue_count(const struct virtio_device *dev)
{
	return virtio_has_feature(dev, VIRTIO_BLK_F_MQ) ? dev->queue_count : 1;
}

/* Returns whether there is a request to serve: the one that was begun, or else the next. */
static bool request_at_hand(
	struct virtio_device *dev, unsigned queue, struct block_request *request)
{
	while (!request->active && virtio_pop(dev, queue, &request->chain)) {
		request->active = block_request_begin(request, &block_of(dev)->disk);
		if (!request->active)
			virtio_push(dev, queue, &request->chain, 0);
	}
	return request->active;
}

/*
 * Moves the request at hand to the run, and those behind it that go on where it ends; the next one
 * is at hand then, if there is one. Returns false if that cannot be answered. Who watches the
 * device sees each request on its own, and so do chaos and a backend that wants it.
 */
static bool collect_run(
	struct virtio_device *dev, unsigned queue, struct block_request *request, uint64_t budget)
{
	struct virtio_block *blk = block_of(dev);
	bool was_begun = request->transferred > 0;

	blk->run.count = blk->run.segment_count = 0;
	blk->run.len = 0;
	if (was_begun || dev->chaos || dev->watched || blk->disk.backend->one_by_one ||
		!virtq_waits(&dev->queues[queue]))
		return true;
	while (block_run_add(&blk->run, request, &blk->disk, budget)) {
		request->active = false;
		if (!virtio_pop(dev, queue, &request->chain))
			return true;
		request->active = block_request_begin(request, &blk->disk);
		if (!request->active)
			return false;
	}
	return true;
}

/* They were taken from the queue, so that they are finished in this pass, also if the host did not
 * transfer all of them. */
static void serve_run(struct virtio_device *dev, unsigned queue, uint64_t *budget)
{
	struct virtio_block *blk = block_of(dev);

	block_run_transfer(&blk->run, &blk->disk, budget);
	for (unsigned i = 0; i < blk->run.count; i++) {
		struct block_request *request = &blk->run.requests[i];
		uint64_t left;

		do
			left = PASS_BYTES;
		while (!block_request_serve(request, &blk->disk, &left));
		virtio_push(dev, queue, &request->chain, (uint32_t)request->written);
	}
}

/* Serves the request at hand, and perhaps others. Returns whether it is done. */
static bool serve_at_hand(
	struct virtio_device *dev, unsigned queue, struct block_request *request, uint64_t *budget)
{
	struct virtio_block *blk = block_of(dev);
	bool can_be_answered = collect_run(dev, queue, request, *budget);

	if (blk->run.count > 0) {
		serve_run(dev, queue, budget);
		if (!can_be_answered)
			virtio_push(dev, queue, &request->chain, 0);
		return true;
	}
	if (!block_request_serve(request, &blk->disk, budget))
		return false;
	virtio_push(dev, queue, &request->chain, (uint32_t)request->written);
	request->active = false;
	return true;
}

static bool block_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_block *blk = block_of(dev);
	struct block_request *request = &blk->requests[queue];
	uint64_t budget = PASS_BYTES;

	blk->disk.features = dev->driver_features;
	blk->disk.write_back = writes_back(blk);

	/* The queue is looked at before the budget is: where nothing is left, nobody has to come
	 * back for it. */
	while (request_at_hand(dev, queue, request) && budget > 0)
		if (!serve_at_hand(dev, queue, request, &budget))
			break;
	virtio_publish(dev, queue);
	return request->active;
}

static void block_queue_stopped(struct virtio_device *dev, unsigned queue)
{
	block_of(dev)->requests[queue].active = false;
}

/* --- configuration and features --------------------------------------------------------------- */

static bool offers(const struct virtio_block *blk, unsigned feature)
{
	return blk->dev.features & VIRTIO_BIT(feature);
}

/* Returns the size of a logical block in bytes, as drivers are told it. */
static uint32_t logical_size(const struct virtio_block *blk)
{
	return offers(blk, VIRTIO_BLK_F_BLK_SIZE) ? blk->disk.backend->block_size
						  : VIRTIO_BLK_SECTOR_SIZE;
}

/* Returns log2 of the number of logical blocks in a physical block. */
static uint8_t unit_exponent(const struct virtio_block *blk)
{
	const struct block_backend *backend = blk->disk.backend;
	uint32_t unit = backend->unit > backend->block_size ? backend->unit : backend->block_size;
	uint8_t exponent = 0;

	while (logical_size(blk) << exponent < unit)
		exponent++;
	return exponent;
}

/* Returns the value of a configuration field: 0 if its feature is not offered (virtio 5.2.4). */
static le32 field_of(const struct virtio_block *blk, unsigned feature, uint32_t value)
{
	return cpu_to_le32(offers(blk, feature) ? value : 0);
}

/* Returns how many data segments a request without an indirect table can have, in each queue. */
static uint32_t segments_max(const struct virtio_block *blk)
{
	const struct virtio_device *dev = &blk->dev;
	unsigned size = QUEUE_SIZE;

	for (unsigned i = 0; dev->chaos && i < dev->queue_count; i++) {
		unsigned max = chaos_size_max(&dev->queues[i], QUEUE_SIZE, false);

		size = max < size ? max : size;
	}
	return size - 2;
}

static void block_config_read(struct virtio_device *dev, uint8_t *bytes)
{
	const struct virtio_block *blk = block_of(dev);
	const struct block_backend *backend = blk->disk.backend;
	uint8_t exponent = unit_exponent(blk);
	uint32_t unit = (logical_size(blk) << exponent) / VIRTIO_BLK_SECTOR_SIZE;
	struct virtio_blk_config config = {
		.capacity = cpu_to_le64(blk->disk.capacity),
		.size_max = field_of(blk, VIRTIO_BLK_F_SIZE_MAX, SEGMENT_LEN_MAX),
		.seg_max = field_of(blk, VIRTIO_BLK_F_SEG_MAX, segments_max(blk)),
		.blk_size = field_of(blk, VIRTIO_BLK_F_BLK_SIZE, backend->block_size),
		.writeback = offers(blk, VIRTIO_BLK_F_CONFIG_WCE) && writes_back(blk),
		.max_discard_sectors =
			field_of(blk, VIRTIO_BLK_F_DISCARD, BLOCK_DISCARD_SECTORS_MAX),
		.max_discard_seg = field_of(blk, VIRTIO_BLK_F_DISCARD, BLOCK_DISCARD_SEG_MAX),
		.discard_sector_alignment = field_of(blk, VIRTIO_BLK_F_DISCARD, unit),
		.max_write_zeroes_sectors =
			field_of(blk, VIRTIO_BLK_F_WRITE_ZEROES, BLOCK_ZEROES_SECTORS_MAX),
		.max_write_zeroes_seg =
			field_of(blk, VIRTIO_BLK_F_WRITE_ZEROES, BLOCK_ZEROES_SEG_MAX),
		.write_zeroes_may_unmap =
			offers(blk, VIRTIO_BLK_F_WRITE_ZEROES) && backend->can_unmap,
	};

	if (offers(blk, VIRTIO_BLK_F_TOPOLOGY)) {
		config.topology_physical_block_exp = exponent;
		config.topology_min_io_size = cpu_to_le16((uint16_t)(1u << exponent));
		config.topology_opt_io_size =
			cpu_to_le32(dev->config_hint % 2 ? OPT_IO_UNITS << exponent : 0);
	}
	if (offers(blk, VIRTIO_BLK_F_MQ))
		config.num_queues = cpu_to_le16((uint16_t)dev->queue_count);
	memcpy(bytes, &config, sizeof config);
}

/* Takes over a new size of the disk. Requests are validated against this copy, because the back end
 * may change its own at any time. */
static void block_config_changed(struct virtio_device *dev)
{
	struct virtio_block *blk = block_of(dev);

	blk->disk.capacity = blk->disk.backend->capacity;
	if (blk->disk.capacity > blk->disk.capacity_max)
		blk->disk.capacity_max = blk->disk.capacity;
}

/* Handles a write to writeback, the only writable field. A wider access, which covers other fields
 * as well, is ignored (virtio 4.2.2.2). */
static void block_config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	struct virtio_block *blk = block_of(dev);

	const uint32_t field = offsetof(struct virtio_blk_config, writeback);

	if (offset > field || offset + len <= field) {
		virtio_config_mistake(dev, RULE_CONFIG_READ_ONLY, offset, data, len);
		return;
	}
	if (offset != field || len != 1 || *data > 1 ||
		!(dev->status & VIRTIO_STATUS_FEATURES_OK) ||
		!virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE)) {
		virtio_config_mistake(dev, RULE_CONFIG_WRITEBACK, offset, data, len);
		return;
	}
	blk->mode_chosen = true;
	blk->writeback = *data;
}

static void block_reset(struct virtio_device *dev)
{
	struct virtio_block *blk = block_of(dev);

	blk->mode_chosen = false;
	blk->disk.capacity_max = blk->disk.capacity;
	for (unsigned i = 0; i < dev->queue_count; i++)
		blk->requests[i].active = false;
}

/* --- saving and restoring --------------------------------------------------------------------- */

static const struct chain *block_held(
	struct virtio_device *dev, unsigned queue, struct virtio_saved_queue *saved)
{
	const struct block_request *request = &block_of(dev)->requests[queue];

	if (!request->active)
		return NULL;
	saved->transferred = request->transferred;
	saved->written = request->written;
	return &request->chain;
}

static int block_take_held(
	struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved)
{
	struct block_request *request = &block_of(dev)->requests[queue];

	if (!virtio_pop(dev, queue, &request->chain) ||
		!block_request_begin(request, &block_of(dev)->disk) ||
		!block_request_resume(request, saved->transferred, saved->written))
		return -EINVAL;
	request->active = true;
	return 0;
}

static void block_save(const struct virtio_device *dev, struct virtio_saved *saved)
{
	const struct virtio_block *blk = container_of(dev, const struct virtio_block, dev);

	saved->mode_chosen = blk->mode_chosen;
	saved->writeback = blk->writeback;
	saved->capacity = blk->disk.capacity;
	saved->capacity_max = blk->disk.capacity_max;
}

static int block_restore(struct virtio_device *dev, const struct virtio_saved *saved)
{
	struct virtio_block *blk = block_of(dev);

	if (saved->capacity != blk->disk.capacity || saved->capacity_max < saved->capacity)
		return -EINVAL;
	blk->mode_chosen = saved->mode_chosen;
	blk->writeback = saved->writeback;
	blk->disk.capacity_max = saved->capacity_max;
	return 0;
}

/* Features that depend on the disk. */
#define RANGE_FEATURES (VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

static const struct virtio_ops block_ops = {
	.name = "block",
	.id = VIRTIO_ID_BLOCK,
	.features = BLOCK_CHOICES & ~RANGE_FEATURES,
	/* Not FLUSH, on which CONFIG_WCE depends (virtio 5.2.5.2). */
	.optional = BLOCK_CHOICES & ~VIRTIO_BIT(VIRTIO_BLK_F_FLUSH),
	.hint = VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY),
	.queue_size_max = QUEUE_SIZE,
	.config_len = sizeof(struct virtio_blk_config),
	.queue_count = block_queue_count,
	.notified = block_notified,
	.reset = block_reset,
	.queue_stopped = block_queue_stopped,
	.config_read = block_config_read,
	.config_changed = block_config_changed,
	.config_write = block_config_write,
	.held = block_held,
	.take_held = block_take_held,
	.save = block_save,
	.restore = block_restore,
};

int virtio_block_init(struct virtio_block *blk, struct block_backend *backend, unsigned queue_count,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx)
{
	uint64_t features = 0;

	assert(queue_count >= 1 && queue_count <= BLOCK_QUEUES_MAX);
	if (backend->read_only)
		features |= VIRTIO_BIT(VIRTIO_BLK_F_RO);
	else
		features |= VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	if (!backend->read_only && backend->can_unmap)
		features |= VIRTIO_BIT(VIRTIO_BLK_F_DISCARD);
	if (queue_count > 1)
		features |= VIRTIO_BIT(VIRTIO_BLK_F_MQ);
	*blk = (struct virtio_block){.disk = {
					     .dev = &blk->dev,
					     .backend = backend,
					     .capacity = backend->capacity,
					     .capacity_max = backend->capacity,
				     }};
	for (unsigned i = 0; i < queue_count; i++)
		blk->requests[i].queue = i;
	return virtio_init(&blk->dev, &block_ops, features, queue_count, gmem, host, ctx);
}

void virtio_block_mask(struct virtio_block *blk, uint64_t features)
{
	if (features & VIRTIO_BIT(VIRTIO_BLK_F_FLUSH))
		features |= VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE);
	blk->dev.features &= ~(features & BLOCK_CHOICES);
}
