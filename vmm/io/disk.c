/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "container.h"
#include "io/file.h"
#include "log.h"

static struct disk *disk_of(struct block_backend *backend)
{
	return container_of(backend, struct disk, backend);
}

/* The guest learns of an error by its request's status; the user, once, by this. */
static void say_once(struct disk *disk, const char *what, uint64_t offset, int error)
{
	if (disk->said)
		return;
	disk->said = true;
	say("%s: %s at byte %" PRIu64 ": %s (said once; the guest gets an I/O error each time)",
		disk->path, what, offset, strerror(error));
}

static ssize_t disk_read(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct disk *disk = disk_of(backend);
	ssize_t ret = preadv(disk->fd, iov, (int)count, (off_t)offset);

	if (ret < 0) {
		ret = -errno;
		say_once(disk, "read", offset, (int)-ret);
	}
	return ret;
}

static ssize_t disk_write(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct disk *disk = disk_of(backend);
	ssize_t ret = pwritev(disk->fd, iov, (int)count, (off_t)offset);

	if (ret < 0) {
		ret = -errno;
		say_once(disk, "write", offset, (int)-ret);
	}
	return ret;
}

static int disk_flush(struct block_backend *backend)
{
	struct disk *disk = disk_of(backend);
	int ret = 0;

	if (!backend->read_only && fdatasync(disk->fd) < 0) {
		ret = -errno;
		say_once(disk, "flush", 0, -ret);
	}
	return ret;
}

static const struct block_backend_ops disk_ops = {
	.read = disk_read,
	.write = disk_write,
	.flush = disk_flush,
};

static int fail(const struct disk *disk, int error)
{
	say("%s: %s", disk->path, strerror(error));
	return -error;
}

/* Regular files and block devices have a size that lseek() tells; others are no disks. */
static int find_size(struct disk *disk)
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
		say("%s: empty: a disk has at least one sector of %d bytes", disk->path,
			VIRTIO_BLK_SECTOR_SIZE);
		return -EINVAL;
	}
	if (size % VIRTIO_BLK_SECTOR_SIZE != 0) {
		say("%s: size %jd is not a multiple of %d", disk->path, (intmax_t)size,
			VIRTIO_BLK_SECTOR_SIZE);
		return -EINVAL;
	}
	disk->backend.capacity = (uint64_t)size / VIRTIO_BLK_SECTOR_SIZE;
	return 0;
}

static int lock(const struct disk *disk)
{
	int ret = file_lock(disk->fd, disk->backend.read_only);

	if (ret == -EBUSY)
		say("%s: in use by another vole%s", disk->path,
			disk->backend.read_only ? ", which may write it" : "");
	else if (ret < 0)
		return fail(disk, -ret);
	return ret;
}

int disk_open(struct disk *disk, const struct disk_options *options, unsigned index)
{
	char id[VIRTIO_BLK_ID_BYTES + 1];
	int ret;

	*disk = (struct disk){
		.backend = {.ops = &disk_ops, .read_only = options->read_only},
		.path = options->path,
	};
	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	disk->fd = open(options->path,
		(options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (disk->fd < 0)
		return fail(disk, errno);
	if (options->serial)
		snprintf(id, sizeof id, "%s", options->serial);
	else
		snprintf(id, sizeof id, "disk%u", index);
	memcpy(disk->backend.id, id, strlen(id)); /* ends in NULs, or at its full length */
	ret = find_size(disk);
	return ret < 0 ? ret : lock(disk);
}

void disk_close(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	*disk = DISK_EMPTY;
}
