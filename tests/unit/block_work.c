/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: how much it does at a time, and a driver that changes its mind meanwhile. */
#include <pthread.h>
#include <stdatomic.h>

#include "../block_fixture.h"

/* --- bounds of a pass ------------------------------------------------------------------------- */

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

static void test_all(void)
{
	test_steps();
	test_steps_end();
	test_pass();
	test_batch();
	test_double_fetch();
	test_request_changes();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
