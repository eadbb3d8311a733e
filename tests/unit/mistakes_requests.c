/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's mistakes in requests of the block device: each rule of virtio/report.h about them is
 * broken, and reported with the device, what the driver did, and the clause. */
#include "../mistakes_fixture.h"

/* Has a request served: this many device-readable bytes, of which the first 16 are the header, and
 * device-writable ones. Returns its status, if it has one. */
static uint8_t request(
	struct fixture *f, uint32_t type, uint64_t sector, uint32_t out_len, uint32_t in_len)
{
	const struct virtio_blk_req header = {
		cpu_to_le32(type), cpu_to_le32(0), cpu_to_le64(sector)};
	const struct buffer buffers[] = {{f->out, out_len, false}, {f->in, in_len, true}};
	uint8_t *in = ram_at(&f->d.ram, f->in);
	struct used used;

	memcpy(ram_at(&f->d.ram, f->out), &header, sizeof header);
	ring_add(&f->d.rings[0], buffers, in_len > 0 ? 2 : 1);
	driver_kick(&f->d, 0);
	ok(ring_take(&f->d.rings[0], &used), "the request comes back");
	return in_len > 0 ? in[in_len - 1] : 0xff;
}

/* One segment of a discard or write zeroes. */
static uint8_t range(struct fixture *f, uint32_t type, uint64_t sector, uint32_t sectors,
	uint32_t flags, uint32_t len)
{
	const struct virtio_blk_discard_write_zeroes segment = {
		cpu_to_le64(sector), cpu_to_le32(sectors), cpu_to_le32(flags)};

	memcpy(ram_at(&f->d.ram, f->out + 16), &segment, sizeof segment);
	return request(f, type, 0, 16 + len, 1);
}

static void test_framing(void)
{
	struct fixture *f = live_disk(0);

	request(f, VIRTIO_BLK_T_IN, 0, 15, 513);
	told(f, RULE_BLOCK_HEADER,
		"block: request of 528 bytes (15 device-readable) without a header of 16 bytes "
		"(virtio 5.2.6)");
	ok(!f->d.host.accessor, "it is not about an access to a register");
	request(f, VIRTIO_BLK_T_OUT, 0, 528, 0);
	told(f, RULE_BLOCK_STATUS,
		"block: request of 528 bytes without a status byte (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 101), VIRTIO_BLK_S_IOERR, "100 bytes fail");
	told(f, RULE_BLOCK_LENGTH,
		"block: read of 100 bytes: the length is not a multiple of 512 (virtio 5.2.6.1)");
	is(request(f, VIRTIO_BLK_T_IN, 0, 528, 1), VIRTIO_BLK_S_IOERR, "readable data fails");
	told(f, RULE_BLOCK_READ_DATA,
		"block: read with 512 bytes of device-readable data (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_OUT, 0, 16, 513), VIRTIO_BLK_S_IOERR, "writable data fails");
	told(f, RULE_BLOCK_WRITE_DATA,
		"block: write with 512 bytes of device-writable data (virtio 5.2.6)");
	done(f, 5);

	f = live_disk(0);
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 512), VIRTIO_BLK_S_IOERR, "a sector alone fails");
	told(f, RULE_BLOCK_STATUS,
		"block: request of 528 bytes without a status byte (virtio 5.2.6)");
	done(f, 1);
}

static void test_requests(void)
{
	struct fixture *f = live_disk(0);

	is(request(f, VIRTIO_BLK_T_IN, 64, 16, 513), VIRTIO_BLK_S_IOERR, "sector 64 fails");
	told(f, RULE_BLOCK_RANGE,
		"block: read of 1 sector at sector 64 of 64: beyond the end of the disk (virtio "
		"5.2.6.1)");
	is(request(f, 99, 0, 16, 1), VIRTIO_BLK_S_UNSUPP, "type 99 is not supported");
	told(f, RULE_BLOCK_TYPE, "block: request of type 99: there is no such type (virtio 5.2.6)");
	is(request(f, VIRTIO_BLK_T_FLUSH, 0, 16, 1), VIRTIO_BLK_S_UNSUPP, "nor is a flush");
	told(f, RULE_BLOCK_FEATURE,
		"block: request of type 4: its feature was not negotiated (virtio 5.2.6)");
	done(f, 3);

	f = disk_of(true);
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_BLK_F_RO));
	is(request(f, VIRTIO_BLK_T_OUT, 7, 528, 1), VIRTIO_BLK_S_IOERR, "a write fails");
	told(f, RULE_BLOCK_READ_ONLY,
		"block: write at sector 7: the disk is read-only (virtio 5.2.6.2)");
	done(f, 1);
}

static void test_ranges(void)
{
	struct fixture *f = live_disk(VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	const uint32_t type = VIRTIO_BLK_T_WRITE_ZEROES;

	is(range(f, type, 0, 1, 0, 8), VIRTIO_BLK_S_IOERR, "half a segment fails");
	told(f, RULE_BLOCK_SEGMENTS,
		"block: write zeroes with 8 bytes, not one or more segments of 16 bytes (virtio "
		"5.2.6.1)");
	is(range(f, type, 0, 1, 0, 9 * 16), VIRTIO_BLK_S_IOERR, "9 segments fail");
	told(f, RULE_BLOCK_SEGMENT_COUNT,
		"block: write zeroes with 9 segments, more than the device takes (virtio 5.2.6.1)");
	is(range(f, type, 0, 2049, 0, 16), VIRTIO_BLK_S_IOERR, "2049 sectors fail");
	told(f, RULE_BLOCK_SECTORS,
		"block: write zeroes with 2049 sectors in a segment, more than the device takes "
		"(virtio 5.2.3)");
	is(range(f, type, 0, 1, 2, 16), VIRTIO_BLK_S_UNSUPP, "an unknown flag is not supported");
	told(f, RULE_BLOCK_FLAGS,
		"block: write zeroes with flags 0x2, not defined for this type of request (virtio "
		"5.2.6.2)");
	is(range(f, type, 63, 2, 0, 16), VIRTIO_BLK_S_IOERR, "beyond the end it fails");
	told(f, RULE_BLOCK_RANGE,
		"block: write zeroes of 2 sectors at sector 63 of 64: beyond the end of the disk "
		"(virtio 5.2.6.1)");
	done(f, 5);
}

/* A request that fails because of the host is no mistake of the driver's. */
static void test_host_errors(void)
{
	struct fixture *f = live_disk(0);

	f->disk.backend.capacity = 32;
	virtio_config_changed(&f->blk.dev);
	is(request(f, VIRTIO_BLK_T_IN, 40, 16, 513), VIRTIO_BLK_S_IOERR,
		"a sector that the disk has lost cannot be read");
	done(f, 0);

	f = live_disk(0);
	f->disk.fail_after = 100;
	is(request(f, VIRTIO_BLK_T_IN, 0, 16, 513), VIRTIO_BLK_S_IOERR, "the host fails");
	done(f, 0);
}

int main(void)
{
	test_framing();
	test_requests();
	test_ranges();
	test_host_errors();
	all_broken(RULE_BLOCK_HEADER, RULE_BLOCK_FLAGS);
	return tap_done();
}
