/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: discard and write zeroes, whose requests are lists of ranges of sectors. */
#include <errno.h>

#include "../block_fixture.h"

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

static void test_all(void)
{
	test_discard();
	test_write_zeroes();
	test_segments();
	test_segment_limits();
	test_segments_in_millions();
	test_ranges_offered();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
