/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device. The fake source counts, and never gives a byte 0. */
#include "rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../driver.h"
#include "../tap.h"
#include "../ways.h"

struct fixture {
	struct driver d;
	struct fake_rng host;
	struct virtio_rng rng;
	struct ring *ring;
	gpa_t page;
};

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_rng_init(&f->host);
	virtio_rng_init(&f->rng, &f->host.backend, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->rng.dev);
	driver_start(&f->d, 0);
	f->ring = &f->d.rings[0];
	f->page = ram_alloc(&f->d.ram, 8192, 4096);
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

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
	test_config();
}

int main(void)
{
	each_way(test_all);
	return tap_done();
}
