/* SPDX-License-Identifier: BSD-2-Clause */
#include "block.h"

#include "error.h"

#define STATUS_NONE 0xff /* no status that the specification knows: the device has not answered */

/* What we know what to do with. */
#define FEATURES                                                                  \
	(FEATURE(VIRTIO_BLK_F_RO) | FEATURE(VIRTIO_BLK_F_SIZE_MAX) |              \
		FEATURE(VIRTIO_BLK_F_BLK_SIZE) | FEATURE(VIRTIO_BLK_F_TOPOLOGY) | \
		FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_BLK_F_CONFIG_WCE) |  \
		FEATURE(VIRTIO_BLK_F_MQ) | FEATURE(VIRTIO_BLK_F_DISCARD) |        \
		FEATURE(VIRTIO_BLK_F_WRITE_ZEROES))

#define SEGMENTS_MAX 16 /* of our requests */

#define FIELD(name) offsetof(struct virtio_blk_config, name)

/* 64 bits in two halves: a disk that grows between the two reads would get a size that it never
 * had. */
static uint64_t read_capacity(struct block *blk)
{
	uint32_t generation, low, high;

	do {
		generation = mmio_config_generation(&blk->dev);
		low = mmio_config32(&blk->dev, FIELD(capacity));
		high = mmio_config32(&blk->dev, FIELD(capacity) + 4);
	} while (generation != mmio_config_generation(&blk->dev));
	return (uint64_t)high << 32 | low;
}

/* A field whose feature was not agreed on has no meaning. */
static uint32_t config(
	const struct block *blk, unsigned feature, unsigned field, uint32_t otherwise)
{
	return mmio_has_feature(&blk->dev, feature) ? mmio_config32(&blk->dev, field) : otherwise;
}

/* What the disk handles as a whole: an exponent that leads beyond 32 bits is nonsense, and told of
 * nothing. */
static uint32_t read_unit(const struct block *blk)
{
	unsigned exponent = 0;

	if (mmio_has_feature(&blk->dev, VIRTIO_BLK_F_TOPOLOGY))
		exponent = mmio_config8(&blk->dev, FIELD(topology_physical_block_exp));
	if (exponent > 31 || blk->block > UINT32_MAX >> exponent)
		exponent = 0;
	return blk->block << exponent;
}

static void read_config(struct block *blk)
{
	const struct mmio *dev = &blk->dev;

	blk->len_max = config(blk, VIRTIO_BLK_F_SIZE_MAX, FIELD(size_max), UINT32_MAX);
	if (blk->len_max < VIRTIO_BLK_SECTOR_SIZE) /* nonsense: less is no request */
		blk->len_max = VIRTIO_BLK_SECTOR_SIZE;
	blk->len_max -= blk->len_max % VIRTIO_BLK_SECTOR_SIZE;
	blk->block = config(blk, VIRTIO_BLK_F_BLK_SIZE, FIELD(blk_size), VIRTIO_BLK_SECTOR_SIZE);
	blk->unit = read_unit(blk);
	blk->read_only = mmio_has_feature(dev, VIRTIO_BLK_F_RO);
	blk->can_flush = mmio_has_feature(dev, VIRTIO_BLK_F_FLUSH);
	blk->can_choose = mmio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE);
	blk->discard = (struct block_limits){
		config(blk, VIRTIO_BLK_F_DISCARD, FIELD(max_discard_seg), 0),
		config(blk, VIRTIO_BLK_F_DISCARD, FIELD(max_discard_sectors), 0),
	};
	blk->zero = (struct block_limits){
		config(blk, VIRTIO_BLK_F_WRITE_ZEROES, FIELD(max_write_zeroes_seg), 0),
		config(blk, VIRTIO_BLK_F_WRITE_ZEROES, FIELD(max_write_zeroes_sectors), 0),
	};
}

int block_init(struct block *blk, const struct device_map_entry *entry)
{
	int error = mmio_begin(&blk->dev, entry, VIRTIO_ID_BLOCK, VIRTQ_FEATURES | FEATURES);

	if (error)
		return error;
	read_config(blk);
	blk->queue = 0;
	blk->queue_count = 1;
	if (mmio_has_feature(&blk->dev, VIRTIO_BLK_F_MQ))
		blk->queue_count = mmio_config16(&blk->dev, FIELD(num_queues));
	if (blk->queue_count > BLOCK_QUEUES_MAX)
		blk->queue_count = BLOCK_QUEUES_MAX;
	for (unsigned i = 0; i < blk->queue_count && !error; i++)
		error = virtq_setup(&blk->queues[i], &blk->dev, i);
	if (!error)
		error = mmio_ready(&blk->dev);
	if (error)
		return error;

	/* Only now: the device tells of changes from DRIVER_OK on. */
	blk->changes = atomic_load(&blk->dev.changes);
	blk->capacity = read_capacity(blk);
	return 0;
}

bool block_look_again(struct block *blk)
{
	unsigned changes = atomic_load(&blk->dev.changes);
	uint64_t before = blk->capacity;

	if (changes == blk->changes)
		return false;
	blk->changes = changes;
	blk->capacity = read_capacity(blk);
	return blk->capacity != before;
}

bool block_writes_back(const struct block *blk)
{
	return blk->can_choose ? mmio_config8(&blk->dev, FIELD(writeback)) : blk->can_flush;
}

int block_set_write_back(struct block *blk, bool on)
{
	if (!blk->can_choose)
		return -ENOTSUP;
	mmio_write_config8(&blk->dev, FIELD(writeback), on);
	return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static bool is_read_by_device(uint32_t type)
{
	return type == VIRTIO_BLK_T_OUT || type == VIRTIO_BLK_T_DISCARD ||
	       type == VIRTIO_BLK_T_WRITE_ZEROES;
}

int block_submit(struct block *blk, struct block_request *request, uint32_t type, uint64_t sector,
	void *data, size_t len)
{
	struct virtq *vq = &blk->queues[blk->queue];
	struct virtq_buffer header = {&request->header, sizeof(request->header)};
	struct virtq_buffer body = {data, len};
	struct virtq_buffer status = {&request->status, sizeof(request->status)};

	request->header = (struct virtio_blk_req){
		.type = cpu_to_le32(type),
		.sector = cpu_to_le64(sector),
	};
	request->status = STATUS_NONE;
	request->done = false;
	request->vq = vq;

	/* All that the device reads comes before all that it writes (virtio 2.7.4.2). */
	if (!len)
		return virtq_add(vq, (struct virtq_buffer[]){header, status}, 1, 1, request);
	if (is_read_by_device(type))
		return virtq_add(vq, (struct virtq_buffer[]){header, body, status}, 2, 1, request);
	return virtq_add(vq, (struct virtq_buffer[]){header, body, status}, 1, 2, request);
}

void block_kick(struct block *blk)
{
	virtq_kick(&blk->queues[blk->queue]);
}

int block_wait(struct block_request *request)
{
	while (!request->done) {
		uint32_t written;
		int error = virtq_wait(request->vq);
		/* The device may finish requests in any order, so this need not be ours. */
		struct block_request *finished = virtq_take(request->vq, &written);

		/* Something is pending, but nothing that can be: the device has failed. */
		if (!finished)
			return error ? error : -EIO;
		finished->done = true;
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

static int execute(struct block *blk, uint32_t type, uint64_t sector, void *data, size_t len)
{
	struct block_request request;
	int error = block_submit(blk, &request, type, sector, data, len);

	if (error)
		return error;
	block_kick(blk);
	return block_wait(&request);
}

/* In pieces that the device takes. */
static int transfer(struct block *blk, uint32_t type, uint64_t sector, void *data, size_t len)
{
	uint8_t *next = data;

	do {
		size_t piece = len < blk->len_max ? len : blk->len_max;
		int error = execute(blk, type, sector, next, piece);

		if (error)
			return error;
		sector += piece / VIRTIO_BLK_SECTOR_SIZE;
		next += piece;
		len -= piece;
	} while (len);
	return 0;
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
	return execute(blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0);
}

/* Ranges of sectors, as many in a request as it may have. */
static int ranges(struct block *blk, uint32_t type, const struct block_limits *limits,
	uint64_t sector, uint64_t count, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes segments[SEGMENTS_MAX];
	int error = limits->segments && limits->sectors ? 0 : -ENOTSUP;

	while (count && !error) {
		unsigned n = 0;

		for (; count && n < limits->segments && n < SEGMENTS_MAX; n++) {
			uint32_t sectors = count < limits->sectors ? count : limits->sectors;

			segments[n] = (struct virtio_blk_discard_write_zeroes){
				.sector = cpu_to_le64(sector),
				.num_sectors = cpu_to_le32(sectors),
				.flags = cpu_to_le32(flags),
			};
			sector += sectors;
			count -= sectors;
		}
		error = execute(blk, type, 0, segments, n * sizeof(segments[0]));
	}
	return error;
}

int block_zero(struct block *blk, uint64_t sector, uint64_t count, bool unmap)
{
	return ranges(blk, VIRTIO_BLK_T_WRITE_ZEROES, &blk->zero, sector, count,
		unmap ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0);
}

int block_discard(struct block *blk, uint64_t sector, uint64_t count)
{
	return ranges(blk, VIRTIO_BLK_T_DISCARD, &blk->discard, sector, count, 0);
}

int block_id(struct block *blk, char id[VIRTIO_BLK_ID_BYTES + 1])
{
	/* An id of full length has no terminator (virtio 5.2.6). */
	id[VIRTIO_BLK_ID_BYTES] = '\0';
	return execute(blk, VIRTIO_BLK_T_GET_ID, 0, id, VIRTIO_BLK_ID_BYTES);
}
