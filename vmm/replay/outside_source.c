/* SPDX-License-Identifier: BSD-2-Clause */
/* The outside's source of entropy, and its disks. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "container.h"
#include "replay/outside.h"
#include "report.h"

/* --- entropy ---------------------------------------------------------------------------------- */

static ssize_t repeat_entropy(struct outside *outside, uint8_t *bytes, size_t len)
{
	struct journal_entry entry;

	/* After its end, a run that was cut off has nothing to give. */
	if (outside->has_stopped &&
		!(journal_next(&outside->journal, &entry) && entry.kind == JOURNAL_ENTROPY))
		return -EAGAIN;
	if (!outside_expect(outside, JOURNAL_ENTROPY, 0, &entry))
		return -EAGAIN;
	if (entry.value > (int64_t)len || (entry.value > 0 && entry.len != entry.value)) {
		outside_diverge(outside, "the guest asks for less entropy than in the record");
		return -EAGAIN;
	}
	memcpy(bytes, entry.data, entry.value > 0 ? (size_t)entry.value : 0);
	return (ssize_t)entry.value;
}

static ssize_t entropy_fill(struct rng_backend *backend, void *bytes, size_t len)
{
	struct outside *outside = container_of(backend, struct outside, entropy);
	struct rng_backend *host = outside->entropy_host;
	ssize_t ret;

	len = len < JOURNAL_DATA_MAX ? len : JOURNAL_DATA_MAX;
	if (outside->is_past)
		return repeat_entropy(outside, bytes, len);
	ret = host->ops->fill(host, bytes, len);
	outside_note(outside, (struct journal_entry){.kind = JOURNAL_ENTROPY,
				      .value = ret,
				      .data = bytes,
				      .len = ret > 0 ? (uint32_t)ret : 0});
	return ret;
}

struct rng_backend *outside_add_entropy(struct outside *outside, struct rng_backend *host)
{
	static const struct rng_backend_ops ops = {.fill = entropy_fill};

	outside->entropy.ops = &ops;
	outside->entropy_host = host;
	return &outside->entropy;
}

/* --- disks ------------------------------------------------------------------------------------ */

/* Segments of one transfer at most; the device goes on with the others. */
#define SEGMENTS_MAX 64

typedef ssize_t transfer(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset);

static struct outside_disk *disk_of(struct block_backend *backend)
{
	return container_of(backend, struct outside_disk, backend);
}

/* Sets *result to that of the next transfer, of len bytes, if the past has one that differs from
 * what was asked for. */
static bool was_cut(struct outside_disk *disk, uint64_t len, int64_t *result)
{
	struct journal_entry entry;
	uint64_t number;

	if (!disk->outside->is_past || !journal_next(&disk->outside->journal, &entry) ||
		entry.kind != JOURNAL_DISK || entry.number != disk->number)
		return false;
	memcpy(&number, entry.data, sizeof number);
	if (number != disk->transfers)
		return false;
	journal_advance(&disk->outside->journal);
	*result = entry.value;
	if (entry.value >= 0 && (uint64_t)entry.value >= len) {
		outside_diverge(disk->outside,
			"disk %u is asked for %" PRIu64
			" byte%s, and in the record it transferred %" PRId64,
			disk->number, len, PLURAL(len), entry.value);
		*result = -EIO;
	}
	return true;
}

static void note_cut(struct outside_disk *disk, int64_t result)
{
	if (disk->outside->is_past)
		outside_diverge(disk->outside, "disk %u does not do what it did in the record",
			disk->number);
	else
		outside_note(disk->outside, (struct journal_entry){.kind = JOURNAL_DISK,
						    .number = disk->number,
						    .value = result,
						    .data = (const uint8_t *)&disk->transfers,
						    .len = sizeof disk->transfers});
}

/* Transfers the first len bytes of these segments, whatever parts the host makes of it. Returns the
 * number of bytes, or -errno if there are none. */
static int64_t transfer_all(struct outside_disk *disk, transfer *host_transfer, struct iovec *iov,
	unsigned count, uint64_t len, uint64_t offset)
{
	uint64_t done = 0;

	while (done < len) {
		ssize_t ret;

		while (count > 0 && iov->iov_len == 0)
			iov++, count--;
		ret = host_transfer(disk->host, iov, count, offset + done);
		if (ret <= 0)
			return done > 0 ? (int64_t)done : ret;
		done += (uint64_t)ret;
		while (ret > 0) {
			size_t part = (size_t)ret < iov->iov_len ? (size_t)ret : iov->iov_len;

			iov->iov_base = (uint8_t *)iov->iov_base + part;
			iov->iov_len -= part;
			ret -= (ssize_t)part;
			if (iov->iov_len == 0)
				iov++, count--;
		}
	}
	return (int64_t)done;
}

/* Copies the first segments, of at most max bytes. Returns their number, and sets *len. */
static unsigned copy_segments(struct iovec to[SEGMENTS_MAX], const struct iovec *iov,
	unsigned count, uint64_t max, uint64_t *len)
{
	unsigned used = 0;

	for (*len = 0; used < count && used < SEGMENTS_MAX && *len < max; used++) {
		to[used] = iov[used];
		if (to[used].iov_len > max - *len)
			to[used].iov_len = max - *len;
		*len += to[used].iov_len;
	}
	return used;
}

static ssize_t transfer_segments(struct outside_disk *disk, transfer *host_transfer,
	const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct iovec segments[SEGMENTS_MAX];
	int64_t result, expected;
	uint64_t len;

	disk->transfers++;
	count = copy_segments(segments, iov, count, UINT64_MAX, &len);
	if (was_cut(disk, len, &expected)) {
		if (expected <= 0)
			return (ssize_t)expected;
		count = copy_segments(segments, iov, count, (uint64_t)expected, &len);
	}
	if (host_transfer == disk->host->ops->write && disk->outside->undo)
		undo_note(disk->outside->undo, disk->host, offset, len);
	result = transfer_all(disk, host_transfer, segments, count, len, offset);
	if (result != (int64_t)len)
		note_cut(disk, result);
	return (ssize_t)result;
}

static ssize_t disk_read(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct outside_disk *disk = disk_of(backend);

	return transfer_segments(disk, disk->host->ops->read, iov, count, offset);
}

static ssize_t disk_write(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct outside_disk *disk = disk_of(backend);

	return transfer_segments(disk, disk->host->ops->write, iov, count, offset);
}

/* Ends a request that transfers no data: 0, or what went wrong, as it did in the past. */
static int settle(struct outside_disk *disk, int result)
{
	if (result < 0)
		note_cut(disk, result);
	return result;
}

static int disk_flush(struct block_backend *backend)
{
	struct outside_disk *disk = disk_of(backend);
	int64_t expected;

	disk->transfers++;
	if (was_cut(disk, 0, &expected))
		return (int)expected;
	return settle(disk, disk->host->ops->flush(disk->host));
}

static int disk_write_zeroes(
	struct block_backend *backend, uint64_t offset, uint64_t len, bool unmap)
{
	struct outside_disk *disk = disk_of(backend);
	int64_t expected;

	disk->transfers++;
	if (was_cut(disk, 0, &expected))
		return (int)expected;
	if (disk->outside->undo)
		undo_note(disk->outside->undo, disk->host, offset, len);
	return settle(disk, disk->host->ops->write_zeroes(disk->host, offset, len, unmap));
}

/* What is discarded may read as anything, which would be another thing on another host. So it reads
 * as zeroes. */
static int disk_discard(struct block_backend *backend, uint64_t offset, uint64_t len)
{
	return disk_write_zeroes(backend, offset, len, true);
}

static const struct block_backend_ops disk_ops = {
	.read = disk_read,
	.write = disk_write,
	.flush = disk_flush,
	.write_zeroes = disk_write_zeroes,
	.discard = disk_discard,
};

struct block_backend *outside_add_disk(
	struct outside *outside, unsigned number, struct block_backend *host)
{
	struct outside_disk *disk = &outside->disks[number];

	*disk = (struct outside_disk){
		.backend = *host, .host = host, .outside = outside, .number = number};
	disk->backend.ops = &disk_ops;
	/* A record counts calls, and it may be repeated with a view that the run did not have. */
	disk->backend.one_by_one = true;
	return &disk->backend;
}
