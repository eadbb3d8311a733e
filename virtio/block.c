/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include <string.h>

#include <vole/virtio_blk.h>

#include "container.h"

#define QUEUE_SIZE VIRTQ_SIZE_MAX

/* Data segments of a request: a chain is bounded by the queue's size, of which header and status
 * take one descriptor each. Without SEG_MAX, Linux makes requests of one segment only. */
#define SEG_MAX (QUEUE_SIZE - 2)

/* What one request may ask for: so much that devices with a disk behind them have their turn before
 * long. Zeroes may have to be written; to discard costs little. */
#define ZEROES_SEG_MAX      8
#define ZEROES_SECTORS_MAX  2048
#define DISCARD_SEG_MAX     16
#define DISCARD_SECTORS_MAX 131072

/* Bytes after which other devices have their turn, though the queue may not be empty. */
#define PASS_BYTES (UINT64_C(16) << 20)

/*
 * A request being served: a header, data, and one byte of status, in two streams whose cut
 * into descriptors has no meaning (virtio 2.7.4.1). Data to be written to the disk follows
 * the header; data read from it precedes the status, which is the last byte that the device
 * writes (5.2.6).
 */
struct request {
	const struct chain *chain;
	uint32_t type;
	uint64_t sector;
	uint64_t room;    /* device-writable bytes before the status */
	uint64_t written; /* how many of them were written, from the first on */
};

/* A piece of a stream that moves to or from the disk. */
struct data {
	const struct iovec *iov;
	unsigned count;
	uint64_t offset, len; /* in bytes of the stream */
};

typedef ssize_t transfer_function(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset);

/* Move data, from this sector on, in as many steps as it takes. Bytes moved: all but on an error.
 */
static uint64_t transfer(
	struct virtio_block *blk, transfer_function *move, const struct data *data, uint64_t sector)
{
	uint64_t start = sector * VIRTIO_BLK_SECTOR_SIZE, done = 0;

	while (done < data->len) {
		unsigned count = iov_slice(
			data->iov, data->count, data->offset + done, data->len - done, blk->slice);
		ssize_t moved = move(blk->backend, blk->slice, count, start + done);

		if (moved <= 0)
			break;
		done += moved;
	}
	return done;
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

/* Whole sectors, all of them on the disk. In sectors and by subtraction, so that nothing wraps. */
static bool on_disk(const struct virtio_block *blk, uint64_t sector, uint64_t len)
{
	uint64_t capacity = blk->backend->capacity;

	return len % VIRTIO_BLK_SECTOR_SIZE == 0 && sector <= capacity &&
	       len / VIRTIO_BLK_SECTOR_SIZE <= capacity - sector;
}

static uint8_t request_flush(struct virtio_block *blk)
{
	return blk->backend->ops->flush(blk->backend) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t request_in(struct virtio_block *blk, struct request *request)
{
	const struct chain *chain = request->chain;
	struct data data = {chain->writable, chain->writable_count, 0, request->room};

	if (!on_disk(blk, request->sector, data.len))
		return VIRTIO_BLK_S_IOERR;
	request->written = transfer(blk, blk->backend->ops->read, &data, request->sector);
	return request->written == data.len ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static uint8_t request_out(struct virtio_block *blk, const struct request *request)
{
	const struct chain *chain = request->chain;
	const uint64_t header_len = sizeof(struct virtio_blk_req);
	struct data data = {chain->readable, chain->readable_count, header_len,
		chain->readable_len - header_len};

	if (blk->backend->read_only || !on_disk(blk, request->sector, data.len))
		return VIRTIO_BLK_S_IOERR;
	if (transfer(blk, blk->backend->ops->write, &data, request->sector) < data.len)
		return VIRTIO_BLK_S_IOERR;

	return writes_back(blk) ? VIRTIO_BLK_S_OK : request_flush(blk);
}

static uint8_t request_get_id(struct virtio_block *blk, struct request *request)
{
	size_t len = sizeof blk->backend->id;

	if (len > request->room)
		len = request->room;
	request->written = chain_write(request->chain, 0, blk->backend->id, len);
	return VIRTIO_BLK_S_OK;
}

/* --- ranges of sectors: discard, write zeroes ------------------------------------------------- */

/* One of the two types of request: what may be asked for. */
struct range_type {
	unsigned feature;
	uint32_t flags, seg_max, sectors_max;
};

static const struct range_type discard = {
	VIRTIO_BLK_F_DISCARD, 0, DISCARD_SEG_MAX, DISCARD_SECTORS_MAX};
static const struct range_type write_zeroes = {VIRTIO_BLK_F_WRITE_ZEROES,
	VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, ZEROES_SEG_MAX, ZEROES_SECTORS_MAX};

struct range {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* The request's segments, copied once. Their number, or 0 if there are none, or too many, or a
 * part of one. */
static unsigned ranges_read(const struct request *request, const struct range_type *type,
	struct range ranges[DISCARD_SEG_MAX])
{
	const uint64_t header_len = sizeof(struct virtio_blk_req);
	uint64_t len = request->chain->readable_len - header_len;
	struct virtio_blk_discard_write_zeroes segment;
	unsigned count = 0;

	if (len % sizeof segment != 0 || len / sizeof segment > type->seg_max)
		return 0;
	for (; count < len / sizeof segment; count++) {
		chain_read(request->chain, header_len + count * sizeof segment, &segment,
			sizeof segment);
		ranges[count] = (struct range){le64_to_cpu(segment.sector),
			le32_to_cpu(segment.num_sectors), le32_to_cpu(segment.flags)};
	}
	return count;
}

/* All of them before the first is touched: a flag that nobody knows spoils the whole request,
 * whatever else is wrong with it (virtio 5.2.6.2). */
static uint8_t ranges_judge(const struct virtio_block *blk, const struct range_type *type,
	const struct range *ranges, unsigned count)
{
	uint8_t status = VIRTIO_BLK_S_OK;

	for (unsigned i = 0; i < count; i++) {
		uint64_t len = (uint64_t)ranges[i].sectors * VIRTIO_BLK_SECTOR_SIZE;

		if (ranges[i].flags & ~type->flags)
			return VIRTIO_BLK_S_UNSUPP;
		if (ranges[i].sectors > type->sectors_max || !on_disk(blk, ranges[i].sector, len))
			status = VIRTIO_BLK_S_IOERR;
	}
	return status;
}

static int range_execute(
	struct virtio_block *blk, const struct range_type *type, const struct range *range)
{
	const struct block_backend_ops *ops = blk->backend->ops;
	uint64_t offset = range->sector * VIRTIO_BLK_SECTOR_SIZE;
	uint64_t len = (uint64_t)range->sectors * VIRTIO_BLK_SECTOR_SIZE;

	if (len == 0)
		return 0;
	if (type == &discard)
		return ops->discard(blk->backend, offset, len);
	return ops->write_zeroes(
		blk->backend, offset, len, range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
}

static uint8_t request_ranges(
	struct virtio_block *blk, const struct request *request, const struct range_type *type)
{
	struct range ranges[DISCARD_SEG_MAX];
	unsigned count;
	uint8_t status;

	if (!virtio_has_feature(&blk->dev, type->feature))
		return VIRTIO_BLK_S_UNSUPP;
	count = ranges_read(request, type, ranges);
	if (count == 0)
		return VIRTIO_BLK_S_IOERR;
	status = ranges_judge(blk, type, ranges, count);
	for (unsigned i = 0; i < count && status == VIRTIO_BLK_S_OK; i++)
		if (range_execute(blk, type, &ranges[i]) < 0)
			status = VIRTIO_BLK_S_IOERR;

	/* Zeroes are written; what was discarded is nothing that could get lost. */
	if (status == VIRTIO_BLK_S_OK && type == &write_zeroes && !writes_back(blk))
		status = request_flush(blk);
	return status;
}

/* --- requests --------------------------------------------------------------------------------- */

/* The value is the request's status. */
static uint8_t request_execute(struct virtio_block *blk, struct request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return request_in(blk, request);
	case VIRTIO_BLK_T_OUT:
		return request_out(blk, request);
	case VIRTIO_BLK_T_FLUSH:
		if (!virtio_has_feature(&blk->dev, VIRTIO_BLK_F_FLUSH))
			return VIRTIO_BLK_S_UNSUPP;
		return request_flush(blk);
	case VIRTIO_BLK_T_GET_ID:
		return request_get_id(blk, request);
	case VIRTIO_BLK_T_DISCARD:
		return request_ranges(blk, request, &discard);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return request_ranges(blk, request, &write_zeroes);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* Serve the request in chain. The value is the used length. */
static uint32_t chain_serve(struct virtio_block *blk, const struct chain *chain)
{
	struct virtio_blk_req header;
	struct request request;
	uint8_t status;

	/* Without a header there is nothing to do, without a status byte no way to answer. */
	if (chain->writable_len == 0 ||
		chain_read(chain, 0, &header, sizeof header) < sizeof header)
		return 0;

	request = (struct request){
		.chain = chain,
		.type = le32_to_cpu(header.type),
		.sector = le64_to_cpu(header.sector),
		.room = chain->writable_len - sizeof status,
	};
	status = request_execute(blk, &request);
	chain_write(chain, request.room, &status, sizeof status);

	/* The length promises that all before it was written (virtio 2.7.8.2), so the status counts
	 * only if no gap precedes it. */
	return request.written == request.room ? request.written + sizeof status : request.written;
}

static bool block_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_block *blk = container_of(dev, struct virtio_block, dev);
	uint64_t bytes = 0;
	struct chain chain;

	while (bytes < PASS_BYTES && virtio_pop(dev, queue, &chain)) {
		virtq_push(&dev->queues[queue], &chain, chain_serve(blk, &chain));
		bytes += chain.readable_len + chain.writable_len;
	}
	virtio_publish(dev, queue);
	return bytes >= PASS_BYTES;
}

static bool offers(const struct virtio_block *blk, unsigned feature)
{
	return blk->dev.features & VIRTIO_BIT(feature);
}

static void block_config_read(struct virtio_device *dev, uint8_t *bytes)
{
	const struct virtio_block *blk = container_of(dev, struct virtio_block, dev);
	struct virtio_blk_config config = {
		.capacity = cpu_to_le64(blk->backend->capacity),
		.seg_max = cpu_to_le32(SEG_MAX),
		.writeback = offers(blk, VIRTIO_BLK_F_CONFIG_WCE) && writes_back(blk),
	};

	if (offers(blk, VIRTIO_BLK_F_DISCARD)) {
		config.max_discard_sectors = cpu_to_le32(DISCARD_SECTORS_MAX);
		config.max_discard_seg = cpu_to_le32(DISCARD_SEG_MAX);
		config.discard_sector_alignment =
			cpu_to_le32(blk->backend->unit / VIRTIO_BLK_SECTOR_SIZE);
	}
	if (offers(blk, VIRTIO_BLK_F_WRITE_ZEROES)) {
		config.max_write_zeroes_sectors = cpu_to_le32(ZEROES_SECTORS_MAX);
		config.max_write_zeroes_seg = cpu_to_le32(ZEROES_SEG_MAX);
		config.write_zeroes_may_unmap = blk->backend->can_unmap;
	}
	memcpy(bytes, &config, sizeof config);
}

/* The one field that can be written, and only as a whole: an access that covers more than it is
 * none to it (virtio 4.2.2.2). */
static void block_config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	struct virtio_block *blk = container_of(dev, struct virtio_block, dev);

	if (offset != offsetof(struct virtio_blk_config, writeback) || len != 1 || *data > 1)
		return;
	if (!(dev->status & VIRTIO_STATUS_FEATURES_OK) ||
		!virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	blk->mode_chosen = true;
	blk->writeback = *data;
}

static void block_reset(struct virtio_device *dev)
{
	struct virtio_block *blk = container_of(dev, struct virtio_block, dev);

	blk->mode_chosen = false;
}

static const struct virtio_ops block_ops = {
	.name = "block",
	.id = VIRTIO_ID_BLOCK,
	.features = VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) |
		    VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE),
	.queue_size_max = QUEUE_SIZE,
	.config_len = sizeof(struct virtio_blk_config),
	.notified = block_notified,
	.reset = block_reset,
	.config_read = block_config_read,
	.config_write = block_config_write,
};

int virtio_block_init(struct virtio_block *blk, struct block_backend *backend,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx)
{
	uint64_t features = 0;

	if (backend->read_only)
		features |= VIRTIO_BIT(VIRTIO_BLK_F_RO);
	else
		features |= VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	if (!backend->read_only && backend->can_unmap)
		features |= VIRTIO_BIT(VIRTIO_BLK_F_DISCARD);

	*blk = (struct virtio_block){.backend = backend};
	return virtio_init(&blk->dev, &block_ops, features, 1, gmem, host, ctx);
}
