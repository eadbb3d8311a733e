/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include "error.h"

#define STATUS_NONE 0xff /* no status that the specification knows: the device has not answered */

int block_init(struct block *blk, const struct device_map_entry *entry)
{
	const unsigned capacity = offsetof(struct virtio_blk_config, capacity);
	uint32_t generation, low, high;
	int error = mmio_begin(&blk->dev, entry, VIRTIO_ID_BLOCK,
		FEATURE(VIRTIO_BLK_F_RO) | FEATURE(VIRTIO_BLK_F_FLUSH));

	if (!error)
		error = mmio_queue(&blk->dev, 0, &blk->vq);
	if (error)
		return error;
	blk->read_only = mmio_has_feature(&blk->dev, VIRTIO_BLK_F_RO);
	blk->can_flush = mmio_has_feature(&blk->dev, VIRTIO_BLK_F_FLUSH);

	/* 64 bits in two halves: a disk that grows between the two reads would get a size that it
	 * never had. */
	do {
		generation = mmio_config_generation(&blk->dev);
		low = mmio_config32(&blk->dev, capacity);
		high = mmio_config32(&blk->dev, capacity + 4);
	} while (generation != mmio_config_generation(&blk->dev));
	blk->capacity = (uint64_t)high << 32 | low;

	return mmio_ready(&blk->dev);
}

int block_submit(struct block *blk, struct block_request *request, uint32_t type, uint64_t sector,
	void *data, size_t len)
{
	struct virtq_buffer header = {&request->header, sizeof(request->header)};
	struct virtq_buffer body = {data, len};
	struct virtq_buffer status = {&request->status, sizeof(request->status)};

	request->header = (struct virtio_blk_req){
		.type = cpu_to_le32(type),
		.sector = cpu_to_le64(sector),
	};
	request->status = STATUS_NONE;
	request->done = false;

	/* All that the device reads comes before all that it writes (virtio 2.7.4.2). */
	if (!len)
		return virtq_add(&blk->vq, (struct virtq_buffer[]){header, status}, 1, 1, request);
	if (type == VIRTIO_BLK_T_OUT)
		return virtq_add(
			&blk->vq, (struct virtq_buffer[]){header, body, status}, 2, 1, request);
	return virtq_add(&blk->vq, (struct virtq_buffer[]){header, body, status}, 1, 2, request);
}

int block_wait(struct block *blk, struct block_request *request)
{
	while (!request->done) {
		uint32_t written;
		int error = virtq_wait(&blk->vq);
		/* The device may finish requests in any order, so this need not be ours. */
		struct block_request *finished = virtq_take(&blk->vq, &written);

		if (finished)
			finished->done = true;
		else if (error)
			return error;
	}
	switch (request->status) {
	case VIRTIO_BLK_S_OK:
		return 0;
	case VIRTIO_BLK_S_UNSUPP:
		return -ENOTSUP;
	default:
		return -EIO;
	}
}

static int transfer(struct block *blk, uint32_t type, uint64_t sector, void *data, size_t len)
{
	struct block_request request;
	int error = block_submit(blk, &request, type, sector, data, len);

	if (error)
		return error;
	virtq_kick(&blk->vq);
	return block_wait(blk, &request);
}

int block_read(struct block *blk, uint64_t sector, void *data, unsigned count)
{
	return transfer(blk, VIRTIO_BLK_T_IN, sector, data, count * VIRTIO_BLK_SECTOR_SIZE);
}

int block_write(struct block *blk, uint64_t sector, const void *data, unsigned count)
{
	return transfer(
		blk, VIRTIO_BLK_T_OUT, sector, (void *)data, count * VIRTIO_BLK_SECTOR_SIZE);
}

int block_flush(struct block *blk)
{
	if (!blk->can_flush)
		return -ENOTSUP;
	return transfer(blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0);
}

int block_id(struct block *blk, char id[VIRTIO_BLK_ID_BYTES + 1])
{
	/* An id of full length has no terminator (virtio 5.2.6). */
	id[VIRTIO_BLK_ID_BYTES] = '\0';
	return transfer(blk, VIRTIO_BLK_T_GET_ID, 0, id, VIRTIO_BLK_ID_BYTES);
}
