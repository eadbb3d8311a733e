/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: requests as byte streams, validated before they are executed, answered whatever
 * happens. */
#include <errno.h>

#include "../block_fixture.h"

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
	test_range();
	test_multiple();
	test_framing();
	test_one_byte_elements();
	test_too_short();
	test_direction();
	test_short_transfers();
	test_host_errors();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
