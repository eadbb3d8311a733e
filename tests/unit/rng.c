/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device. The fake source counts, and never gives a byte 0. */
#include "rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../rng_fixture.h"

/* Have one request served. Its used length, or -1. */
static int64_t request(struct fixture *f, const struct buffer *buffers, unsigned count)
{
	uint16_t head = ring_add(f->ring, buffers, count);
	struct used used;

	driver_kick(&f->d, 0);
	return ring_take(f->ring, &used) && used.id == head ? (int64_t)used.len : -1;
}

/* How many bytes from gpa on are random, that is, not 0. */
static unsigned filled(struct fixture *f, gpa_t gpa)
{
	const uint8_t *bytes = ram_at(&f->d.ram, gpa);
	unsigned n = 0;

	while (bytes[n] != 0)
		n++;
	return n;
}

static void test_fill(void)
{
	static const uint32_t sizes[] = {1, 2, 3, 255, 4096};
	struct fixture *f = setup();

	for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buffer buffer = {f->page + 1, sizes[i], true};

		memset(ram_at(&f->d.ram, f->page), 0, 8192);
		is(request(f, &buffer, 1), sizes[i],
			"RNG-DEV-01 (5.4.6.2) a buffer of %u bytes gets random ones", sizes[i]);
		is(filled(f, f->page + 1), sizes[i],
			"RNG-DEV-02 HARD-20 (5.4.6.2) as many as the used length says");
	}
	teardown(f);
}

static void test_framing(void)
{
	struct fixture *f = setup();
	struct buffer split[] = {{f->page, 1, true}, {f->page + 1, 0, true}, {f->page + 1, 6, true},
		{f->page + 7, 3, true}};

	is(request(f, split, 4), 10, "SPLIT-DEV-05 (2.7.4.1) a buffer in pieces is filled");
	is(filled(f, f->page), 10, "SPLIT-DEV-05 (2.7.4.1) each of them");
	teardown(f);
}

static void test_short(void)
{
	struct fixture *f = setup();
	struct buffer split[] = {{f->page, 10, true}, {f->page + 10, 10, true}};

	f->host.max = 10;
	is(request(f, split, 2), 20, "a source that gives what is asked for");
	memset(ram_at(&f->d.ram, f->page), 0, 64);
	f->host.max = 7;
	is(request(f, split, 2), 7,
		"RNG-DEV-02 HARD-20 (2.7.8.2) the length ends at the first gap");
	is(filled(f, f->page), 7, "RNG-DEV-02 HARD-20 (2.7.8.2) and there is nothing behind it");
	ok(ram_is(&f->d.ram, f->page + 10, 0, 10), "RNG-DEV-02 (5.4.6.2) in any segment");
	teardown(f);
}

static void test_direction(void)
{
	struct fixture *f = setup();
	struct buffer readable = {f->page, 16, false};
	struct buffer both[] = {{f->page, 16, false}, {f->page + 16, 16, true}};
	struct buffer nothing = {f->page, 0, true};

	is(request(f, &readable, 1), 0, "HARD-10 a request without room for a byte");
	ok(ram_is(&f->d.ram, f->page, 0, 16), "SPLIT-DEV-01 PACK-DEV-05 (2.7.5.1) is not written");
	is(request(f, both, 2), 16, "HARD-10 a readable part does no harm");
	ok(ram_is(&f->d.ram, f->page, 0, 16), "SPLIT-DEV-01 (2.7.5.1) and is not written either");
	is(request(f, &nothing, 1), 0, "HARD-11 an empty buffer comes back");
	is(f->host.total, 16, "and costs the source nothing");
	teardown(f);
}

/* Nothing that is written depends on what was there. */
static void test_no_reading(void)
{
	struct buffer buffer;
	uint8_t first[64];
	struct fixture *f = setup();

	buffer = (struct buffer){f->page, 64, true};
	request(f, &buffer, 1);
	memcpy(first, ram_at(&f->d.ram, f->page), 64);
	f->host.last = 0;
	memset(ram_at(&f->d.ram, f->page), 0xff, 64);
	request(f, &buffer, 1);
	ok(memcmp(first, ram_at(&f->d.ram, f->page), 64) == 0,
		"SPLIT-DEV-18 PACK-DEV-18 (2.7.5.1) content of a writable buffer has no influence");
	teardown(f);
}

static void test_cap(void)
{
	struct fixture *f = setup();
	struct buffer overlapping[DRIVER_QUEUE_SIZE];
	struct buffer large = {ram_alloc(&f->d.ram, 1 << 20, 4096), 1 << 20, true};

	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		overlapping[i] = (struct buffer){large.addr, 1 << 20, true};
	is(request(f, &large, 1), VIRTIO_RNG_REQUEST_MAX,
		"RNG-DEV-03 (5.4.6) 1 MiB is cut to 64 KiB");
	is(request(f, overlapping, DRIVER_QUEUE_SIZE), VIRTIO_RNG_REQUEST_MAX,
		"RNG-DEV-03 HARD-07 (5.4.6) 16 MiB on the same page too");
	is(f->host.total, 2 * VIRTIO_RNG_REQUEST_MAX, "RNG-DEV-03 (5.4.6) no more was made");
	teardown(f);
}

static void end_at_second_call(void *ctx)
{
	struct fixture *f = ctx;

	f->host.error = f->host.calls == 0 ? 0 : -ENODATA;
}

/* Two requests in one pass, of which the source has enough for the first. */
static void test_source_that_ends(void)
{
	struct fixture *f = setup();
	struct used used;

	f->host.on_fill = end_at_second_call;
	f->host.ctx = f;
	ring_add_one(f->ring, f->page, 16, true);
	ring_add_one(f->ring, f->page + 64, 16, true);
	driver_kick(&f->d, 0);
	ok(driver_failed(&f->d), "a source that ends within a pass: the device needs a reset");
	ok(ring_take(f->ring, &used) && used.len == 16,
		"RNG-DEV-04 (5.4.6) a request that was filled before comes back");
	ok(!ring_pending(f->ring), "and the other does not");
	teardown(f);
}

static void test_failing_source(void)
{
	struct fixture *f = setup();
	struct buffer buffer = {f->page, 16, true};

	f->host.error = -EIO;
	is(request(f, &buffer, 1), -1,
		"RNG-DEV-04 (5.4.6) without randomness no buffer comes back");
	ok(driver_failed(&f->d), "RNG-DEV-04 (5.4.6) the device needs a reset");
	ok(strcmp(f->d.host.report, "rng: no random bytes from the host: Input/output error") == 0,
		"RNG-DEV-04 and says why: %s", f->d.host.report);
	f->host.error = 0;
	ok(driver_start(&f->d, 0), "a reset brings it back");
	is(request(f, &buffer, 1), 16, "to work");
	teardown(f);
}

/* A queue's worth of large requests. */
static void test_pass(void)
{
	struct fixture *f = setup();
	gpa_t large = ram_alloc(&f->d.ram, VIRTIO_RNG_REQUEST_MAX, 4096);

	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		ring_add_one(f->ring, large, VIRTIO_RNG_REQUEST_MAX, true);
	ok(virtio_serve(&f->rng.dev, 0), "RNG-DEV-03 HARD-18 (5.4.6) 1 MiB: not in one pass");
	is(ring_used_idx(f->ring), 4, "RNG-DEV-03 HARD-18 (5.4.6) but 256 KiB");
	is(f->d.host.raises, 1, "of which the driver hears at once");
	driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), DRIVER_QUEUE_SIZE, "RNG-DEV-03 and all of it in the end");
	teardown(f);
}

/* The source has nothing for a while. */
static void test_waiting(void)
{
	struct fixture *f = setup();
	struct used used;

	f->host.left = 5;
	ring_add_one(f->ring, f->page, 16, true);
	ring_add_one(f->ring, f->page + 16, 16, true);
	is(driver_kick(&f->d, 0), 1,
		"RNG-DEV-04 (5.4.6) a source that is empty is not asked again");
	is(f->host.calls, 2, "RNG-DEV-04 (5.4.6) and again");
	ok(ring_take(f->ring, &used) && used.len == 5,
		"RNG-DEV-02 (5.4.6.2) the first request gets what there is");
	ok(!ring_pending(f->ring) && !driver_failed(&f->d),
		"RNG-DEV-04 (5.4.6) the next one waits");
	ok(ram_is(&f->d.ram, f->page + 5, 0, 27), "RNG-DEV-04 (5.4.6) unwritten");

	ring_want_interrupts(f->ring, true);
	virtio_backend_ready(&f->rng.dev, 0);
	ok(!ring_pending(f->ring), "RNG-DEV-04 (5.4.6) and waits on if there is still nothing");
	f->host.left = SIZE_MAX;
	virtio_backend_ready(&f->rng.dev, 0);
	ok(ring_take(f->ring, &used) && used.len == 16, "RNG-DEV-04 (5.4.6) until there is");
	is(filled(f, f->page + 16), 16, "RNG-DEV-01 (5.4.6.2) enough for all of it");
	is(f->d.host.raises, 2, "SPLIT-DEV-06 (2.7.7.2) and the driver is interrupted");
	virtio_backend_ready(&f->rng.dev, 0);
	ok(!ring_pending(f->ring), "once");
	teardown(f);
}

/* A queue's worth waits; the source becomes ready for all of it at once. */
static void test_waiting_batch(void)
{
	struct fixture *f = setup();
	gpa_t large = ram_alloc(&f->d.ram, VIRTIO_RNG_REQUEST_MAX, 4096);

	f->host.left = 0;
	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		ring_add_one(f->ring, large, VIRTIO_RNG_REQUEST_MAX, true);
	driver_kick(&f->d, 0);
	f->host.left = SIZE_MAX;
	virtio_backend_ready(&f->rng.dev, 0);
	is(ring_used_idx(f->ring), 4, "RNG-DEV-03 HARD-18 (5.4.6) a pass when the source is ready");
	driver_serve(&f->d);
	is(ring_used_idx(f->ring), DRIVER_QUEUE_SIZE, "HARD-18 and the others without a kick");
	teardown(f);
}

/* A request that waits is dropped with its queue, and the source breaks for good. */
static void test_waiting_ends(void)
{
	struct fixture *f = setup();
	struct buffer buffer = {f->page, 16, true};

	f->host.left = 0;
	is(request(f, &buffer, 1), -1, "a request waits");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	f->host.left = SIZE_MAX;
	virtio_backend_ready(&f->rng.dev, 0);
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE), "BASE-DEV-02 (2.4.1) a reset drops it");

	memset(f->d.ram.bytes, 0, RAM_SIZE);
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_F_RING_RESET));
	f->host.left = 0;
	is(request(f, &buffer, 1), -1, "another one waits");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	f->host.left = SIZE_MAX;
	virtio_backend_ready(&f->rng.dev, 0);
	ok(ram_is(&f->d.ram, f->page, 0, 16), "BASE-DEV-05 (2.6.1.1.1) so does a queue reset");
	ok(driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE), "the queue is made anew");
	is(request(f, &buffer, 1), 16, "HARD-14 and nothing is left of it");

	f->host.left = 0;
	request(f, &buffer, 1);
	f->host.error = -ENODATA;
	virtio_backend_ready(&f->rng.dev, 0);
	ok(driver_failed(&f->d) && !ring_pending(f->ring),
		"RNG-DEV-04 (5.4.6) a source that ends meanwhile: the device needs a reset");
	virtio_backend_ready(&f->rng.dev, 0);
	is(f->host.calls, 5, "HARD-18 and asks it for no more");
	teardown(f);
}

static void test_config(void)
{
	struct fixture *f = setup();
	uint64_t sum = 0;

	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, 0, "RNG-DEV-05 (5.4.3) no features");
	for (uint32_t offset = 0; offset < 64; offset++)
		sum += access_read(&f->d, VIRTIO_MMIO_CONFIG + offset, 1);
	is(sum, 0, "RNG-DEV-05 (5.4.4) no configuration");
	access_write(&f->d, VIRTIO_MMIO_CONFIG, 1, 4);
	ok(!driver_failed(&f->d), "RNG-DEV-05 (5.4.4) that could be written");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX), 64,
		"SPLIT-DEV-19 (2.7) a queue of up to 64");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX), 0, "5.4.2 and no other");
	teardown(f);
}

static void test_all(void)
{
	test_fill();
	test_framing();
	test_short();
	test_direction();
	test_no_reading();
	test_cap();
	test_failing_source();
	test_source_that_ends();
	test_pass();
	test_waiting();
	test_waiting_batch();
	test_waiting_ends();
	test_config();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
