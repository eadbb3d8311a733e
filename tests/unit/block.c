/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: requests as byte streams, validated before they are executed, answered whatever
 * happens. Each sector of the fake disk is filled with its number plus 1. */
#include "block.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"

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
static struct fixture *prepare(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_block_init(&f->host);
	return f;
}

static struct fixture *attach_queues(
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

static struct fixture *attach(struct fixture *f, struct block_backend *backend)
{
	return attach_queues(f, backend, 1);
}

static struct fixture *setup_host(bool read_only)
{
	struct fixture *f = prepare();

	f->host.backend.read_only = read_only;
	return attach(f, &f->host.backend);
}

static struct fixture *setup(uint64_t features)
{
	struct fixture *f = setup_host(false);

	driver_start(&f->d, features);
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static void put_header(struct fixture *f, uint32_t type, uint64_t sector)
{
	struct virtio_blk_req header = {cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(sector)};

	memcpy(ram_at(&f->d.ram, f->header), &header, sizeof header);
	memset(ram_at(&f->d.ram, f->status), NO_STATUS, 16);
}

static uint8_t get_status(struct fixture *f)
{
	return *(uint8_t *)ram_at(&f->d.ram, f->status);
}

/* Have a chain served. Its used length; a value no length has if it did not come back. */
static uint64_t submit(struct fixture *f, const struct buffer *buffers, unsigned count)
{
	uint16_t head = ring_add(f->ring, buffers, count);
	struct used used;

	driver_kick(&f->d, 0);
	return ring_take(f->ring, &used) && used.id == head ? used.len : UINT64_MAX;
}

/* A request in the usual form: header, data if there is any, status. */
static uint64_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len)
{
	bool write = type != VIRTIO_BLK_T_OUT;
	struct buffer buffers[] = {
		{f->header, 16, false}, {f->data, len, write}, {f->status, 1, true}};

	put_header(f, type, sector);
	return submit(f, buffers, 3);
}

/* --- the usual -------------------------------------------------------------------------------- */

static void test_read(void)
{
	struct fixture *f = setup(FLUSH);

	is(request(f, VIRTIO_BLK_T_IN, 3, 1024), 1025, "BLK-DEV-26 (5.2.6) a read of 2 sectors");
	is(get_status(f), VIRTIO_BLK_S_OK, "5.2.6 is fine");
	ok(ram_is(&f->d.ram, f->data, 4, 512) && ram_is(&f->d.ram, f->data + 512, 5, 512),
		"BLK-DEV-16 (5.2.6) sectors are 512 bytes");
	ok(ram_is(&f->d.ram, f->data + 1024, 0, 512), "and no more is written");
	is(f->d.host.raises, 1, "SPLIT-DEV-06 (2.7.7.2) one interrupt");
	is(request(f, VIRTIO_BLK_T_IN, 0, 0), 1, "BLK-DEV-26 (5.2.6) a read of nothing");
	is(get_status(f), VIRTIO_BLK_S_OK, "is fine too");
	teardown(f);
}

static void test_write(void)
{
	struct fixture *f = setup(FLUSH);

	memset(ram_at(&f->d.ram, f->data), 0x77, 1024);
	is(request(f, VIRTIO_BLK_T_OUT, 3, 1024), 1, "BLK-DEV-26 (5.2.6) a write of 2 sectors");
	is(get_status(f), VIRTIO_BLK_S_OK, "5.2.6 is fine");
	ok(f->host.disk[3 * 512] == 0x77 && f->host.disk[5 * 512 - 1] == 0x77, "it is on the disk");
	ok(f->host.disk[3 * 512 - 1] == 3 && f->host.disk[5 * 512] == 6, "and nothing else is");
	ok(ram_is(&f->d.ram, f->data, 0x77, 1024),
		"SPLIT-DEV-01 PACK-DEV-05 (2.7.5.1) its data is as it was");
	is(f->host.flushes, 0, "5.2.6.2 with FLUSH negotiated, it is not flushed by itself");
	teardown(f);
}

static void test_flush(void)
{
	struct fixture *f = setup(FLUSH);

	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	request(f, VIRTIO_BLK_T_OUT, 1, 512);
	is(f->host.unstable, 2, "two writes that are not stable yet");
	is(request(f, VIRTIO_BLK_T_FLUSH, 0, 0), 1, "BLK-DEV-02 (5.2.6.2) a flush");
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-02 (5.2.6.2) is fine");
	is(f->host.unstable, 0, "BLK-DEV-02 (5.2.6.2) and then all is stable");
	f->host.flush_error = -EIO;
	request(f, VIRTIO_BLK_T_FLUSH, 0, 0);
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-02 (5.2.6.2) a flush that fails says so");
	teardown(f);

	f = setup(0);
	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	is(f->host.unstable, 0,
		"BLK-DEV-03 (5.2.6.2) without FLUSH a write is stable when it ends");
	is(f->host.flushes, 1, "BLK-DEV-03 (5.2.6.2) by a flush of its own");
	request(f, VIRTIO_BLK_T_IN, 0, 512);
	is(f->host.flushes, 1, "BLK-DEV-03 (5.2.6.2) which a read does not need");
	f->host.flush_error = -EIO;
	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-03 (5.2.6.2) if it fails, the write failed");
	request(f, VIRTIO_BLK_T_FLUSH, 0, 0);
	is(get_status(f), VIRTIO_BLK_S_UNSUPP, "BLK-DEV-11 (5.2.6) FLUSH was not negotiated");
	teardown(f);
}

/* Whether a write is stable when it completes. */
static bool write_is_stable(struct fixture *f)
{
	request(f, VIRTIO_BLK_T_FLUSH, 0, 0);
	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	return f->host.unstable == 0;
}

static void test_cache_mode(void)
{
	struct fixture *f = setup(FLUSH | WCE);

	is(access_read(&f->d, WRITEBACK, 1), 1, "5.2.5 with FLUSH and CONFIG_WCE: write-back");
	ok(!write_is_stable(f), "5.2.6.2 a write is not made stable");
	access_write(&f->d, WRITEBACK, 0, 1);
	is(access_read(&f->d, WRITEBACK, 1), 0,
		"BLK-DEV-04 (5.2.5) the driver wants write-through");
	ok(write_is_stable(f), "BLK-DEV-04 (5.2.6.2) and a write is stable when it completes");
	f->host.flush_error = -EIO;
	request(f, VIRTIO_BLK_T_OUT, 0, 512);
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-04 (5.2.6.2) or it failed");
	f->host.flush_error = 0;
	request(f, VIRTIO_BLK_T_FLUSH, 0, 0);
	is(get_status(f), VIRTIO_BLK_S_OK, "5.2.6 a flush is permitted all the same");
	access_write(&f->d, WRITEBACK, 1, 1);
	ok(!write_is_stable(f), "5.2.5 write-back again");
	access_write(&f->d, WRITEBACK, 0, 1);
	driver_start(&f->d, FLUSH | WCE);
	is(access_read(&f->d, WRITEBACK, 1), 1, "BASE-DEV-04 (2.4.1) a reset forgets the choice");
	ok(!write_is_stable(f), "BASE-DEV-04 (2.4.1) and writes are as at first");

	driver_start(&f->d, WCE);
	is(access_read(&f->d, WRITEBACK, 1), 0,
		"BLK-DEV-13 (5.2.5.2) CONFIG_WCE without FLUSH: it starts at 0");
	ok(write_is_stable(f), "BLK-DEV-13 (5.2.6.2) with stable writes");
	access_write(&f->d, WRITEBACK, 1, 1);
	ok(!write_is_stable(f), "5.2.5 and is the driver's to choose");
	teardown(f);
}

/* Writes to writeback that are none. */
static void test_cache_mode_writes(void)
{
	struct fixture *f = setup(FLUSH);

	access_write(&f->d, WRITEBACK, 0, 1);
	is(access_read(&f->d, WRITEBACK, 1), 1,
		"BLK-DEV-19 (5.2.5) without CONFIG_WCE it cannot be written");
	driver_negotiate(&f->d, FLUSH | WCE | UINT64_C(1) << 63);
	access_write(&f->d, WRITEBACK, 0, 1);
	is(access_read(&f->d, WRITEBACK, 1), 1, "BLK-DEV-19 nor before features are agreed on");

	driver_start(&f->d, FLUSH | WCE);
	access_write(&f->d, WRITEBACK, 0, 1);
	access_write(&f->d, WRITEBACK, 2, 1);
	access_write(&f->d, WRITEBACK, 0xff, 1);
	is(access_read(&f->d, WRITEBACK, 1), 0, "BLK-DEV-19 (5.2.6.1) it is 0 or 1");
	access_write(&f->d, WRITEBACK, 1, 1);
	access_write(&f->d, WRITEBACK, 0, 2);
	access_write(&f->d, WRITEBACK, 0, 4);
	access_write(&f->d, WRITEBACK, 0, 8);
	access_write(&f->d, WRITEBACK - 1, 0, 2);
	is(access_read(&f->d, WRITEBACK, 1), 1, "BLK-DEV-19 (4.2.2.2) it is written by itself");
	access_write(&f->d, WRITEBACK, 0, 1);
	is(access_read(&f->d, CONFIG + 32, 4), 0, "and then it is");
	teardown(f);
}

static void test_get_id(void)
{
	static const char *const ids[] = {"", "a", "0123456789abcdef012", "0123456789abcdef0123"};
	static const uint32_t sizes[] = {0, 1, 19, 20, 64};
	struct fixture *f = setup(FLUSH);

	for (unsigned i = 0; i < 4; i++) {
		uint8_t padded[20] = {0};

		memcpy(padded, ids[i], strlen(ids[i]));
		memcpy(f->host.backend.id, padded, 20);
		for (unsigned s = 0; s < 5; s++) {
			uint32_t len = sizes[s], used = len <= 20 ? len + 1 : 20;
			const uint8_t *got = ram_at(&f->d.ram, f->data);
			bool right;

			memset(ram_at(&f->d.ram, f->data), 0xee, 128);
			right = request(f, VIRTIO_BLK_T_GET_ID, 0, len) == used &&
				get_status(f) == VIRTIO_BLK_S_OK &&
				memcmp(got, padded, len < 20 ? len : 20) == 0 &&
				ram_is(&f->d.ram, f->data + (len < 20 ? len : 20), 0xee, 64);
			ok(right, "BLK-DEV-15 HARD-20 (5.2.6) id of %zu characters into %u bytes",
				strlen(ids[i]), len);
		}
	}
	teardown(f);
}

static void test_unsupported(void)
{
	static const uint32_t bad[] = {2, 3, 5, 6, 7, 9, 11, 12, 13, 14, 0x80000000, UINT32_MAX};
	static const uint32_t zoned[] = {15, 16, 18, 20, 22, 24, 26};
	struct fixture *f = setup(FLUSH);

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t used = request(f, bad[i], 0, 512);

		ok(used == 0 && get_status(f) == VIRTIO_BLK_S_UNSUPP,
			"BLK-DEV-11 (5.2.6) type %u is not supported", bad[i]);
	}
	for (unsigned i = 0; i < sizeof zoned / sizeof zoned[0]; i++) {
		request(f, zoned[i], 0, 512);
		is(get_status(f), VIRTIO_BLK_S_UNSUPP, "BLK-DEV-12 (5.2.6.2) nor zoned type %u",
			zoned[i]);
	}
	request(f, VIRTIO_BLK_T_GET_LIFETIME, 0, 6);
	is(get_status(f), VIRTIO_BLK_S_UNSUPP, "BLK-DEV-24 (5.2.6.2) nor GET_LIFETIME");
	is(f->host.reads + f->host.writes + f->host.flushes, 0, "the disk was left alone");
	ok(!driver_failed(&f->d), "and the device goes on");
	teardown(f);
}

static void test_read_only(void)
{
	struct fixture *f = setup_host(true);

	for (unsigned accepted = 0; accepted < 2; accepted++) {
		driver_start(&f->d, FLUSH | (accepted ? RO : 0));
		memset(ram_at(&f->d.ram, f->data), 0x77, 512);
		is(request(f, VIRTIO_BLK_T_OUT, 0, 512), 1,
			"BLK-DEV-01 (5.2.6.2) a write to a read-only disk");
		is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-01 (5.2.6.2) fails, RO %s",
			accepted ? "accepted" : "not accepted");
		is(f->host.writes, 0, "BLK-DEV-01 (5.2.6.2) and writes nothing");
		request(f, VIRTIO_BLK_T_IN, 0, 512);
		is(get_status(f), VIRTIO_BLK_S_OK, "but it can be read");
	}
	teardown(f);
}

/* --- ranges of sectors ------------------------------------------------------------------------ */

struct segment {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* A discard or write zeroes of these segments. Its status. */
static uint8_t request_segments(
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

static uint8_t request_segment(
	struct fixture *f, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	return request_segments(f, type, &(struct segment){sector, sectors, flags}, 1);
}

/* Whether the disk has this byte from one sector up to another, and what it had before around
 * it. */
static bool disk_has(struct fixture *f, uint8_t byte, unsigned begin, unsigned end)
{
	for (unsigned i = 0; i < sizeof f->host.disk; i++) {
		unsigned sector = i / 512;
		bool inside = sector >= begin && sector < end;

		if (f->host.disk[i] != (inside ? byte : sector + 1))
			return false;
	}
	return true;
}

static void test_discard(void)
{
	struct fixture *f = setup(FLUSH | DISCARD);

	is(request_segment(f, VIRTIO_BLK_T_DISCARD, 3, 5, 0), VIRTIO_BLK_S_OK,
		"5.2.6 a discard of 5 sectors");
	ok(disk_has(f, FAKE_DISCARDED, 3, 8), "5.2.6 reaches the disk, and these sectors only");
	is(request_segment(f, VIRTIO_BLK_T_DISCARD, 3, 5, UNMAP), VIRTIO_BLK_S_UNSUPP,
		"BLK-DEV-08 (5.2.6.2) unmap makes no sense in a discard");
	is(f->host.discards, 1, "BLK-DEV-08 (5.2.6.2) which is not done");
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), VIRTIO_BLK_S_UNSUPP,
		"BLK-DEV-11 (5.2.6) write zeroes was not negotiated");
	f->host.fail_after = 0;
	is(request_segment(f, VIRTIO_BLK_T_DISCARD, 3, 5, 0), VIRTIO_BLK_S_IOERR,
		"5.2.6 a host that fails is an I/O error");
	ok(!driver_failed(&f->d), "and nothing else");
	teardown(f);
}

static void test_write_zeroes(void)
{
	struct fixture *f = setup(FLUSH | ZEROES);

	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), VIRTIO_BLK_S_OK,
		"BLK-DEV-09 (5.2.6.2) write zeroes to 5 sectors");
	ok(disk_has(f, 0, 3, 8), "BLK-DEV-09 (5.2.6.2) zeroes are read there, and there only");
	is(f->host.unmappings, 0, "5.2.6.2 storage is kept");
	is(f->host.unstable, 1, "5.2.6.2 with write-back, it is not stable yet");
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 8, 1, UNMAP), VIRTIO_BLK_S_OK,
		"BLK-DEV-09 (5.2.6.2) write zeroes that may unmap");
	ok(disk_has(f, 0, 3, 9), "BLK-DEV-09 (5.2.6.2) gives zeroes too");
	is(f->host.unmappings, 1, "5.2.6.2 and the host is told that it may");
	is(request_segment(f, VIRTIO_BLK_T_DISCARD, 3, 5, 0), VIRTIO_BLK_S_UNSUPP,
		"BLK-DEV-11 (5.2.6) discard was not negotiated");
	f->host.fail_after = 0;
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), VIRTIO_BLK_S_IOERR,
		"5.2.6 a host that fails is an I/O error");
	teardown(f);

	f = setup(ZEROES);
	request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0);
	is(f->host.unstable, 0, "BLK-DEV-03 (5.2.6.2) with write-through, zeroes are stable");
	f->host.flush_error = -EIO;
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), VIRTIO_BLK_S_IOERR,
		"BLK-DEV-03 (5.2.6.2) or it failed");
	teardown(f);
}

/* A mistake in one segment keeps all of them from being done. */
static void test_segments(void)
{
	static const struct {
		struct segment segment;
		uint8_t status;
		const char *what;
	} bad[] = {
		{{0, 1, 1 << 1}, VIRTIO_BLK_S_UNSUPP, "flag bit 1"},
		{{0, 1, 1u << 31 | UNMAP}, VIRTIO_BLK_S_UNSUPP, "flag bits 31 and 0"},
		{{UINT64_MAX, UINT32_MAX, 1u << 31}, VIRTIO_BLK_S_UNSUPP, "a flag and no range"},
		{{FAKE_DISK_SECTORS, 1, 0}, VIRTIO_BLK_S_IOERR, "a sector behind the end"},
		{{FAKE_DISK_SECTORS - 1, 2, 0}, VIRTIO_BLK_S_IOERR, "two sectors over the end"},
		{{UINT64_MAX, 1, 0}, VIRTIO_BLK_S_IOERR, "the last sector of all"},
		{{UINT64_MAX / 512 + 1, 1, 0}, VIRTIO_BLK_S_IOERR, "a sector that overflows"},
	};
	static const uint32_t types[] = {VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES};
	struct fixture *f = setup(FLUSH | DISCARD | ZEROES);
	struct segment segments[3] = {{1, 2, 0}, {0, 0, 0}, {5, 1, 0}};

	for (unsigned t = 0; t < 2; t++) {
		for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			segments[1] = bad[i].segment;
			is(request_segments(f, types[t], segments, 3), bad[i].status,
				"BLK-DEV-07 BLK-DEV-10 HARD-16 (5.2.6.2) type %u: %s", types[t],
				bad[i].what);
		}
		is(f->host.discards + f->host.zeroings, 0,
			"BLK-DEV-07 HARD-17 (5.2.6.2) and no segment is executed");
	}
	segments[1] = (struct segment){FAKE_DISK_SECTORS, 0, 0};
	is(request_segments(f, VIRTIO_BLK_T_WRITE_ZEROES, segments, 3), VIRTIO_BLK_S_OK,
		"5.2.6 an empty segment");
	is(f->host.zeroings, 2, "5.2.6 is not for the host");
	teardown(f);
}

static void test_segment_limits(void)
{
	static const struct {
		uint32_t type;
		unsigned seg_max, sectors_max;
	} types[] = {{VIRTIO_BLK_T_DISCARD, 36 + 4, 36}, {VIRTIO_BLK_T_WRITE_ZEROES, 48 + 4, 48}};
	static const uint32_t lengths[] = {0, 8, 15, 17, 24};
	struct fixture *f = setup(FLUSH | DISCARD | ZEROES);
	struct segment segments[64] = {{0}};
	unsigned *done[] = {&f->host.discards, &f->host.zeroings};

	f->host.backend.capacity = UINT64_MAX / 512;
	virtio_config_changed(&f->blk.dev);
	for (unsigned t = 0; t < 2; t++) {
		uint32_t type = types[t].type;
		uint32_t seg_max = access_read(&f->d, CONFIG + types[t].seg_max, 4);
		uint32_t sectors_max = access_read(&f->d, CONFIG + types[t].sectors_max, 4);

		for (unsigned i = 0; i < 64; i++)
			segments[i] = (struct segment){i, 1, 0};
		is(request_segments(f, type, segments, seg_max), VIRTIO_BLK_S_OK,
			"BLK-DEV-10 (5.2.4) type %u: %u segments", type, seg_max);
		is(*done[t], seg_max, "5.2.6 of which each is done");
		is(request_segments(f, type, segments, seg_max + 1), VIRTIO_BLK_S_IOERR,
			"BLK-DEV-10 HARD-17 (5.2.4) one more");
		f->host.fail_after = 0;
		request_segment(f, type, 0, sectors_max, 0);
		is(*done[t], seg_max + 1, "BLK-DEV-10 (5.2.4) %u sectors get to the host",
			sectors_max);
		f->host.fail_after = SIZE_MAX;
		is(request_segment(f, type, 0, sectors_max + 1, 0), VIRTIO_BLK_S_IOERR,
			"BLK-DEV-10 (5.2.4) %u sectors", sectors_max + 1);
		is(request_segment(f, type, 0, UINT32_MAX, 0), VIRTIO_BLK_S_IOERR,
			"BLK-DEV-10 (5.2.4) 2^32 - 1 sectors");
		for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
			struct buffer buffers[] = {{f->header, 16, false},
				{f->data, lengths[i], false}, {f->status, 1, true}};

			request_segments(f, type, segments, seg_max + 1); /* places good ones */
			put_header(f, type, 0);
			is(submit(f, buffers, 3), 1, "5.2.6 type %u: %u bytes", type, lengths[i]);
			is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-10 (5.2.6) are no segments");
		}
		is(*done[t], seg_max + 1, "BLK-DEV-10 HARD-17 (5.2.6) and none of this is begun");
	}
	teardown(f);
}

/* As many segments as a chain has room for, 64 KiB of them and more, in as many pieces. */
static void test_segments_in_millions(void)
{
	struct fixture *f = setup_host(false);
	gpa_t large = ram_alloc(&f->d.ram, 1 << 20, 4096);
	struct buffer buffers[16];

	driver_start(&f->d, FLUSH | DISCARD | ZEROES);
	buffers[0] = (struct buffer){f->header, 16, false};
	for (unsigned i = 1; i < 15; i++)
		buffers[i] = (struct buffer){large, 1 << 20, false};
	buffers[15] = (struct buffer){f->status, 1, true};
	put_header(f, VIRTIO_BLK_T_DISCARD, 0);
	is(submit(f, buffers, 16), 1, "HARD-17 (5.2.6) 917504 segments");
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-10 HARD-17 (5.2.6) are too many");
	is(f->host.discards, 0, "HARD-17 (5.2.6) and none is executed");
	teardown(f);
}

/* A host whose file cannot do it, and one whose file is not to be written. */
static void test_ranges_offered(void)
{
	struct fixture *f = prepare();

	f->host.backend.can_unmap = false;
	attach(f, &f->host.backend);
	is(driver_offered(&f->d) & (DISCARD | ZEROES), ZEROES,
		"5.2.3 where nothing can be unmapped, DISCARD is not offered");
	is(access_read(&f->d, CONFIG + 56, 1), 0,
		"BLK-DEV-23 (5.2.6.2) and write_zeroes_may_unmap is 0");
	is(access_read(&f->d, CONFIG + 36, 4) | access_read(&f->d, CONFIG + 40, 4) |
			access_read(&f->d, CONFIG + 44, 4),
		0, "BLK-DEV-27 (5.2.4) what is not offered has no limits");
	teardown(f);

	f = setup_host(true);
	is(driver_offered(&f->d) & (DISCARD | ZEROES), 0,
		"BLK-DEV-01 a read-only disk offers neither");
	driver_start(&f->d, FLUSH | RO);
	is(request_segment(f, VIRTIO_BLK_T_DISCARD, 0, 1, 0), VIRTIO_BLK_S_UNSUPP,
		"BLK-DEV-01 and does neither discard");
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), VIRTIO_BLK_S_UNSUPP,
		"BLK-DEV-01 nor write zeroes");
	is(f->host.discards + f->host.zeroings, 0, "BLK-DEV-01 whatever the driver says");
	teardown(f);
}

/* --- judging ---------------------------------------------------------------------------------- */

static void test_range(void)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
		bool good;
	} ranges[] = {
		{FAKE_DISK_SECTORS - 1, 512, true},
		{FAKE_DISK_SECTORS - 1, 1024, false},
		{FAKE_DISK_SECTORS, 512, false},
		{FAKE_DISK_SECTORS, 0, true},
		{FAKE_DISK_SECTORS + 1, 0, false},
		{0, FAKE_DISK_SECTORS * 512, true},
		{0, FAKE_DISK_SECTORS * 512 + 512, false},
		{UINT64_MAX, 512, false},
		{UINT64_MAX, 1024, false},
		{UINT64_MAX - 1, 1024, false},
		{UINT64_MAX / 512 + 1, 512, false}, /* times 512 is 0 */
		{UINT64_C(1) << 63, 512, false},
	};
	static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT};
	struct fixture *f = setup(FLUSH);

	for (unsigned t = 0; t < 2; t++) {
		for (unsigned i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
			unsigned calls = f->host.reads + f->host.writes;

			request(f, types[t], ranges[i].sector, ranges[i].len);
			is(get_status(f), ranges[i].good ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR,
				"BLK-DEV-06 HARD-16 (5.2.6.1) %s %u bytes at sector 0x%llx",
				t ? "write" : "read", ranges[i].len,
				(unsigned long long)ranges[i].sector);
			if (!ranges[i].good)
				is(f->host.reads + f->host.writes, calls,
					"HARD-16 BLK-DEV-06 (5.2.6.1) does not reach the disk");
		}
	}
	teardown(f);
}

static void test_multiple(void)
{
	static const uint32_t bad[] = {1, 511, 513, 1000};
	struct fixture *f = setup(FLUSH);
	struct buffer cut[] = {{f->header, 16, false}, {f->data, 100, true},
		{f->data + 100, 412, true}, {f->status, 1, true}};

	for (unsigned i = 0; i < 4; i++) {
		is(request(f, VIRTIO_BLK_T_IN, 0, bad[i]), 0,
			"SPLIT-DEV-02 BLK-DEV-26 no data, no length");
		is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-17 (5.2.6) a read of %u bytes",
			bad[i]);
		request(f, VIRTIO_BLK_T_OUT, 0, bad[i]);
		is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-17 (5.2.6) a write of %u bytes",
			bad[i]);
	}
	put_header(f, VIRTIO_BLK_T_IN, 0);
	is(submit(f, cut, 4), 513, "BLK-DEV-17 (5.2.6) the total counts: 100 + 412 bytes");
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-17 (5.2.6) are fine");
	teardown(f);
}

/* Header, data and status cut into descriptors in every way that a queue of 16 allows. */
static void test_framing(void)
{
	struct fixture *f = setup(FLUSH);
	unsigned wrong = 0;

	for (unsigned cut = 1; cut <= 16; cut++) {
		struct buffer in[] = {{f->header, cut, false}, {f->header + cut, 16 - cut, false},
			{f->data, 32 * cut - 1, true},
			{f->data + 32 * cut - 1, 513 - 32 * cut + 1, true}};
		struct buffer out[] = {{f->header, cut, false},
			{f->header + cut, 16 + 512 - cut, false}, {f->status, 1, true}};
		uint8_t *data = ram_at(&f->d.ram, f->data);
		uint8_t *header = ram_at(&f->d.ram, f->header);
		uint8_t saved[512];

		/* The status follows the data in the same descriptor. */
		put_header(f, VIRTIO_BLK_T_IN, cut);
		memset(data, 0, 600);
		data[512] = NO_STATUS;
		wrong += submit(f, in, 4) != 513 || data[512] != VIRTIO_BLK_S_OK;
		wrong += !ram_is(&f->d.ram, f->data, cut + 1, 512) || data[513] != 0;

		/* The data follows the header in the same descriptor. */
		put_header(f, VIRTIO_BLK_T_OUT, 30);
		memcpy(saved, header + 16, 512);
		memset(header + 16, 0x40 + cut, 512);
		wrong += submit(f, out, 3) != 1 || get_status(f) != VIRTIO_BLK_S_OK;
		wrong += f->host.disk[30 * 512] != 0x40 + cut ||
			 f->host.disk[31 * 512 - 1] != 0x40 + cut;
		memcpy(header + 16, saved, 512);
	}
	is(wrong, 0,
		"BLK-DEV-05 SPLIT-DEV-05 HARD-13 (2.7.4.1) header, data and status cut anywhere");
	teardown(f);
}

static void test_one_byte_elements(void)
{
	struct fixture *f = setup_host(false);
	struct buffer buffers[64];
	unsigned count = 0;

	driver_negotiate(&f->d, FLUSH);
	driver_setup(&f->d, 0, 64);
	driver_ok(&f->d);
	put_header(f, VIRTIO_BLK_T_IN, 7);
	for (unsigned i = 0; i < 16; i++)
		buffers[count++] = (struct buffer){f->header + i, 1, false};
	for (unsigned i = 0; i < 40; i++)
		buffers[count++] = (struct buffer){f->data + i, 1, true};
	buffers[count++] = (struct buffer){f->data + 40, 512 - 40, true};
	buffers[count++] = (struct buffer){f->status, 1, true};
	is(submit(f, buffers, count), 513, "SPLIT-DEV-05 (2.7.4.1) elements of one byte");
	ok(ram_is(&f->d.ram, f->data, 8, 512), "SPLIT-DEV-05 (2.7.4.1) are filled in order");
	teardown(f);
}

static void test_too_short(void)
{
	struct fixture *f = setup(FLUSH);
	struct buffer no_status[] = {{f->header, 16, false}, {f->data, 512, false}};
	struct buffer empty_status[] = {{f->header, 16, false}, {f->status, 0, true}};
	struct buffer short_header[] = {{f->header, 15, false}, {f->status, 1, true}};
	struct buffer no_header[] = {{f->data, 512, true}, {f->status, 1, true}};

	put_header(f, VIRTIO_BLK_T_OUT, 0);
	is(submit(f, no_status, 2), 0, "BLK-DEV-18 HARD-12 (5.2.6) no writable byte");
	is(submit(f, empty_status, 2), 0, "BLK-DEV-18 HARD-12 (5.2.6) an empty status");
	is(submit(f, short_header, 2), 0, "HARD-13 BLK-DEV-18 (5.2.6) a header of 15 bytes");
	is(submit(f, no_header, 2), 0, "BLK-DEV-18 HARD-10 (5.2.6) no readable byte");
	is(get_status(f), NO_STATUS,
		"BLK-DEV-18 HARD-12 (5.2.6) in none of these is a byte written");
	ok(ram_is(&f->d.ram, f->data, 0, 512), "BLK-DEV-18 (5.2.6) anywhere");
	is(f->host.reads + f->host.writes, 0, "and the disk is left alone");
	request(f, VIRTIO_BLK_T_IN, 0, 512);
	is(get_status(f), VIRTIO_BLK_S_OK, "HARD-23 and a good request is served after them");
	teardown(f);
}

/* Data in the wrong direction is not data. */
static void test_direction(void)
{
	struct fixture *f = setup(FLUSH);
	struct buffer in[] = {{f->header, 16, false}, {f->data, 512, false}, {f->status, 1, true}};
	struct buffer out[] = {{f->header, 16, false}, {f->data, 512, true}, {f->status, 1, true}};

	put_header(f, VIRTIO_BLK_T_IN, 0);
	is(submit(f, in, 3), 1, "HARD-10 a read into a readable buffer has no data");
	is(get_status(f), VIRTIO_BLK_S_IOERR, "HARD-10 (5.2.6) and fails");
	ok(ram_is(&f->d.ram, f->data, 0, 512), "SPLIT-DEV-01 (2.7.5.1) HARD-10 it is not written");
	put_header(f, VIRTIO_BLK_T_OUT, 0);
	is(submit(f, out, 3), 0,
		"SPLIT-DEV-02 HARD-20 (2.7.8.2) a write from a writable buffer: a gap");
	is(get_status(f), VIRTIO_BLK_S_IOERR,
		"HARD-12 it fails, and its status is the last byte nevertheless");
	is(f->host.disk[0], 1, "SPLIT-DEV-18 (2.7.5.1) and the buffer was not read");

	memset(ram_at(&f->d.ram, f->data), 0x33, 512);
	put_header(f, VIRTIO_BLK_T_GET_ID, 0);
	is(submit(f, in, 3), 1, "HARD-10 an id into a readable buffer has no room");
	ok(ram_is(&f->d.ram, f->data, 0x33, 512), "SPLIT-DEV-01 (2.7.5.1) and is not written");
	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	is(submit(f, out, 3), 0, "HARD-10 a flush with a writable buffer leaves a gap");
	ok(get_status(f) == VIRTIO_BLK_S_OK && ram_is(&f->d.ram, f->data, 0x33, 512),
		"SPLIT-DEV-02 (2.7.8.2) which is not written");
	teardown(f);
}

/* --- a host that fails ------------------------------------------------------------------------ */

static void test_short_transfers(void)
{
	struct fixture *f = setup(FLUSH);

	f->host.max = 100;
	is(request(f, VIRTIO_BLK_T_IN, 5, 2048), 2049,
		"a read in pieces of 100 bytes is continued");
	ok(ram_is(&f->d.ram, f->data, 6, 512) && ram_is(&f->d.ram, f->data + 1536, 9, 512),
		"where it was");
	is(f->host.reads, 21, "until it is done");
	memset(ram_at(&f->d.ram, f->data), 0x66, 2048);
	request(f, VIRTIO_BLK_T_OUT, 5, 2048);
	ok(f->host.disk[5 * 512] == 0x66 && f->host.disk[9 * 512 - 1] == 0x66, "a write too");
	teardown(f);
}

static void test_host_errors(void)
{
	for (unsigned end = 0; end < 2; end++) {
		struct fixture *f = setup(FLUSH);
		const char *what = end ? "the file's end" : "an error";

		f->host.end = end;
		f->host.fail_after = 700;
		memset(ram_at(&f->d.ram, f->data), 0xcc, 1024);
		is(request(f, VIRTIO_BLK_T_IN, 0, 1024), 700,
			"SPLIT-DEV-02 BLK-DEV-26 HARD-20 (2.7.8.2) %s after 700 bytes: used length "
			"700",
			what);
		is(get_status(f), VIRTIO_BLK_S_IOERR, "5.2.6 the request fails");
		ok(ram_is(&f->d.ram, f->data + 700, 0xcc, 324),
			"SPLIT-DEV-02 (2.7.8.2) behind it the pattern is intact");
		is(request(f, VIRTIO_BLK_T_IN, 0, 512), 0, "SPLIT-DEV-02 (2.7.8.2) %s at once: 0",
			what);
		is(request(f, VIRTIO_BLK_T_OUT, 0, 512), 1,
			"BLK-DEV-26 (5.2.6) a write has its status only");
		is(get_status(f), VIRTIO_BLK_S_IOERR, "5.2.6 and fails too");
		ok(!driver_failed(&f->d), "a host's error is no fault of the driver");
		f->host.fail_after = SIZE_MAX;
		request(f, VIRTIO_BLK_T_IN, 0, 512);
		is(get_status(f), VIRTIO_BLK_S_OK, "and does not last");
		teardown(f);
	}
}

/* --- bounds of a pass ------------------------------------------------------------------------- */

/* A disk without end, of which nothing is kept but how much was transferred. */
struct endless {
	struct block_backend backend;
	uint64_t transferred, step_max; /* bytes: in all, and at most in a call */
	unsigned flushes;
};

static ssize_t endless_move(
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

static int endless_flush(struct block_backend *backend)
{
	((struct endless *)backend)->flushes++;
	return 0;
}

#define STEP (1u << 20) /* bytes after which others have their turn */

/* A device with such a disk, and in its queue a request of 15 chunks of 1 MiB less its status. */
static struct fixture *setup_endless(
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

/* One large request does not keep others, or a register, waiting. */
static void test_steps(void)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT};

	for (unsigned t = 0; t < 2; t++) {
		struct endless endless;
		struct fixture *f = setup_endless(&endless, 1, WCE, types[t]);
		bool write = types[t] == VIRTIO_BLK_T_OUT;
		struct used used = {0};
		unsigned passes = 0;

		while (passes++ < 100 && virtio_serve(&f->blk.dev, 0)) {
			if (endless.transferred < 15 * STEP && ring_used_idx(f->ring) != 0)
				break;
		}
		is(passes, 15, "HARD-07 HARD-18 15 MiB to %s, 1 MiB in a pass",
			write ? "write" : "read");
		ok(endless.transferred == 15 * STEP && endless.step_max <= STEP,
			"HARD-18 and all of it");
		ok(ring_take(f->ring, &used) && used.len == (write ? 1 : 15 * STEP + 1),
			"BLK-DEV-26 (5.2.6) used once, at the end");
		is(get_status(f), VIRTIO_BLK_S_OK, "5.2.6 it is fine");
		is(endless.flushes, write,
			"BLK-DEV-03 (5.2.6.2) and is made stable once, at the end");
		teardown(f);
	}
}

/* A request ends in its middle. */
static void test_steps_end(void)
{
	static const char *const ends[] = {
		"a device reset", "a stop of the queue", "a queue reset"};

	for (unsigned end = 0; end < 3; end++) {
		struct endless endless;
		struct fixture *f = setup_endless(
			&endless, 1, FLUSH | VIRTIO_BIT(VIRTIO_F_RING_RESET), VIRTIO_BLK_T_IN);

		virtio_serve(&f->blk.dev, 0);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
		if (end == 0)
			driver_negotiate(&f->d, FLUSH);
		else
			reg_write(&f->d,
				end == 1 ? VIRTIO_MMIO_QUEUE_READY : VIRTIO_MMIO_QUEUE_RESET,
				end == 2);
		ok(!virtio_serve(&f->blk.dev, 0), "BASE-DEV-02 BASE-DEV-05 (2.4.1, 2.6.1) %s",
			ends[end]);
		is(endless.transferred, STEP, "BASE-DEV-02 BASE-DEV-05 stops it where it is");
		driver_setup(&f->d, 0, 64);
		driver_ok(&f->d);
		driver_serve(&f->d);
		is(endless.transferred, STEP, "BASE-DEV-02 BASE-DEV-05 and it is forgotten");
		is(ring_used_idx(f->ring), 0, "BASE-DEV-02 BASE-DEV-05 and never comes back");
		request(f, VIRTIO_BLK_T_IN, 0, 512);
		is(get_status(f), VIRTIO_BLK_S_OK, "HARD-23 the next one is served");
		is(endless.transferred, STEP + 512, "HARD-23 and nothing else");
		teardown(f);
	}
}

static void test_pass(void)
{
	struct fixture *f = setup_host(false);
	gpa_t large = ram_alloc(&f->d.ram, 1 << 20, 4096);
	struct buffer buffers[] = {
		{f->header, 16, false}, {large, FAKE_DISK_SECTORS * 512 + 1, true}};

	driver_negotiate(&f->d, FLUSH);
	driver_setup(&f->d, 0, 128);
	driver_ok(&f->d);
	put_header(f, VIRTIO_BLK_T_IN, 0);
	for (unsigned i = 0; i < 40; i++)
		ring_add(f->ring, buffers, 2);
	ok(virtio_serve(&f->blk.dev, 0), "HARD-07 HARD-18 40 reads of 32 KiB: not in one pass");
	is(ring_used_idx(f->ring), 32, "HARD-07 HARD-18 but what exceeds 1 MiB waits");
	ok(!virtio_serve(&f->blk.dev, 0), "HARD-18 for the next");
	is(ring_used_idx(f->ring), 40, "HARD-18 which ends it");

	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	buffers[1].len = 1;
	ring_add(f->ring, buffers, 2);
	ring_add(f->ring, buffers, 2);
	ok(virtio_serve(&f->blk.dev, 0), "HARD-18 a flush, which may take long, ends a pass");
	is(ring_used_idx(f->ring), 41, "HARD-18 the next one waits");
	ok(!virtio_serve(&f->blk.dev, 0), "HARD-18 after the last one there is nothing to do");
	is(ring_used_idx(f->ring), 42, "HARD-18 it is served");
	ring_add(f->ring, buffers, 2);
	driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), 43, "HARD-18 and the next kick is heard");
	teardown(f);
}

static void test_batch(void)
{
	struct fixture *f = setup(FLUSH);

	put_header(f, VIRTIO_BLK_T_IN, 1);
	for (unsigned i = 0; i < 5; i++) {
		struct buffer buffers[] = {{f->header, 16, false}, {f->data + 513 * i, 513, true}};

		ring_add(f->ring, buffers, 2);
	}
	driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), 5, "5 requests with one kick");
	is(f->d.host.raises, 1, "and one interrupt");
	teardown(f);
}

/* --- a driver that changes its mind ----------------------------------------------------------- */

struct toggler {
	struct fixture *f;
	atomic_bool stop;
};

/* Changes the header between a good and a bad one while requests are served. */
static void *toggle(void *arg)
{
	struct toggler *t = arg;
	struct virtio_blk_req *header = ram_at(&t->f->d.ram, t->f->header);

	for (unsigned i = 0; !t->stop; i++) {
		bool bad = i & 1;

		__atomic_store_n(&header->sector.raw, bad ? UINT64_MAX / 512 : 1, __ATOMIC_RELAXED);
		__atomic_store_n(&header->type.raw, bad ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
			__ATOMIC_RELAXED);
	}
	return NULL;
}

/* The fake back end dies of a range that is not on the disk. */
static void test_double_fetch(void)
{
	struct fixture *f = setup(FLUSH);
	struct toggler t = {.f = f};
	unsigned lost = 0;
	pthread_t thread;

	put_header(f, VIRTIO_BLK_T_IN, 1);
	pthread_create(&thread, NULL, toggle, &t);
	for (unsigned i = 0; i < 5000; i++) {
		struct buffer buffers[] = {
			{f->header, 16, false}, {f->data, 512, true}, {f->status, 1, true}};

		lost += submit(f, buffers, 3) > 513;
	}
	t.stop = true;
	pthread_join(thread, NULL);
	is(lost, 0, "HARD-08 a header that changes while it is validated");
	teardown(f);
}

/* The driver has begun anew in the same memory, another type of request, elsewhere on the disk,
 * while the device is at this one. */
static void begin_another(void *ctx)
{
	struct fixture *f = ctx;
	struct virtio_blk_discard_write_zeroes *segments = ram_at(&f->d.ram, f->data);

	put_header(f, VIRTIO_BLK_T_OUT, 40);
	if (f->host.zeroings + f->host.discards > 0)
		for (unsigned i = 0; i < 4; i++)
			segments[i].sector = cpu_to_le64(30);
}

static void test_request_changes(void)
{
	static const struct segment segments[] = {{3, 1, 0}, {4, 2, 0}, {6, 1, 0}};
	struct fixture *f = setup(FLUSH | DISCARD | ZEROES);

	f->host.on_transfer = begin_another;
	f->host.ctx = f;
	is(request_segments(f, VIRTIO_BLK_T_WRITE_ZEROES, segments, 3), VIRTIO_BLK_S_OK,
		"HARD-08 segments that change after the first");
	ok(disk_has(f, 0, 3, 7), "HARD-08 write zeroes executes the segments that were validated");
	is(request_segments(f, VIRTIO_BLK_T_DISCARD, segments, 3), VIRTIO_BLK_S_OK,
		"HARD-08 segments that change after the first");
	ok(disk_has(f, FAKE_DISCARDED, 3, 7),
		"HARD-08 discard executes the segments that were validated");

	f->host.zeroings = f->host.discards = 0;
	f->host.max = 512;
	is(request(f, VIRTIO_BLK_T_IN, 10, 4 * 512), 4 * 512 + 1,
		"HARD-08 a header that changes after the first of four sectors");
	for (unsigned i = 0; i < 4; i++)
		ok(ram_is(&f->d.ram, f->data + i * 512, 10 + i + 1, 512),
			"HARD-08 a read: sector %u is the one that was asked for", i);
	is(f->host.writes, 0, "HARD-08 and nothing is written");
	teardown(f);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void test_config(void)
{
	struct fixture *f = setup_host(false);
	uint8_t expected[96] = {FAKE_DISK_SECTORS, [10] = 16, [12] = 254, [21] = 2, [24] = 3,
		[26] = 8, [32] = 1, [38] = 2, [40] = 16, [44] = 8, [49] = 8, [52] = 8, [56] = 1};
	uint8_t before[96], after[96];

	for (unsigned i = 0; i < 96; i++)
		before[i] = access_read(&f->d, CONFIG + i, 1);
	ok(memcmp(before, expected, 96) == 0, "BLK-DEV-27 BASE-DEV-11 (5.2.4) fields of offered "
					      "features can be read at once, the rest is 0");
	is(access_read(&f->d, CONFIG, 4), FAKE_DISK_SECTORS,
		"BASE-DEV-18 (2.5) capacity, low half");
	is(access_read(&f->d, CONFIG + 4, 4), 0, "BASE-DEV-18 (2.5) high half");
	is(access_read(&f->d, CONFIG + 12, 4), 254, "5.2.4 seg_max is the queue's size less 2");
	is(access_read(&f->d, CONFIG + 33, 1) + access_read(&f->d, CONFIG + 57, 1) +
			access_read(&f->d, CONFIG + 58, 2),
		0, "BLK-DEV-22 (5.2.5.2) unused0 and unused1 are 0");

	is(access_read(&f->d, CONFIG + 44, 4), 8,
		"5.2.4 the discard alignment is the host's unit, in sectors");
	is(access_read(&f->d, CONFIG + 56, 1), 1,
		"BLK-DEV-23 (5.2.6.2) write zeroes may deallocate where the host can");

	is(access_read(&f->d, CONFIG + 95, 4), 0, "HARD-25 its last byte with width 4");

	driver_start(&f->d, FLUSH);
	for (unsigned i = 0; i < 96; i++)
		access_write(&f->d, CONFIG + i, 0xff, 1);
	for (unsigned i = 0; i < 96; i++)
		after[i] = access_read(&f->d, CONFIG + i, 1);
	ok(memcmp(before, after, 96) == 0, "BLK-DEV-19 HARD-25 (5.2.5) none of it can be written");

	f->host.backend.capacity = 0x123456789abc;
	virtio_config_changed(&f->blk.dev);
	is(access_read(&f->d, CONFIG, 4), 0x56789abc, "BLK-DEV-20 (5.2.6.2) and shows, low half");
	is(access_read(&f->d, CONFIG + 4, 4), 0x1234, "BLK-DEV-20 (5.2.6.2) and high half");
	teardown(f);
}

static void test_features(void)
{
	struct fixture *f = setup_host(false);
	uint32_t features = driver_offered(&f->d) & DRIVER_TYPE_FEATURES;

	is(features, 1 << 14 | 1 << 13 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 6 | 1 << 2 | 1 << 1,
		"5.2.3 what is offered");
	ok(features & 1 << 9, "BLK-DEV-14 (5.2.5.2) CONFIG_WCE is not without FLUSH");
	ok(!(features & 1 << 15), "BLK-DEV-24 (5.2.6.2) LIFETIME is not");
	ok(!(features & 1 << 17), "BLK-DEV-25 (5.2.5.2) ZONED is not");
	for (unsigned i = 0; i < 3; i++) {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, i);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX), i == 0 ? 256 : 0,
			"BLK-DEV-21 (5.2.2) queue %u %s", i, i == 0 ? "exists" : "does not exist");
	}
	teardown(f);

	f = setup_host(true);
	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES,
		1 << 11 | 1 << 10 | 1 << 9 | 1 << 6 | 1 << 5 | 1 << 2 | 1 << 1,
		"BLK-DEV-01 (5.2.3) a read-only disk offers RO");
	teardown(f);
}

/* --- a disk that changes its size ------------------------------------------------------------- */

static void resize(struct fixture *f, uint64_t capacity)
{
	f->blk.disk.backend->capacity = capacity;
	virtio_config_changed(&f->blk.dev);
}

static void test_resize(void)
{
	struct fixture *f = setup(FLUSH | ZEROES);
	uint32_t generation = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION);

	f->host.backend.capacity = 10;
	is(access_read(&f->d, CONFIG, 4), FAKE_DISK_SECTORS,
		"BLK-DEV-20 (2.5) capacity does not change behind the driver's back");
	request(f, VIRTIO_BLK_T_IN, 20, 512);
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-06 (5.2.6.1) nor what requests may reach");

	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	resize(f, 10);
	ok(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION) != generation,
		"BLK-DEV-20 (2.5) with another generation");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BLK-DEV-20 (5.2.6.2) and a notification");
	is(access_read(&f->d, CONFIG, 4), 10, "BLK-DEV-20 (5.2.6.2) it does");
	request(f, VIRTIO_BLK_T_IN, 9, 512);
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-06 (5.2.6.1) the last sector is there");
	request(f, VIRTIO_BLK_T_IN, 10, 512);
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-06 (5.2.6.1) what was behind it is not");
	request(f, VIRTIO_BLK_T_OUT, 10, 512);
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-06 (5.2.6.1) not to writes");
	is(request_segment(f, VIRTIO_BLK_T_WRITE_ZEROES, 9, 2, 0), VIRTIO_BLK_S_IOERR,
		"BLK-DEV-10 (5.2.6.1) nor zeroes");

	resize(f, FAKE_DISK_SECTORS);
	request(f, VIRTIO_BLK_T_IN, FAKE_DISK_SECTORS - 1, 512);
	is(get_status(f), VIRTIO_BLK_S_OK,
		"BLK-DEV-20 a disk that has grown can be used to its end");
	teardown(f);

	f = setup_host(false);
	resize(f, 20);
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 0, "before DRIVER_OK nobody is told");
	is(access_read(&f->d, CONFIG, 4), 20, "but it can be read");
	teardown(f);
}

static void test_shrink_while_active(void)
{
	struct endless endless;
	struct fixture *f = setup_endless(&endless, 1, FLUSH, VIRTIO_BLK_T_IN);
	struct used used = {0};

	virtio_serve(&f->blk.dev, 0);
	resize(f, 4096);
	virtio_serve(&f->blk.dev, 0);
	ok(ring_take(f->ring, &used),
		"a disk that shrinks below a read that is under way, ends it");
	is(get_status(f), VIRTIO_BLK_S_IOERR, "BLK-DEV-06 (5.2.6.1) as an error");
	is(used.len, STEP, "SPLIT-DEV-02 BLK-DEV-26 (2.7.8.2) with what was read before");
	teardown(f);
}

/* --- several queues --------------------------------------------------------------------------- */

#define QUEUES 5

static void test_queues(void)
{
	struct fixture *f = prepare();
	struct buffer buffers[QUEUES][2];
	unsigned right = 0;

	attach_queues(f, &f->host.backend, QUEUES);
	ok(driver_offered(&f->d) & MQ, "5.2.3 a disk with 5 queues offers MQ");
	is(access_read(&f->d, CONFIG + 34, 2), QUEUES, "5.2.4 num_queues");
	driver_start(&f->d, FLUSH);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX), 0,
		"BLK-DEV-21 (5.2.2) a driver that does not accept it has one queue");
	driver_start(&f->d, FLUSH | MQ);
	for (unsigned i = 0; i < QUEUES; i++) {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, i);
		right += reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX) == 256;
	}
	is(right, QUEUES, "BLK-DEV-21 (5.2.2) one that does has them all, all equal");

	put_header(f, VIRTIO_BLK_T_IN, 3);
	for (unsigned i = 0; i < QUEUES; i++) {
		buffers[i][0] = (struct buffer){f->header, 16, false};
		buffers[i][1] = (struct buffer){f->data + 1024 * i, 513, true};
		ring_add(&f->d.rings[i], buffers[i], 2);
	}
	for (unsigned i = 0; i < QUEUES; i++)
		driver_kick(&f->d, i);
	right = 0;
	for (unsigned i = 0; i < QUEUES; i++)
		right += ring_used_idx(&f->d.rings[i]) == 1 &&
			 ram_is(&f->d.ram, f->data + 1024 * i, 4, 512);
	is(right, QUEUES, "BLK-DEV-21 (5.2.2) requests on all of them are served");
	teardown(f);
}

/* A request under way in one queue is no other queue's matter. */
static void test_queues_apart(void)
{
	struct endless endless;
	struct fixture *f = setup_endless(&endless, 2, FLUSH | MQ, VIRTIO_BLK_T_IN);
	struct buffer buffers[] = {{f->header, 16, false}, {f->data, 513, true}};

	driver_setup(&f->d, 1, 16);
	virtio_serve(&f->blk.dev, 0);
	ring_add(&f->d.rings[1], buffers, 2);
	ok(!virtio_serve(&f->blk.dev, 1), "BLK-DEV-21 HARD-18 a read of 15 MiB in queue 0");
	is(ring_used_idx(&f->d.rings[1]), 1, "BLK-DEV-21 HARD-18 does not hold up queue 1");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	while (virtio_serve(&f->blk.dev, 0))
		;
	is(ring_used_idx(f->ring), 1, "BLK-DEV-21 nor does the end of queue 1 end it");
	is(endless.transferred, 15 * STEP + 512, "BLK-DEV-21 all of it moves");
	teardown(f);
}

/* --- features that the user does without ------------------------------------------------------ */

static void test_masked(void)
{
	struct fixture *f = setup_host(false);
	uint64_t all = driver_offered(&f->d) & DRIVER_TYPE_FEATURES;
	uint8_t expected[96] = {FAKE_DISK_SECTORS}, got[96];

	virtio_block_mask(&f->blk, ZEROES);
	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, all & ~ZEROES,
		"5.2.3 a feature that is not to be offered");
	virtio_block_mask(&f->blk, FLUSH | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, all & ~(ZEROES | FLUSH | WCE),
		"BLK-DEV-14 (5.2.5.2) with FLUSH goes CONFIG_WCE");
	ok(driver_offered(&f->d) & VIRTIO_BIT(VIRTIO_F_VERSION_1), "but nothing that is no choice");
	driver_start(&f->d, 0);
	ok(write_is_stable(f), "BLK-DEV-03 (5.2.6.2) where it is not offered, writes are stable");
	virtio_block_mask(&f->blk, BLOCK_CHOICES);
	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, 0, "5.2.3 all of them");
	for (unsigned i = 0; i < 96; i++)
		got[i] = access_read(&f->d, CONFIG + i, 1);
	ok(memcmp(got, expected, 96) == 0, "BLK-DEV-27 (5.2.4) and only capacity is left");
	teardown(f);
}

/* The guest reads what the host says of its blocks. */
static void test_block_size(void)
{
	static const struct {
		uint32_t block_size, unit;
		uint8_t exponent;
		uint32_t alignment;
	} sizes[] = {{512, 512, 0, 1}, {512, 65536, 7, 128}, {4096, 4096, 0, 8}, {4096, 512, 0, 8}};
	struct fixture *f = setup(FLUSH | DISCARD);

	for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		f->host.backend.block_size = sizes[i].block_size;
		f->host.backend.unit = sizes[i].unit;
		is(access_read(&f->d, CONFIG + 20, 4), sizes[i].block_size, "5.2.4 blk_size");
		is(access_read(&f->d, CONFIG + 24, 1), sizes[i].exponent,
			"5.2.4 log2 of the blocks in a unit of %u bytes", sizes[i].unit);
		is(access_read(&f->d, CONFIG + 26, 2), 1u << sizes[i].exponent,
			"5.2.4 and min_io_size");
		is(access_read(&f->d, CONFIG + 44, 4), sizes[i].alignment,
			"5.2.4 discard alignment");
	}
	is(request(f, VIRTIO_BLK_T_IN, 1, 512), 513,
		"BLK-DEV-16 (5.2.6) with blocks of 4096 bytes");
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-16 (5.2.6) a sector is 512 bytes");
	ok(ram_is(&f->d.ram, f->data, 2, 512),
		"BLK-DEV-16 (5.2.6) and sector 1 the second of these");
	is(request(f, VIRTIO_BLK_T_OUT, 63, 512), 1, "BLK-DEV-16 (5.2.6) the same for a write");
	is(get_status(f), VIRTIO_BLK_S_OK, "BLK-DEV-16 (5.2.6) which is fine");
	teardown(f);
}

static void test_all(void)
{
	test_read();
	test_write();
	test_flush();
	test_cache_mode();
	test_cache_mode_writes();
	test_get_id();
	test_unsupported();
	test_read_only();
	test_discard();
	test_write_zeroes();
	test_segments();
	test_segment_limits();
	test_segments_in_millions();
	test_ranges_offered();
	test_range();
	test_multiple();
	test_framing();
	test_one_byte_elements();
	test_too_short();
	test_direction();
	test_short_transfers();
	test_host_errors();
	test_steps();
	test_steps_end();
	test_pass();
	test_batch();
	test_double_fetch();
	test_request_changes();
	test_config();
	test_features();
	test_resize();
	test_shrink_while_active();
	test_queues();
	test_queues_apart();
	test_masked();
	test_block_size();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
