/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BLOCK_FIXTURE_H
#define TESTS_BLOCK_FIXTURE_H

/* A block device with a fake disk, each sector of which is filled with its number plus 1, and its
 * driver. */

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "block.h"
#include "driver.h"
#include "ring_forms.h"
#include "tap.h"

#define FLUSH VIRTIO_BIT(VIRTIO_BLK_F_FLUSH)
#define WCE   VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE)
#define RO    VIRTIO_BIT(VIRTIO_BLK_F_RO)
#define MQ    VIRTIO_BIT(VIRTIO_BLK_F_MQ)

#define DISCARD VIRTIO_BIT(VIRTIO_BLK_F_DISCARD)
#define ZEROES  VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES)

#define UNMAP VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

#define CONFIG    VIRTIO_MMIO_CONFIG
#define WRITEBACK (CONFIG + 32)

#define NO_STATUS 0xff /* what the driver puts there; the device does not write it */

struct fixture {
	struct driver d;
	struct fake_block host;
	struct virtio_block blk;
	struct ring *ring;
	gpa_t header, data, status; /* where requests are put; data is 64 KiB, then comes status */
};

/* A disk, and then a device with it or with another. */
static inline struct fixture *prepare(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_block_init(&f->host);
	return f;
}

static inline struct fixture *attach_queues(
	struct fixture *f, struct block_backend *backend, unsigned queues)
{
	virtio_block_init(&f->blk, backend, queues, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->blk.dev);
	f->ring = &f->d.rings[0];
	f->header = ram_alloc(&f->d.ram, 64, 16);
	f->data = ram_alloc(&f->d.ram, 65536 + 16, 4096);
	f->status = f->data + 65536;
	return f;
}

static inline struct fixture *attach(struct fixture *f, struct block_backend *backend)
{
	return attach_queues(f, backend, 1);
}

static inline struct fixture *setup_host(bool read_only)
{
	struct fixture *f = prepare();

	f->host.backend.read_only = read_only;
	return attach(f, &f->host.backend);
}

static inline struct fixture *setup(uint64_t features)
{
	struct fixture *f = setup_host(false);

	driver_start(&f->d, features);
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static inline void put_header(struct fixture *f, uint32_t type, uint64_t sector)
{
	struct virtio_blk_req header = {cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(sector)};

	memcpy(ram_at(&f->d.ram, f->header), &header, sizeof header);
	memset(ram_at(&f->d.ram, f->status), NO_STATUS, 16);
}

static inline uint8_t get_status(struct fixture *f)
{
	return *(uint8_t *)ram_at(&f->d.ram, f->status);
}

/* Have a chain served. Its used length; a value no length has if it did not come back. */
static inline uint64_t submit(struct fixture *f, const struct buffer *buffers, unsigned count)
{
	uint16_t head = ring_add(f->ring, buffers, count);
	struct used used;

	driver_kick(&f->d, 0);
	return ring_take(f->ring, &used) && used.id == head ? used.len : UINT64_MAX;
}

/* A request in the usual form: header, data if there is any, status. */
static inline uint64_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len)
{
	bool write = type != VIRTIO_BLK_T_OUT;
	struct buffer buffers[] = {
		{f->header, 16, false}, {f->data, len, write}, {f->status, 1, true}};

	put_header(f, type, sector);
	return submit(f, buffers, 3);
}

struct segment {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* A discard or write zeroes of these segments. Its status. */
static inline uint8_t request_segments(
	struct fixture *f, uint32_t type, const struct segment *segments, unsigned count)
{
	struct virtio_blk_discard_write_zeroes *data = ram_at(&f->d.ram, f->data);
	struct buffer buffers[] = {{f->header, 16, false}, {f->data, count * sizeof *data, false},
		{f->status, 1, true}};

	for (unsigned i = 0; i < count; i++)
		data[i] = (struct virtio_blk_discard_write_zeroes){cpu_to_le64(segments[i].sector),
			cpu_to_le32(segments[i].sectors), cpu_to_le32(segments[i].flags)};
	put_header(f, type, 0);
	submit(f, buffers, 3);
	return get_status(f);
}

static inline uint8_t request_segment(
	struct fixture *f, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	return request_segments(f, type, &(struct segment){sector, sectors, flags}, 1);
}

/* Whether the disk has this byte from one sector up to another, and what it had before around
 * it. */
static inline bool disk_has(struct fixture *f, uint8_t byte, unsigned begin, unsigned end)
{
	for (unsigned i = 0; i < sizeof f->host.disk; i++) {
		unsigned sector = i / 512;
		bool inside = sector >= begin && sector < end;

		if (f->host.disk[i] != (inside ? byte : sector + 1))
			return false;
	}
	return true;
}

/* A disk without end, of which nothing is kept but how much was transferred. */
struct endless {
	struct block_backend backend;
	uint64_t transferred, step_max; /* bytes: in all, and at most in a call */
	unsigned flushes;
};

static inline ssize_t endless_move(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset)
{
	struct endless *endless = (struct endless *)backend;
	uint64_t len = 0;

	(void)offset;
	for (unsigned i = 0; i < count; i++)
		len += iov[i].iov_len;
	endless->transferred += len;
	if (len > endless->step_max)
		endless->step_max = len;
	return len;
}

static inline int endless_flush(struct block_backend *backend)
{
	((struct endless *)backend)->flushes++;
	return 0;
}

#define STEP (1u << 20) /* bytes after which others have their turn */

/* A device with such a disk, and in its queue a request of 15 chunks of 1 MiB less its status. */
static inline struct fixture *setup_endless(
	struct endless *endless, unsigned queues, uint64_t features, uint32_t type)
{
	static const struct block_backend_ops ops = {
		.read = endless_move, .write = endless_move, .flush = endless_flush};
	struct fixture *f = prepare();
	bool write = type == VIRTIO_BLK_T_OUT;
	gpa_t large = ram_alloc(&f->d.ram, STEP, 4096);
	struct buffer buffers[17];

	*endless = (struct endless){
		.backend = {.ops = &ops, .capacity = 1 << 20, .block_size = 512, .unit = 512}};
	attach_queues(f, &endless->backend, queues);
	driver_negotiate(&f->d, features);
	driver_setup(&f->d, 0, 64);
	driver_ok(&f->d);
	driver_serve(&f->d);
	put_header(f, type, 0);
	buffers[0] = (struct buffer){f->header, 16, false};
	for (unsigned i = 1; i < 16; i++)
		buffers[i] = (struct buffer){large, STEP, !write};
	buffers[16] = (struct buffer){f->status, 1, true};
	ring_add(f->ring, buffers, 17);
	return f;
}

/* Whether a write is stable when it completes. */
static inline bool write_is_stable(struct fixture *f)
{
	request(f, VIRTIO_BLK_T_FLUSH, 0, 0);
	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	return f->host.unstable == 0;
}

#endif
