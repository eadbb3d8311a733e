/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request to any of vole's devices costs no allocation, no lock that is taken twice, and no copy
 * of the payload. The linker leads all calls of the functions below
 * here first, those of the C library too where it is linked statically.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "block.h"
#include "console.h"
#include "io/disk.h"
#include "rng.h"

#define REQUESTS 5 /* of three descriptors, in a queue of DRIVER_QUEUE_SIZE */

/* --- what is counted -------------------------------------------------------------------------- */

static struct {
	unsigned allocations, locks;
	unsigned moves; /* of payload, to or from the host ... */
	gpa_t from;     /* ... within 4 KiB from here, in ... */
	struct ram *ram;
	unsigned copies; /* ... or not */
} counts;

#define COUNTED(type, name, field, parameters, arguments) \
	type __real_##name parameters;                    \
	type __wrap_##name parameters;                    \
	type __wrap_##name parameters                     \
	{                                                 \
		counts.field++;                           \
		return __real_##name arguments;           \
	}

COUNTED(void *, malloc, allocations, (size_t size), (size))
COUNTED(void *, calloc, allocations, (size_t count, size_t size), (count, size))
COUNTED(void *, realloc, allocations, (void *old, size_t size), (old, size))
COUNTED(void *, aligned_alloc, allocations, (size_t align, size_t size), (align, size))
COUNTED(int, pthread_mutex_lock, locks, (pthread_mutex_t * mutex), (mutex))

/* The host was given this memory: it is the guest's buffer itself, or a copy. Before there is a
 * guest, it is something else. */
static void note_payload(uintptr_t at, size_t len)
{
	uintptr_t buffer;

	if (!counts.ram)
		return;
	buffer = (uintptr_t)ram_at(counts.ram, counts.from);
	if (at >= buffer && len <= 4096 && at + len <= buffer + 4096)
		counts.moves++;
	else
		counts.copies++;
}

/* Instead of the C library's, for vmm/disk.c. */
ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
	note_payload((uintptr_t)bytes, len);
	return lseek(fd, offset, SEEK_SET) < 0 ? -1 : read(fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	note_payload((uintptr_t)bytes, len);
	return lseek(fd, offset, SEEK_SET) < 0 ? -1 : write(fd, bytes, len);
}

/* --- the least back ends ---------------------------------------------------------------------- */

static ssize_t note_segments(
	struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	ssize_t sum = 0;

	(void)backend;
	for (unsigned i = 0; i < count; i++) {
		note_payload((uintptr_t)iov[i].iov_base, iov[i].iov_len);
		sum += (ssize_t)iov[i].iov_len;
	}
	return sum;
}

static void ignore_want(struct console_backend *backend, bool input, bool output)
{
	(void)backend, (void)input, (void)output;
}

static bool is_connected(struct console_backend *backend)
{
	(void)backend;
	return true;
}

static void no_size(struct console_backend *backend, uint16_t *cols, uint16_t *rows)
{
	(void)backend;
	*cols = *rows = 0;
}

static ssize_t note_fill(struct rng_backend *backend, void *bytes, size_t len)
{
	(void)backend;
	note_payload((uintptr_t)bytes, len);
	return (ssize_t)len;
}

/* --- passes ----------------------------------------------------------------------------------- */

static struct driver driver;

/* Bring it up, with a page for payload. */
static void start(struct virtio_device *dev, uint64_t features)
{
	driver_attach(&driver, dev);
	ok(driver_start(&driver, features), "%s is live", dev->ops->name);
	counts.ram = &driver.ram;
	counts.from = ram_alloc(&driver.ram, 4096, 4096);
}

/* All that was added to the queue is served in one pass, in which the device's lock is taken so
 * often again, since it is not held while the host works. */
static void serve(unsigned queue, unsigned requests, unsigned again, const char *what)
{
	struct used used;
	unsigned done = 0;

	counts.allocations = counts.locks = counts.moves = counts.copies = 0;
	virtio_serve(driver.dev, queue);
	is(counts.allocations, 0, "nothing is allocated for %s", what);
	is(counts.locks, 1 + again, "one lock is taken, once, and %u times again, for %s", again,
		what);
	is(counts.moves, requests, "%s move from or to the guest's buffers", what);
	is(counts.copies, 0, "%s are not copied on the way", what);
	while (ring_take(&driver.rings[queue], &used))
		done++;
	is(done, requests, "%s come back", what);
}

static void test_block(void)
{
	char path[] = "/tmp/vole-request-XXXXXX";
	int fd = mkstemp(path);
	struct disk_options options = {.path = path};
	static struct virtio_block blk;
	struct disk disk;
	gpa_t headers;

	ok(fd >= 0 && ftruncate(fd, 4096) == 0 && disk_open(&disk, &options, 0) == 0, "a disk");
	driver_init(&driver);
	virtio_block_init(&blk, &disk.backend, 1, &driver.ram.gmem, &driver_host_ops, &driver.host);
	start(&blk.dev, VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
	headers = ram_alloc(&driver.ram, REQUESTS * 32, 16);
	for (unsigned i = 0; i < REQUESTS; i++) {
		bool out = i % 2 == 1;
		gpa_t header = headers + 32 * i;
		struct virtio_blk_req req = {.type = cpu_to_le32(VIRTIO_BLK_T_IN + out)};
		const struct buffer buffers[] = {{header, sizeof req, false},
			{counts.from + 512 * i, 512, !out}, {header + 16, 1, true}};

		memcpy(ram_at(&driver.ram, header), &req, sizeof req);
		ring_add(&driver.rings[0], buffers, 3);
	}
	serve(0, REQUESTS, REQUESTS, "reads and writes of a disk");
	driver_free(&driver);
	counts.ram = NULL;
	disk_close(&disk);
	close(fd);
	unlink(path);
}

static void test_console(void)
{
	static const struct console_backend_ops ops = {
		note_segments, note_segments, ignore_want, is_connected, no_size};
	struct console_backend backend = {&ops};
	const struct console_port_host port = {.backend = &backend};
	static struct virtio_console con;

	driver_init(&driver);
	virtio_console_init(
		&con, &port, 1, false, &driver.ram.gmem, &driver_host_ops, &driver.host);
	start(&con.dev, 0);
	for (unsigned i = 0; i < 2 * REQUESTS; i++)
		ring_add_one(&driver.rings[i % 2], counts.from + 100 * i, 100, i % 2 == 0);
	serve(0, REQUESTS, 0, "input of the console");
	serve(1, REQUESTS, 0, "output of the console");
	driver_free(&driver);
	counts.ram = NULL;
}

static void test_rng(void)
{
	static const struct rng_backend_ops ops = {note_fill};
	struct rng_backend backend = {&ops};
	static struct virtio_rng rng;

	driver_init(&driver);
	virtio_rng_init(&rng, &backend, &driver.ram.gmem, &driver_host_ops, &driver.host);
	start(&rng.dev, 0);
	for (unsigned i = 0; i < REQUESTS; i++)
		ring_add_one(&driver.rings[0], counts.from + 100 * i, 100, true);
	serve(0, REQUESTS, 0, "random bytes");
	driver_free(&driver);
	counts.ram = NULL;
}

static void all(void)
{
	test_block();
	test_console();
	test_rng();
}

int main(void)
{
	void *volatile memory = malloc(1);

	ok(counts.allocations > 0, "allocations are counted");
	free(memory);
	for_each_ring_form(all);
	return tap_done();
}
