/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "container.h"
#include "error_text.h"
#include "io/disk_format.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "log.h"

/* Number of pages of zeroes that one pwritev(2) writes: 1 MiB. */
#define ZERO_PAGES 256

static struct disk *disk_of(struct block_backend *backend)
{
	return container_of(backend, struct disk, backend);
}

/* Reports an I/O error to the user, once for each disk; the guest gets the status of its request.
 * Returns -error. */
static int say_once(struct disk *disk, const char *what, uint64_t offset, int error)
{
	if (!disk->said)
		say("%s: %s at byte %" PRIu64
		    ": %s (said once; the guest gets an I/O error each time)",
			disk->path, what, offset, error_text(error));
	disk->said = true;
	return -error;
}

/* pread(2) instead of preadv(2) for a single segment, as most requests have, saves a twentieth of a
 * read of 4 KiB. */
static ssize_t disk_read(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct disk *disk = disk_of(backend);
	ssize_t ret = TEMP_FAILURE_RETRY(
		count == 1 ? pread(disk->fd, iov->iov_base, iov->iov_len, (off_t)offset)
			   : preadv(disk->fd, iov, (int)count, (off_t)offset));

	/* The file became shorter than the disk. */
	if (ret == 0)
		return say_once(disk, "read", offset, ENODATA);
	return ret < 0 ? say_once(disk, "read", offset, errno) : ret;
}

static ssize_t disk_write(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct disk *disk = disk_of(backend);
	ssize_t ret = TEMP_FAILURE_RETRY(
		count == 1 ? pwrite(disk->fd, iov->iov_base, iov->iov_len, (off_t)offset)
			   : pwritev(disk->fd, iov, (int)count, (off_t)offset));

	/* No error and no progress: trying again could go on for ever. */
	if (ret == 0)
		return say_once(disk, "write", offset, EIO);
	return ret < 0 ? say_once(disk, "write", offset, errno) : ret;
}

/* Linux reports a failed write-back once and then takes the pages for clean, so another
 * fdatasync(2) would return 0 although their data is lost. The first failure is therefore every
 * later flush's, too. */
static int disk_flush(struct block_backend *backend)
{
	struct disk *disk = disk_of(backend);

	if (backend->read_only || disk->flush_error)
		return disk->flush_error;
	if (TEMP_FAILURE_RETRY(fdatasync(disk->fd)) < 0) {
		disk->flush_error = -errno;
		say("%s: flush: %s; data written since the last flush may be lost, so each later "
		    "flush fails too, until vole is started again",
			disk->path, error_text(errno));
	}
	return disk->flush_error;
}

/* Writes zeroes with pwritev(2), where the host has no faster way: each segment is the same
 * page. */
static int write_pages(struct disk *disk, uint64_t offset, uint64_t len)
{
	static const uint8_t zeroes[4096];
	struct iovec iov[ZERO_PAGES];

	while (len > 0) {
		uint64_t step = 0;
		ssize_t written;
		int count = 0;

		for (; count < ZERO_PAGES && step < len; count++) {
			uint64_t left = len - step;

			iov[count] = (struct iovec){(void *)zeroes, sizeof zeroes};
			if (left < sizeof zeroes)
				iov[count].iov_len = left;
			step += iov[count].iov_len;
		}
		written = disk_write(&disk->backend, iov, count, offset);
		if (written < 0)
			return (int)written;
		offset += (uint64_t)written;
		len -= (uint64_t)written;
	}
	return 0;
}

/* Returns whether fallocate(2) failed because the file system or block device does not support the
 * operation, or not for this range. */
static bool is_unable(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

#define PUNCH_HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static int allocate(const struct disk *disk, int mode, uint64_t offset, uint64_t len)
{
	int ret = TEMP_FAILURE_RETRY(fallocate(disk->fd, mode, (off_t)offset, (off_t)len));

	return ret < 0 ? -errno : 0;
}

static int disk_write_zeroes(
	struct block_backend *backend, uint64_t offset, uint64_t len, bool unmap)
{
	struct disk *disk = disk_of(backend);
	int ret = -EOPNOTSUPP;

	if (unmap)
		ret = allocate(disk, PUNCH_HOLE, offset, len);
	if (is_unable(-ret))
		ret = allocate(disk, FALLOC_FL_ZERO_RANGE, offset, len);
	if (is_unable(-ret))
		return write_pages(disk, offset, len);
	return ret < 0 ? say_once(disk, "write zeroes", offset, -ret) : 0;
}

/* Discards a range. Where the host does not support it, the content stays, which is permitted. */
static int disk_discard(struct block_backend *backend, uint64_t offset, uint64_t len)
{
	struct disk *disk = disk_of(backend);
	int ret = allocate(disk, PUNCH_HOLE, offset, len);

	if (is_unable(-ret))
		return 0;
	return ret < 0 ? say_once(disk, "discard", offset, -ret) : 0;
}

static const struct block_backend_ops disk_ops = {
	.read = disk_read,
	.write = disk_write,
	.flush = disk_flush,
	.write_zeroes = disk_write_zeroes,
	.discard = disk_discard,
};

static int fail(const struct disk *disk, int error)
{
	say("%s: %s", disk->path, error_text(error));
	return -error;
}

/* A disk that cannot be written may be one to read. */
static int fail_open(const struct disk *disk, int error)
{
	if ((error != EROFS && error != EACCES) || disk->backend.read_only ||
		access(disk->path, R_OK) < 0)
		return fail(disk, error);
	say("%s: %s; \",ro\" has the disk be read-only, \",private\" keeps what is written in "
	    "memory",
		disk->path, error_text(error));
	return -error;
}

/* Finds the bytes of a regular file or block device with lseek(2). Other files are refused. */
static int find_bytes(const struct disk *disk, uint64_t *bytes)
{
	struct stat st;
	off_t size;

	if (fstat(disk->fd, &st) < 0)
		return fail(disk, errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		say("%s: neither a file nor a block device", disk->path);
		return -EINVAL;
	}
	size = lseek(disk->fd, 0, SEEK_END);
	if (size < 0)
		return fail(disk, errno);
	if (size == 0) {
		say("%s: empty: a disk has at least one block of %u bytes", disk->path,
			disk->backend.block_size);
		return -EINVAL;
	}
	*bytes = (uint64_t)size;
	return 0;
}

static int find_size(const struct disk *disk, uint64_t *sectors)
{
	unsigned block_size = disk->backend.block_size;
	uint64_t size = 0;
	int ret = find_bytes(disk, &size);

	if (ret < 0)
		return ret;
	if (size % block_size != 0) {
		say("%s: size %" PRIu64 " is not a multiple of %u", disk->path, size, block_size);
		return -EINVAL;
	}
	*sectors = size / VIRTIO_BLK_SECTOR_SIZE;
	return 0;
}

int disk_refresh_size(struct disk *disk)
{
	uint64_t before = disk->backend.capacity, now = before;
	int ret = find_size(disk, &now);

	if (ret < 0) {
		say("%s: stays a disk of %" PRIu64 " sectors", disk->path, before);
		return ret;
	}
	if (now == before)
		return 0;
	say("%s: %" PRIu64 " sectors, was %" PRIu64, disk->path, now, before);
	disk->backend.capacity = now;
	return 1;
}

/* Returns the logical block size: the one that the user wanted (not 0), else a block device's own,
 * because accesses to parts of its blocks are slow, else DISK_BLOCK_MIN. */
static unsigned find_block_size(const struct disk *disk, unsigned wanted)
{
	int size;

	if (wanted != 0)
		return wanted;
	if (ioctl(disk->fd, BLKSSZGET, &size) < 0 || size < DISK_BLOCK_MIN || size > DISK_BLOCK_MAX)
		return DISK_BLOCK_MIN;
	return (unsigned)size;
}

/* Finds the physical block size of the host's storage, which has a default, so failures are
 * ignored. Whether storage can be deallocated is known only after an attempt, and an attempt would
 * change the user's file; the guest is told that it can, and disk_discard() and
 * disk_write_zeroes() do without where it cannot. */
static void probe_storage(struct disk *disk)
{
	struct stat st;
	unsigned unit = 0;

	disk->backend.can_unmap = true;
	if (fstat(disk->fd, &st) < 0)
		return;
	if (S_ISREG(st.st_mode))
		unit = (unsigned)st.st_blksize;
	else
		ioctl(disk->fd, BLKPBSZGET, &unit);
	if (unit >= VIRTIO_BLK_SECTOR_SIZE && unit <= DISK_UNIT_MAX && (unit & (unit - 1)) == 0)
		disk->backend.unit = unit;
}

/* Refuses a read-only block device for a writable disk, because open(2) permits writing to it. */
static int check_protection(const struct disk *disk)
{
	int protected = 0;

	if (disk->backend.read_only || ioctl(disk->fd, BLKROGET, &protected) < 0 || !protected)
		return 0;
	say("%s: the block device is read-only; so must the disk be: \",ro\"", disk->path);
	return -EROFS;
}

static int lock(const struct disk *disk)
{
	int ret = file_lock(disk->fd, disk->backend.read_only);

	if (ret == -EBUSY)
		file_say_in_use(disk->fd, "", disk->path);
	else if (ret < 0)
		return fail(disk, -ret);
	return ret;
}

/* Returns -EINVAL (said) for an image that is not raw, else 0; -errno (said) if that cannot be
 * found out. An image of another format has any size, which is not the disk's. */
static int refuse_format(const struct disk *disk)
{
	const char *format = NULL;
	uint64_t size = 0;
	int ret = find_bytes(disk, &size);

	if (ret < 0)
		return ret;
	ret = disk_format(disk->fd, size, &format);
	if (ret < 0) {
		say("%s: %s, so it cannot be told whether its bytes are those of a raw disk; "
		    "\",format=raw\" insists that they are",
			disk->path, error_text(-ret));
		return ret;
	}
	if (!format)
		return 0;
	say("%s: an image of the format %s; a disk is raw bytes. Convert it (qemu-img convert -O "
	    "raw), or insist on its bytes with \",format=raw\"",
		disk->path, format);
	return -EINVAL;
}

int disk_open(struct disk *disk, const struct disk_options *options, unsigned index)
{
	char id[VIRTIO_BLK_ID_BYTES + 1];
	int ret;

	*disk = (struct disk){
		.backend = {.ops = &disk_ops,
			.read_only = options->read_only,
			.unit = VIRTIO_BLK_SECTOR_SIZE},
		.path = options->path,
	};
	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	disk->fd = TEMP_FAILURE_RETRY(open(options->path,
		(options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	if (disk->fd < 0)
		return fail_open(disk, errno);
	if (options->serial)
		snprintf(id, sizeof id, "%s", options->serial);
	else
		snprintf(id, sizeof id, "disk%u", index);
	memcpy(disk->backend.id, id, strlen(id)); /* ends in NULs, or at its full length */
	disk->backend.block_size = find_block_size(disk, options->block_size);
	ret = options->is_raw ? 0 : refuse_format(disk);
	if (ret == 0)
		ret = find_size(disk, &disk->backend.capacity);
	if (ret == 0)
		ret = check_protection(disk);
	if (ret == 0)
		ret = lock(disk);
	if (ret == 0)
		probe_storage(disk);
	return ret;
}

void disk_close(struct disk *disk)
{
	file_close(&disk->fd);
	*disk = DISK_EMPTY;
}
