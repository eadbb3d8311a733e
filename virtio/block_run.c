/* SPDX-License-Identifier: BSD-2-Clause */
#include "block_run.h"

#include <string.h>

#include <vole/virtio_blk.h>

#include "virtio.h"

/* Returns whether a request begins where the run ends, and does the same. */
static bool goes_on(const struct block_run *run, const struct block_request *request)
{
	const struct block_request *first = &run->requests[0];

	return run->count == 0 ||
	       (request->type == first->type &&
		       request->sector == first->sector + run->len / VIRTIO_BLK_SECTOR_SIZE);
}

/* Copies a chain's segments, which the queue overwrites when the next chain is taken. */
static void keep_segments(struct block_run *run, struct chain *chain)
{
	struct iovec *kept = &run->segments[run->segment_count];

	memcpy(kept, chain->readable, chain->readable_count * sizeof *kept);
	chain->readable = kept;
	kept += chain->readable_count;
	if (chain->writable_count > 0) {
		memcpy(kept, chain->writable, chain->writable_count * sizeof *kept);
		chain->writable = kept;
	}
	run->segment_count += chain->readable_count + chain->writable_count;
}

bool block_run_add(struct block_run *run, const struct block_request *request,
	const struct block_disk *disk, uint64_t budget)
{
	const struct chain *chain = &request->chain;
	unsigned segments = chain->readable_count + chain->writable_count;
	uint64_t len;

	if (run->count == BLOCK_RUN_MAX || segments > VIRTQ_SIZE_MAX - run->segment_count ||
		!goes_on(run, request))
		return false;
	len = block_request_plain_len(request);
	if (len > budget || run->len > budget - len || !block_request_is_plain(request, disk))
		return false;
	run->requests[run->count] = *request;
	keep_segments(run, &run->requests[run->count].chain);
	run->count++;
	run->len += len;
	return true;
}

/* Notes what the host transferred, from the first byte of the first request on. */
static void share_out(struct block_run *run, uint64_t transferred)
{
	for (unsigned i = 0; i < run->count && transferred > 0; i++) {
		struct block_request *request = &run->requests[i];
		uint64_t len = block_request_plain_len(request);

		request->transferred = len < transferred ? len : transferred;
		transferred -= request->transferred;
	}
}

void block_run_transfer(struct block_run *run, struct block_disk *disk, uint64_t *budget)
{
	const struct block_request *first = &run->requests[0];
	struct block_backend *backend = disk->backend;
	uint64_t start = first->sector * VIRTIO_BLK_SECTOR_SIZE;
	unsigned count = 0;
	bool go_on;
	ssize_t len;

	for (unsigned i = 0; i < run->count; i++)
		count += block_request_plain_slice(&run->requests[i], &disk->slice[count]);
	virtio_host_begin(disk->dev);
	if (first->type == VIRTIO_BLK_T_IN)
		len = backend->ops->read(backend, disk->slice, count, start);
	else
		len = backend->ops->write(backend, disk->slice, count, start);
	go_on = virtio_host_end(disk->dev);
	if (len > 0)
		share_out(run, (uint64_t)len);
	*budget = go_on && len > 0 ? *budget - (uint64_t)len : 0;
}
