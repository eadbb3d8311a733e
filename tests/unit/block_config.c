/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: its configuration, its features and queues, and a disk that changes its
 * size. */
#include "../block_fixture.h"

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
	virtio_block_mask(&f->blk, VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE));
	is(access_read(&f->d, CONFIG + 24, 1), 3,
		"5.2.4 eight blocks of 512 bytes, where BLK_SIZE does not say 4096");
	is(access_read(&f->d, CONFIG + 44, 4), 8, "5.2.4 the alignment is the same");
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
