/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"

/* Segments of one transfer at most; the device goes on with the others. */
#define SEGMENTS_MAX 64

static struct overlay *overlay_of(struct block_backend *backend)
{
	return container_of(backend, struct overlay, backend);
}

static int fail(const char *path, int error)
{
	say("%s: private layer: %s", path, error_text(error));
	return -error;
}

static int say_once(struct overlay *overlay, int error)
{
	if (!overlay->said)
		fail(overlay->path, error);
	overlay->said = true;
	return -error;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static uint64_t disk_bytes(const struct overlay *overlay)
{
	return overlay->backend.capacity * VIRTIO_BLK_SECTOR_SIZE;
}

static bool is_written(const struct overlay *overlay, uint64_t block)
{
	return block * OVERLAY_BLOCK >= overlay->base_len ||
	       (overlay->written[block / 64] >> block % 64 & 1);
}

static void mark(struct overlay *overlay, uint64_t block)
{
	if (!is_written(overlay, block))
		overlay->written[block / 64] |= UINT64_C(1) << block % 64;
}

/* Reads all of the bytes from the disk below. Returns 0 or -errno. */
static int read_base(struct overlay *overlay, void *bytes, uint64_t len, uint64_t offset)
{
	uint8_t *to = bytes;

	while (len > 0) {
		struct iovec iov = {to, len};
		ssize_t ret = overlay->base->ops->read(overlay->base, &iov, 1, offset);

		if (ret <= 0)
			return ret < 0 ? (int)ret : -EIO;
		to += ret;
		offset += (uint64_t)ret;
		len -= (uint64_t)ret;
	}
	return 0;
}

/* Has the block in the file, with what it has on the disk, before a part of it is written. */
static int copy_block(struct overlay *overlay, uint64_t block)
{
	uint64_t start = block * OVERLAY_BLOCK, len = disk_bytes(overlay) - start;
	uint8_t bytes[OVERLAY_BLOCK];
	int ret;

	if (is_written(overlay, block))
		return 0;
	len = len < OVERLAY_BLOCK ? len : OVERLAY_BLOCK;
	ret = read_base(overlay, bytes, len, start);
	if (ret < 0)
		return ret;
	if (TEMP_FAILURE_RETRY(pwrite(overlay->fd, bytes, len, (off_t)start)) != (ssize_t)len)
		return say_once(overlay, ENOSPC);
	mark(overlay, block);
	return 0;
}

/* Prepares a write of [offset, end), not empty: blocks of which it leaves a part are copied. */
static int copy_edges(struct overlay *overlay, uint64_t offset, uint64_t end)
{
	int ret = 0;

	if (offset % OVERLAY_BLOCK != 0)
		ret = copy_block(overlay, offset / OVERLAY_BLOCK);
	if (ret == 0 && end % OVERLAY_BLOCK != 0)
		ret = copy_block(overlay, end / OVERLAY_BLOCK);
	return ret;
}

/* Marks the blocks of [offset, end), which was written. */
static void mark_range(struct overlay *overlay, uint64_t offset, uint64_t end)
{
	for (uint64_t at = offset / OVERLAY_BLOCK; at * OVERLAY_BLOCK < end; at++)
		mark(overlay, at);
}

/* --- transfers -------------------------------------------------------------------------------- */

/* Sets out to the first bytes of iov, at most max of them in SEGMENTS_MAX segments. Returns the
 * number of segments, and sets *len to the number of bytes. */
static unsigned trim(const struct iovec *iov, unsigned count, uint64_t max,
	struct iovec out[SEGMENTS_MAX], uint64_t *len)
{
	unsigned used = 0;

	for (*len = 0; used < count && used < SEGMENTS_MAX && *len < max; used++) {
		out[used] = iov[used];
		if (out[used].iov_len > max - *len)
			out[used].iov_len = max - *len;
		*len += out[used].iov_len;
	}
	return used;
}

/* Returns how many bytes from offset on are in blocks that are all in the file, or all not. */
static uint64_t run_length(const struct overlay *overlay, uint64_t offset, uint64_t max)
{
	uint64_t block = offset / OVERLAY_BLOCK, end = block + 1;

	while (end * OVERLAY_BLOCK - offset < max && end * OVERLAY_BLOCK < disk_bytes(overlay) &&
		is_written(overlay, end) == is_written(overlay, block))
		end++;
	return end * OVERLAY_BLOCK - offset;
}

static ssize_t overlay_read(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct overlay *overlay = overlay_of(backend);
	struct iovec part[SEGMENTS_MAX];
	uint64_t len;
	ssize_t ret;

	count = trim(iov, count, UINT64_MAX, part, &len);
	count = trim(iov, count, run_length(overlay, offset, len), part, &len);
	if (!is_written(overlay, offset / OVERLAY_BLOCK))
		return overlay->base->ops->read(overlay->base, part, count, offset);
	ret = TEMP_FAILURE_RETRY(preadv(overlay->fd, part, (int)count, (off_t)offset));
	return ret > 0 ? ret : say_once(overlay, ret < 0 ? errno : EIO);
}

static ssize_t overlay_write(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct overlay *overlay = overlay_of(backend);
	struct iovec part[SEGMENTS_MAX];
	uint64_t len;
	ssize_t ret;

	count = trim(iov, count, UINT64_MAX, part, &len);
	ret = copy_edges(overlay, offset, offset + len);
	if (ret < 0)
		return ret;
	ret = TEMP_FAILURE_RETRY(pwritev(overlay->fd, part, (int)count, (off_t)offset));
	/* A file in memory takes all, or there is no memory. */
	if (ret != (ssize_t)len)
		return say_once(overlay, ret < 0 ? errno : ENOSPC);
	mark_range(overlay, offset, offset + len);
	return ret;
}

/* Nothing outlives the machine, so nothing has to be stable. */
static int overlay_flush(struct block_backend *backend)
{
	(void)backend;
	return 0;
}

static int overlay_write_zeroes(
	struct block_backend *backend, uint64_t offset, uint64_t len, bool unmap)
{
	struct overlay *overlay = overlay_of(backend);
	int ret = copy_edges(overlay, offset, offset + len);

	(void)unmap;
	if (ret < 0)
		return ret;
	if (TEMP_FAILURE_RETRY(fallocate(overlay->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    (off_t)offset, (off_t)len)) < 0)
		return say_once(overlay, errno);
	mark_range(overlay, offset, offset + len);
	return 0;
}

/* What is discarded may read as anything: as it does. */
static int overlay_discard(struct block_backend *backend, uint64_t offset, uint64_t len)
{
	(void)backend, (void)offset, (void)len;
	return 0;
}

static const struct block_backend_ops overlay_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.flush = overlay_flush,
	.write_zeroes = overlay_write_zeroes,
	.discard = overlay_discard,
};

/* --- life ------------------------------------------------------------------------------------- */

int overlay_open(struct overlay *overlay, struct block_backend *base, const char *path)
{
	uint64_t blocks;

	*overlay = (struct overlay){.backend = *base, .base = base, .path = path, .fd = -1};
	overlay->backend.ops = &overlay_ops;
	overlay->backend.read_only = false;
	overlay->backend.can_unmap = true;
	overlay->base_len = disk_bytes(overlay);
	blocks = overlay->base_len / OVERLAY_BLOCK + 1;
	overlay->written = calloc(blocks / 64 + 1, sizeof *overlay->written);
	if (!overlay->written)
		return fail(path, ENOMEM);
	overlay->fd = memfd_create("vole disk", MFD_CLOEXEC);
	if (overlay->fd < 0 || ftruncate(overlay->fd, (off_t)disk_bytes(overlay)) < 0)
		return fail(path, errno);
	return 0;
}

/* Has [from, to) be in the file, as zeroes. The disk below has no such bytes. */
static int add_zeroes(struct overlay *overlay, uint64_t from, uint64_t to)
{
	int ret = from % OVERLAY_BLOCK != 0 ? copy_block(overlay, from / OVERLAY_BLOCK) : 0;

	/* Smaller first, so that nothing is left of what was there before. */
	if (ret == 0 &&
		(ftruncate(overlay->fd, (off_t)from) < 0 || ftruncate(overlay->fd, (off_t)to) < 0))
		ret = -errno;
	if (ret == 0 && from < overlay->base_len)
		overlay->base_len = from;
	return ret;
}

int overlay_resize(struct overlay *overlay, uint64_t sectors)
{
	uint64_t from = disk_bytes(overlay), to = sectors * VIRTIO_BLK_SECTOR_SIZE;
	int ret = to > from ? add_zeroes(overlay, from, to) : 0;

	if (ret < 0)
		return fail(overlay->path, -ret);
	overlay->backend.capacity = sectors;
	return 0;
}

void overlay_close(struct overlay *overlay)
{
	file_close(&overlay->fd);
	free(overlay->written);
	*overlay = OVERLAY_EMPTY;
}
