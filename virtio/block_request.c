/* SPDX-License-Identifier: BSD-2-Clause */
#include "block_request.h"

#include <inttypes.h>

#include <vole/virtio_blk.h>

#include "virtio.h"

/* The status of a request that is not done yet; the specification does not use this value. */
#define STATUS_LATER 0xff

/* The part of a stream that is transferred to or from the disk. */
struct data {
	unsigned (*slice)(
		const struct chain *chain, uint64_t offset, uint64_t len, struct iovec *out);
	uint64_t offset, len; /* in bytes of the stream */
};

typedef ssize_t transfer_function(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset);

/* Reports that a request breaks a rule, and evaluates to the status that answers it. The format
 * says what the driver asked for. */
#define refuse(disk, request, status, rule, value, ...) \
	(virtio_queue_mistake((disk)->dev, rule, (request)->queue, value, __VA_ARGS__), status)

static bool accepted(const struct block_disk *disk, unsigned feature)
{
	return disk->features >> feature & 1;
}

/* Returns the name of a type of request, for reports. */
static const char *type_name(const struct block_request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return "read";
	case VIRTIO_BLK_T_OUT:
		return "write";
	case VIRTIO_BLK_T_DISCARD:
		return "discard";
	default:
		return "write zeroes";
	}
}

/* Returns whether sectors lie on a disk of this capacity. It subtracts, so that no sum can wrap. */
static bool fits(uint64_t capacity, uint64_t sector, uint64_t sectors)
{
	return sector <= capacity && sectors <= capacity - sector;
}

/* Returns OK if sectors lie on the disk, else IOERR. That is the driver's mistake unless the disk
 * has shrunk. */
static uint8_t check_sectors(const struct block_request *request, const struct block_disk *disk,
	uint64_t sector, uint64_t sectors)
{
	if (fits(disk->capacity, sector, sectors))
		return VIRTIO_BLK_S_OK;
	if (fits(disk->capacity_max, sector, sectors))
		return VIRTIO_BLK_S_IOERR;
	return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_RANGE, sector,
		"%s of %" PRIu64 " sector%s at sector %" PRIu64 " of %" PRIu64 ":",
		type_name(request), sectors, PLURAL(sectors), sector, disk->capacity);
}

/* Returns whether chaos has this request fail, which could be executed. */
static bool is_unlucky(const struct block_request *request, const struct block_disk *disk)
{
	return virtio_request_fails(disk->dev, request->queue);
}

/* --- read, write, flush, get-id --------------------------------------------------------------- */

/*
 * Transfers the rest of the data, within the budget, in as many steps as the host takes. The range
 * is validated each time, since the disk may have shrunk meanwhile.
 */
static uint8_t transfer(struct block_request *request, struct block_disk *disk,
	transfer_function *move, const struct data *data, uint64_t *budget)
{
	uint64_t start = request->sector * VIRTIO_BLK_SECTOR_SIZE;
	uint8_t status;

	if (data->len % VIRTIO_BLK_SECTOR_SIZE != 0)
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_LENGTH, data->len,
			"%s of %" PRIu64 " byte%s:", type_name(request), data->len,
			PLURAL(data->len));
	status = check_sectors(request, disk, request->sector, data->len / VIRTIO_BLK_SECTOR_SIZE);
	if (status != VIRTIO_BLK_S_OK)
		return status;
	if (is_unlucky(request, disk))
		return VIRTIO_BLK_S_IOERR;
	while (request->transferred < data->len) {
		uint64_t left = data->len - request->transferred;
		unsigned count;
		bool go_on;
		ssize_t len;

		if (*budget == 0)
			return STATUS_LATER;
		count = data->slice(&request->chain, data->offset + request->transferred,
			left < *budget ? left : *budget, disk->slice);
		virtio_host_begin(disk->dev);
		len = move(disk->backend, disk->slice, count, start + request->transferred);
		go_on = virtio_host_end(disk->dev);
		if (len <= 0)
			return VIRTIO_BLK_S_IOERR;
		request->transferred += len;
		*budget = go_on ? *budget - len : 0;
	}
	return VIRTIO_BLK_S_OK;
}

/* Flushes the disk, and uses up the budget, because the host may need long for it. */
static uint8_t flush(struct block_disk *disk, uint64_t *budget)
{
	int ret;

	*budget = 0;
	virtio_host_begin(disk->dev);
	ret = disk->backend->ops->flush(disk->backend);
	virtio_host_end(disk->dev);
	return ret < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

/* Returns whether a read gives room for whole sectors, and none for the status: that is the last of
 * the device-writable bytes, whatever the driver meant it for. */
static bool lacks_status(const struct block_request *request)
{
	return request->data_len_max % VIRTIO_BLK_SECTOR_SIZE == VIRTIO_BLK_SECTOR_SIZE - 1;
}

static uint8_t serve_in(struct block_request *request, struct block_disk *disk, uint64_t *budget)
{
	const uint64_t header_len = sizeof(struct virtio_blk_req);
	uint64_t readable_len = request->chain.readable_len - header_len;
	struct data data = {chain_writable_slice, 0, request->data_len_max};
	uint8_t status;

	if (readable_len > 0)
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_READ_DATA, readable_len,
			"read with %" PRIu64 " byte%s", readable_len, PLURAL(readable_len));
	if (lacks_status(request))
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_STATUS,
			request->chain.writable_len, "request of %" PRIu64 " bytes",
			header_len + request->chain.writable_len);
	status = transfer(request, disk, disk->backend->ops->read, &data, budget);
	request->written = request->transferred;
	return status;
}

static uint8_t serve_out(struct block_request *request, struct block_disk *disk, uint64_t *budget)
{
	const uint64_t header_len = sizeof(struct virtio_blk_req);
	struct data data = {
		chain_readable_slice, header_len, request->chain.readable_len - header_len};
	uint8_t status;

	if (request->data_len_max > 0)
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_WRITE_DATA,
			request->data_len_max, "write with %" PRIu64 " byte%s",
			request->data_len_max, PLURAL(request->data_len_max));
	if (disk->backend->read_only)
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_READ_ONLY,
			request->sector, "write at sector %" PRIu64 ":", request->sector);
	status = transfer(request, disk, disk->backend->ops->write, &data, budget);
	if (status == VIRTIO_BLK_S_OK && !disk->write_back)
		status = flush(disk, budget);
	return status;
}

/* Reports a request whose feature was not negotiated. */
static uint8_t refuse_feature(const struct block_request *request, const struct block_disk *disk)
{
	return refuse(disk, request, VIRTIO_BLK_S_UNSUPP, RULE_BLOCK_FEATURE, request->type,
		"request of type %" PRIu32 ":", request->type);
}

static uint8_t serve_flush(
	const struct block_request *request, struct block_disk *disk, uint64_t *budget)
{
	if (!accepted(disk, VIRTIO_BLK_F_FLUSH))
		return refuse_feature(request, disk);
	return is_unlucky(request, disk) ? VIRTIO_BLK_S_IOERR : flush(disk, budget);
}

static uint8_t serve_get_id(struct block_request *request, struct block_disk *disk)
{
	size_t len = sizeof disk->backend->id;

	if (is_unlucky(request, disk))
		return VIRTIO_BLK_S_UNSUPP;
	if (len > request->data_len_max)
		len = request->data_len_max;
	request->written = chain_write(&request->chain, 0, disk->backend->id, len);
	return VIRTIO_BLK_S_OK;
}

/* --- ranges of sectors: discard, write zeroes ------------------------------------------------- */

/* The limits of one of the two types of request. */
struct range_type {
	unsigned feature;
	uint32_t flags, seg_max, sectors_max;
};

static const struct range_type discard = {
	VIRTIO_BLK_F_DISCARD, 0, BLOCK_DISCARD_SEG_MAX, BLOCK_DISCARD_SECTORS_MAX};
static const struct range_type write_zeroes = {VIRTIO_BLK_F_WRITE_ZEROES,
	VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, BLOCK_ZEROES_SEG_MAX, BLOCK_ZEROES_SECTORS_MAX};

struct range {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* Copies the request's segments, once. Returns their number, or 0 (reported) if there are none, too
 * many, or an incomplete one. */
static unsigned ranges_read(const struct block_request *request, const struct block_disk *disk,
	const struct range_type *type, struct range ranges[BLOCK_DISCARD_SEG_MAX])
{
	const uint64_t header_len = sizeof(struct virtio_blk_req);
	uint64_t len = request->chain.readable_len - header_len;
	struct virtio_blk_discard_write_zeroes segment;
	unsigned count = 0;

	if (len == 0 || len % sizeof segment != 0)
		return refuse(disk, request, 0, RULE_BLOCK_SEGMENTS, len,
			"%s with %" PRIu64 " byte%s,", type_name(request), len, PLURAL(len));
	if (len / sizeof segment > type->seg_max)
		return refuse(disk, request, 0, RULE_BLOCK_SEGMENT_COUNT, len / sizeof segment,
			"%s with %" PRIu64 " segments,", type_name(request), len / sizeof segment);
	for (; count < len / sizeof segment; count++) {
		chain_read(&request->chain, header_len + count * sizeof segment, &segment,
			sizeof segment);
		ranges[count] = (struct range){le64_to_cpu(segment.sector),
			le32_to_cpu(segment.num_sectors), le32_to_cpu(segment.flags)};
	}
	return count;
}

/* Returns the status of a segment that cannot be executed, or OK. An unknown flag makes the whole
 * request UNSUPP, whatever else is wrong with it (virtio 5.2.6.2). */
static uint8_t check_range(const struct block_request *request, const struct block_disk *disk,
	const struct range_type *type, const struct range *range)
{
	if (range->flags & ~type->flags)
		return refuse(disk, request, VIRTIO_BLK_S_UNSUPP, RULE_BLOCK_FLAGS, range->flags,
			"%s with flags 0x%" PRIx32 ",", type_name(request), range->flags);
	if (range->sectors > type->sectors_max)
		return refuse(disk, request, VIRTIO_BLK_S_IOERR, RULE_BLOCK_SECTORS, range->sectors,
			"%s with %" PRIu32 " sectors in a segment,", type_name(request),
			range->sectors);
	return check_sectors(request, disk, range->sector, range->sectors);
}

/* Validates all segments before the first is executed. */
static uint8_t check_ranges(const struct block_request *request, const struct block_disk *disk,
	const struct range_type *type, const struct range *ranges, unsigned count)
{
	uint8_t status = VIRTIO_BLK_S_OK;

	for (unsigned i = 0; i < count && status != VIRTIO_BLK_S_UNSUPP; i++) {
		uint8_t found = check_range(request, disk, type, &ranges[i]);

		if (found != VIRTIO_BLK_S_OK)
			status = found;
	}
	return status;
}

static int range_execute(
	struct block_disk *disk, const struct range_type *type, const struct range *range)
{
	const struct block_backend_ops *ops = disk->backend->ops;
	uint64_t offset = range->sector * VIRTIO_BLK_SECTOR_SIZE;
	uint64_t len = (uint64_t)range->sectors * VIRTIO_BLK_SECTOR_SIZE;

	int ret;

	if (len == 0)
		return 0;
	virtio_host_begin(disk->dev);
	if (type == &discard)
		ret = ops->discard(disk->backend, offset, len);
	else
		ret = ops->write_zeroes(disk->backend, offset, len,
			range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	virtio_host_end(disk->dev);
	return ret;
}

static uint8_t serve_ranges(const struct block_request *request, struct block_disk *disk,
	const struct range_type *type, uint64_t *budget)
{
	struct range ranges[BLOCK_DISCARD_SEG_MAX];
	unsigned count;
	uint8_t status;

	if (!accepted(disk, type->feature))
		return refuse_feature(request, disk);
	count = ranges_read(request, disk, type, ranges);
	if (count == 0)
		return VIRTIO_BLK_S_IOERR;
	*budget = 0; /* the host may need long */
	status = check_ranges(request, disk, type, ranges, count);
	if (status == VIRTIO_BLK_S_OK && is_unlucky(request, disk))
		status = VIRTIO_BLK_S_IOERR;
	for (unsigned i = 0; i < count && status == VIRTIO_BLK_S_OK; i++)
		if (range_execute(disk, type, &ranges[i]) < 0)
			status = VIRTIO_BLK_S_IOERR;

	/* Zeroes are written; what was discarded is nothing that could get lost. */
	if (status == VIRTIO_BLK_S_OK && type == &write_zeroes && !disk->write_back)
		status = flush(disk, budget);
	return status;
}

/* --- any request ------------------------------------------------------------------------------ */

/* Executes the request within the budget. Returns its status, or STATUS_LATER. */
static uint8_t serve(struct block_request *request, struct block_disk *disk, uint64_t *budget)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return serve_in(request, disk, budget);
	case VIRTIO_BLK_T_OUT:
		return serve_out(request, disk, budget);
	case VIRTIO_BLK_T_FLUSH:
		return serve_flush(request, disk, budget);
	case VIRTIO_BLK_T_GET_ID:
		return serve_get_id(request, disk);
	case VIRTIO_BLK_T_DISCARD:
		return serve_ranges(request, disk, &discard, budget);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return serve_ranges(request, disk, &write_zeroes, budget);
	default:
		return refuse(disk, request, VIRTIO_BLK_S_UNSUPP, RULE_BLOCK_TYPE, request->type,
			"request of type %" PRIu32 ":", request->type);
	}
}

bool block_request_begin(struct block_request *request, struct block_disk *disk)
{
	const struct chain *chain = &request->chain;
	uint64_t len = chain->readable_len + chain->writable_len;
	struct virtio_blk_req header;

	if (chain_read(chain, 0, &header, sizeof header) < sizeof header)
		return refuse(disk, request, false, RULE_BLOCK_HEADER, len,
			"request of %" PRIu64 " byte%s (%" PRIu64 " device-readable)", len,
			PLURAL(len), chain->readable_len);
	if (chain->writable_len == 0)
		return refuse(disk, request, false, RULE_BLOCK_STATUS, len,
			"request of %" PRIu64 " byte%s", len, PLURAL(len));
	request->type = le32_to_cpu(header.type);
	request->sector = le64_to_cpu(header.sector);
	request->data_len_max = chain->writable_len - sizeof(uint8_t);
	request->transferred = request->written = 0;
	return true;
}

/* Returns the length of what the driver hands over behind the header. */
static uint64_t readable_data_len(const struct block_request *request)
{
	return request->chain.readable_len - sizeof(struct virtio_blk_req);
}

uint64_t block_request_plain_len(const struct block_request *request)
{
	return request->type == VIRTIO_BLK_T_IN ? request->data_len_max
						: readable_data_len(request);
}

bool block_request_is_plain(const struct block_request *request, const struct block_disk *disk)
{
	uint64_t len = block_request_plain_len(request);

	if (request->type == VIRTIO_BLK_T_OUT) {
		if (request->data_len_max > 0 || !disk->write_back || disk->backend->read_only)
			return false;
	} else if (request->type != VIRTIO_BLK_T_IN || readable_data_len(request) > 0) {
		return false;
	}
	return len > 0 && len % VIRTIO_BLK_SECTOR_SIZE == 0 &&
	       fits(disk->capacity, request->sector, len / VIRTIO_BLK_SECTOR_SIZE);
}

unsigned block_request_plain_slice(const struct block_request *request, struct iovec *out)
{
	const struct chain *chain = &request->chain;

	if (request->type == VIRTIO_BLK_T_IN)
		return chain_writable_slice(chain, 0, request->data_len_max, out);
	return chain_readable_slice(chain, sizeof(struct virtio_blk_req), UINT64_MAX, out);
}

bool block_request_resume(struct block_request *request, uint64_t transferred, uint64_t written)
{
	uint64_t readable_len = readable_data_len(request);
	uint64_t writable_len = request->data_len_max;

	if (transferred > (readable_len > writable_len ? readable_len : writable_len) ||
		written > writable_len)
		return false;
	request->transferred = transferred;
	request->written = written;
	return true;
}

bool block_request_serve(struct block_request *request, struct block_disk *disk, uint64_t *budget)
{
	uint8_t status = serve(request, disk, budget);

	if (status == STATUS_LATER)
		return false;
	chain_write(&request->chain, request->data_len_max, &status, sizeof status);

	/* The length promises that all before it was written (virtio 2.7.8.2), so the status counts
	 * only if no gap precedes it. */
	if (request->written == request->data_len_max)
		request->written += sizeof status;
	return true;
}
