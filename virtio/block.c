/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include <string.h>

#include <vole/virtio_blk.h>

#include "container.h"

#define QUEUE_SIZE VIRTQ_SIZE_MAX

/* Data segments of a request: a chain is bounded by the queue's size, of which header and status
 * take one descriptor each. Without SEG_MAX, Linux makes requests of one segment only. */
#define SEG_MAX (QUEUE_SIZE - 2)

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
	const struct virtio_blk_config config = {
		.capacity = cpu_to_le64(blk->backend->capacity),
		.seg_max = cpu_to_le32(SEG_MAX),
		.writeback = offers(blk, VIRTIO_BLK_F_CONFIG_WCE) && writes_back(blk),
	};

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
	.queue_count = 1,
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
	uint64_t features = backend->read_only ? VIRTIO_BIT(VIRTIO_BLK_F_RO) : 0;

	*blk = (struct virtio_block){.backend = backend};
	return virtio_init(&blk->dev, &block_ops, features, gmem, host, ctx);
}
