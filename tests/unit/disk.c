/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk image behind the block device: what reaches the file, and when it is on stable storage.
 * The program's own functions take the place of the C library's; they count, and fail if they are
 * told to. */
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

#define SECTORS 8

static struct {
	unsigned calls;
	int fd, error;
} synced;

/* How often a signal comes while the host is at it. */
static unsigned interruptions;

static bool interrupted(void)
{
	if (interruptions == 0)
		return false;
	interruptions--;
	errno = EINTR;
	return true;
}

ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
	return interrupted() ? -1 : syscall(SYS_pread64, fd, bytes, len, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return interrupted() ? -1 : syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int fdatasync(int fd)
{
	if (interrupted())
		return -1;
	synced.calls++;
	synced.fd = fd;
	errno = synced.error;
	return synced.error ? -1 : 0;
}

#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO  FALLOC_FL_ZERO_RANGE

static struct {
	unsigned punches, zeroings;
	int punch_error, zero_error;
} allocated;

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	int error = mode == ZERO ? allocated.zero_error : allocated.punch_error;

	if (interrupted())
		return -1;
	if (mode == ZERO)
		allocated.zeroings++;
	else if (mode == PUNCH)
		allocated.punches++;
	else
		error = EINVAL; /* nothing else is asked for */
	if (!error)
		return (int)syscall(SYS_fallocate, fd, mode, offset, len);
	errno = error;
	return -1;
}

/* The image is a block device that is read-only. */
static bool protected;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	if (request != BLKROGET || !protected)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	*(int *)argument = 1;
	return 0;
}

static char path[] = "/tmp/vole-disk-XXXXXX";

static void image_make(void)
{
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, SECTORS * 512) < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static struct block_backend *open_image(struct disk *disk, bool read_only, const char *serial)
{
	struct disk_options options = {.path = path, .read_only = read_only, .serial = serial};

	synced.calls = 0;
	synced.error = 0;
	is(disk_open(disk, &options, 3), 0, "an image is opened %s",
		read_only ? "read-only" : "for writing");
	is(disk->backend.capacity, SECTORS, "with its size");
	return &disk->backend;
}

static ssize_t write_at(struct block_backend *backend, const char *text, uint64_t offset)
{
	struct iovec iov = {(void *)text, strlen(text)};

	return backend->ops->write(backend, &iov, 1, offset);
}

static void test_flush(void)
{
	struct disk disk;
	struct block_backend *backend = open_image(&disk, false, NULL);
	char back[6] = "";

	is(write_at(backend, "data", 512), 4, "a write");
	is(synced.calls, 0, "5.2.6.2 is not made stable by itself");
	is(pread(disk.fd, back, 4, 512), 4, "BLK-DEV-02 (5.2.6.2) but is in the file");
	ok(strcmp(back, "data") == 0, "BLK-DEV-02 (5.2.6.2) before it completes");
	is(backend->ops->flush(backend), 0, "a flush");
	is(synced.calls, 1, "BLK-DEV-02 BLK-DEV-03 (5.2.6.2) has the host make it stable");
	is(synced.fd, disk.fd, "BLK-DEV-02 BLK-DEV-03 (5.2.6.2) through the file written to");

	synced.error = EIO;
	capture_begin();
	is(backend->ops->flush(backend), (uint64_t)-EIO,
		"BLK-DEV-02 (5.2.6.2) a host that cannot is no success");
	synced.calls = 0;
	synced.error = 0;
	is(backend->ops->flush(backend), (uint64_t)-EIO,
		"BLK-DEV-02 (5.2.6.2) nor later, when it could: data may be lost");
	is(synced.calls, 0, "and it is not asked");
	is(write_at(backend, "more", 0), 4, "a write after that works");
	is(backend->ops->flush(backend), (uint64_t)-EIO, "and its flush does not");
	is(capture_lines(capture_end()), 1, "HARD-26 and is reported once");
	disk_close(&disk);
}

/* The guest knows nothing of the host's signals. */
static void test_interrupted(void)
{
	struct disk disk;
	struct block_backend *backend = open_image(&disk, false, NULL);
	char back[4];

	interruptions = 2;
	is(write_at(backend, "data", 512), 4, "HARD-26 a write that is interrupted is done again");
	interruptions = 2;
	is(backend->ops->read(backend, &(struct iovec){back, 4}, 1, 512), 4, "HARD-26 and a read");
	interruptions = 2;
	is(backend->ops->flush(backend), 0, "HARD-26 and a flush");
	interruptions = 2;
	is(backend->ops->write_zeroes(backend, 512, 512, true), 0, "HARD-26 and zeroing");
	is(interruptions, 0, "HARD-26 that was tried");
	disk_close(&disk);
}

/* Each in its place, whether the host is asked for one segment or for a list. */
static void test_segments(void)
{
	struct disk disk;
	struct block_backend *backend = open_image(&disk, false, NULL);

	for (unsigned count = 1; count <= 3; count++) {
		char out[] = "abcdef", in[] = "......";
		struct iovec from[] = {{out, 1}, {out + 1, 2}, {out + 3, 3}};
		struct iovec to[] = {{in, 1}, {in + 1, 2}, {in + 3, 3}};
		ssize_t len = count * (count + 1) / 2;

		is(backend->ops->write(backend, from, count, 1024 * count), len,
			"%u segments are written", count);
		is(backend->ops->read(backend, to, count, 1024 * count), len,
			"%u segments are read", count);
		ok(memcmp(in, out, len) == 0 && strspn(in + len, ".") == 6 - (size_t)len,
			"%u segments hold what was written, in their order", count);
	}
	disk_close(&disk);
}

static void test_read_only(void)
{
	struct disk disk;
	struct block_backend *backend = open_image(&disk, true, NULL);

	is(fcntl(disk.fd, F_GETFL) & O_ACCMODE, O_RDONLY,
		"BLK-DEV-01 (5.2.6.2) the host's file is opened for reading only");
	capture_begin();
	ok(write_at(backend, "data", 0) < 0, "BLK-DEV-01 (5.2.6.2) and cannot be written");
	capture_end();
	disk_close(&disk);
}

static void test_protected(void)
{
	struct disk_options options = {.path = path};
	struct disk disk;

	protected = true;
	capture_begin();
	is(disk_open(&disk, &options, 0), -EROFS, "a read-only block device is not one to write");
	is(capture_lines(capture_end()), 1, "which is said");
	disk_close(&disk);
	open_image(&disk, true, NULL);
	disk_close(&disk);
	protected = false;
}

/* An image without a zero byte, but for [begin, end). */
static bool zeroed_between(int fd, size_t begin, size_t end)
{
	uint8_t bytes[SECTORS * 512];

	if (pread(fd, bytes, sizeof bytes, 0) != sizeof bytes)
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		if ((bytes[i] == 0) != (i >= begin && i < end))
			return false;
	return true;
}

static void image_fill(int fd)
{
	uint8_t bytes[SECTORS * 512];

	memset(bytes, 0xa5, sizeof bytes);
	ok(pwrite(fd, bytes, sizeof bytes, 0) == sizeof bytes, "the image is full of bytes");
}

static void test_write_zeroes(void)
{
	static const struct {
		bool unmap;
		int punch_error, zero_error;
		unsigned punches, zeroings;
		const char *how;
	} cases[] = {
		{false, 0, 0, 0, 1, "by the file system"},
		{false, 0, EOPNOTSUPP, 0, 1, "by writing, on a file system that cannot"},
		{true, 0, 0, 1, 0, "by a hole"},
		{true, EOPNOTSUPP, 0, 1, 1, "without a hole, where there are none"},
		{true, EINVAL, EINVAL, 1, 1, "by writing, for a range that is too odd"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct disk disk;
		struct block_backend *backend = open_image(&disk, false, NULL);

		image_fill(disk.fd);
		allocated.punches = allocated.zeroings = 0;
		allocated.punch_error = cases[i].punch_error;
		allocated.zero_error = cases[i].zero_error;
		is(backend->ops->write_zeroes(backend, 512, 3 * 512, cases[i].unmap), 0,
			"zeroes %s", cases[i].how);
		ok(zeroed_between(disk.fd, 512, 4 * 512),
			"BLK-DEV-09 (5.2.6.2) are where they should be, and nowhere else");
		is(allocated.punches, cases[i].punches, "holes that were tried");
		is(allocated.zeroings, cases[i].zeroings, "and zeroings");
		allocated.punch_error = allocated.zero_error = 0;
		disk_close(&disk);
	}
}

/* More than one call can take, and not a whole number of pages. */
static void test_write_many_zeroes(void)
{
	const size_t len = (3 << 20) + 512;
	uint8_t *bytes = malloc(len + 1024);
	struct block_backend *backend;
	struct disk disk;
	size_t wrong = 0;

	backend = open_image(&disk, false, NULL);
	memset(bytes, 0xa5, len + 1024);
	ok(pwrite(disk.fd, bytes, len + 1024, 0) == (ssize_t)(len + 1024), "a longer file");
	allocated.zero_error = EOPNOTSUPP;
	is(backend->ops->write_zeroes(backend, 512, len, false), 0,
		"3 MiB and 512 bytes of zeroes");
	allocated.zero_error = 0;
	ok(pread(disk.fd, bytes, len + 1024, 0) == (ssize_t)(len + 1024), "read back");
	for (size_t i = 0; i < len + 1024; i++)
		wrong += (bytes[i] == 0) != (i >= 512 && i < 512 + len);
	is(wrong, 0, "BLK-DEV-09 (5.2.6.2) are written to the last byte, and no further");
	ok(ftruncate(disk.fd, SECTORS * 512) == 0, "the file as it was");
	free(bytes);
	disk_close(&disk);
}

static void test_discard(void)
{
	static const int harmless[] = {EOPNOTSUPP, EINVAL, ENOSYS};
	struct disk disk;
	struct block_backend *backend = open_image(&disk, false, NULL);
	struct stat st;

	image_fill(disk.fd);
	allocated.punches = 0;
	is(backend->ops->discard(backend, 512, 1024), 0, "5.2.6 a discard");
	is(allocated.punches, 1, "5.2.6 makes a hole");
	ok(fstat(disk.fd, &st) == 0 && st.st_size == SECTORS * 512, "the file keeps its size");
	is(backend->ops->discard(backend, SECTORS * 512 - 512, 512), 0, "5.2.6 also at its end");
	ok(fstat(disk.fd, &st) == 0 && st.st_size == SECTORS * 512, "where it keeps it too");
	for (unsigned i = 0; i < 3; i++) {
		allocated.punch_error = harmless[i];
		is(backend->ops->discard(backend, 0, 512), 0,
			"5.2.6 a host that cannot (%s) need not", strerror(harmless[i]));
	}
	allocated.punch_error = EIO;
	capture_begin();
	is(backend->ops->discard(backend, 0, 512), (uint64_t)-EIO, "5.2.6 one that fails, fails");
	is(backend->ops->write_zeroes(backend, 0, 512, true), (uint64_t)-EIO,
		"BLK-DEV-09 (5.2.6.2) and so with zeroes");
	is(capture_lines(capture_end()), 1, "HARD-26 and is reported once");
	allocated.punch_error = 0;
	disk_close(&disk);
}

static void test_nature(void)
{
	struct disk disk;
	struct block_backend *backend;
	struct stat st;

	allocated.punches = allocated.zeroings = 0;
	backend = open_image(&disk, false, NULL);

	fstat(disk.fd, &st);
	is(backend->block_size, 512, "5.2.4 a file has blocks of 512 bytes");
	is(backend->unit, st.st_blksize, "5.2.4 the unit is a block of the file system");
	ok(backend->can_unmap, "BLK-DEV-23 (5.2.6.2) which may be able to make holes");
	is(allocated.punches + allocated.zeroings, 0,
		"and nobody tries that on a file of the user's");
	disk_close(&disk);
}

static void test_block_size(void)
{
	struct disk_options options = {.path = path, .block_size = 4096};
	struct disk disk;

	is(disk_open(&disk, &options, 0), 0, "an image of one block of 4096 bytes");
	is(disk.backend.block_size, 4096, "5.2.4 which the guest is told");
	is(disk.backend.capacity, SECTORS, "BLK-DEV-16 (5.2.4) and 512 bytes are a sector");
	disk_close(&disk);
	options.block_size = 8192;
	capture_begin();
	is(disk_open(&disk, &options, 0), (uint64_t)-EINVAL, "an image of half a block");
	ok(strstr(capture_end(), "size 4096 is not a multiple of 8192"), "says why");
	disk_close(&disk);
}

static void test_look_again(void)
{
	struct disk disk;
	const struct block_backend *backend = open_image(&disk, false, NULL);

	capture_begin();
	is(disk_refresh_size(&disk), 0, "an image as it was");
	is(capture_lines(capture_end()), 0, "is nothing to talk about");
	ok(truncate(path, 2 * SECTORS * 512) == 0, "one that has grown");
	capture_begin();
	is(disk_refresh_size(&disk), 1, "BLK-DEV-20 is noticed");
	ok(strstr(capture_end(), "16 sectors, was 8"), "and said");
	is(backend->capacity, 2 * SECTORS, "BLK-DEV-20 with its size");
	ok(truncate(path, SECTORS * 512 + 1) == 0, "one that is no disk any more");
	capture_begin();
	is(disk_refresh_size(&disk), (uint64_t)-EINVAL, "is none");
	is(capture_lines(capture_end()), 2, "and said");
	is(backend->capacity, 2 * SECTORS, "and keeps its size");
	ok(truncate(path, 0) == 0, "one that is empty");
	capture_begin();
	is(disk_refresh_size(&disk), (uint64_t)-EINVAL, "is none");
	capture_end();
	is(backend->capacity, 2 * SECTORS, "and keeps its size too");
	ok(truncate(path, SECTORS * 512) == 0, "one that has shrunk");
	capture_begin();
	is(disk_refresh_size(&disk), 1, "BLK-DEV-20 is noticed");
	capture_end();
	is(backend->capacity, SECTORS, "BLK-DEV-20 with its size");
	disk_close(&disk);
}

/* The file shrank, and nobody said so. */
static void test_shrunk(void)
{
	struct disk disk;
	struct block_backend *backend = open_image(&disk, false, NULL);
	char byte;
	struct iovec iov = {&byte, 1};

	ok(truncate(path, 512) == 0, "an image that is cut behind vole's back");
	capture_begin();
	is(backend->ops->read(backend, &iov, 1, 512), (uint64_t)-ENODATA,
		"HARD-26 a read there gets nothing");
	ok(strstr(capture_end(), "read at byte 512"), "HARD-26 and that is said");
	is(backend->ops->read(backend, &iov, 1, 511), 1, "5.2.6 one before gets its data");
	is(write_at(backend, "data", 4 * 512), 4, "5.2.6 a write makes it longer again");
	ok(truncate(path, SECTORS * 512) == 0, "the image as it was");
	disk_close(&disk);
}

static void test_id(void)
{
	static const struct {
		const char *serial, id[20];
	} ids[] = {
		{NULL, "disk3"},
		{"", ""},
		{"ab", "ab"},
		{"0123456789abcdef012", "0123456789abcdef012"},
		{"0123456789abcdef0123", "0123456789abcdef0123"},
	};

	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct disk disk;
		const struct block_backend *backend = open_image(&disk, true, ids[i].serial);

		ok(memcmp(backend->id, ids[i].id, sizeof ids[i].id) == 0,
			"BLK-DEV-15 (5.2.6) id \"%.20s\", padded with NULs", ids[i].id);
		disk_close(&disk);
	}
}

int main(void)
{
	image_make();
	test_flush();
	test_interrupted();
	test_segments();
	test_read_only();
	test_protected();
	test_write_zeroes();
	test_write_many_zeroes();
	test_discard();
	test_nature();
	test_block_size();
	test_look_again();
	test_shrunk();
	test_id();
	unlink(path);
	return tap_done();
}
