/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk image behind the block device: what reaches the file, and when it is on stable storage.
 * The program's own fdatasync() takes the place of the C library's, and counts. */
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"

#define SECTORS 8

static struct {
	unsigned calls;
	int fd, error;
} synced;

int fdatasync(int fd)
{
	synced.calls++;
	synced.fd = fd;
	errno = synced.error;
	return synced.error ? -1 : 0;
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
	is(backend->ops->flush(backend), (uint64_t)-EIO, "BLK-DEV-02 (5.2.6.2) nor later");
	is(capture_lines(capture_end()), 1, "HARD-26 and is reported once");
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
	test_read_only();
	test_id();
	unlink(path);
	return tap_done();
}
