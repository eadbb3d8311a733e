/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's look at the queues before it waits for a kick. The device is the entropy device. */
#include "machine/polling.h"

#include "../rng_fixture.h"
#include "io/loop.h"
#include "monotonic.h"

/* Long enough for a machine however busy, but for those that are to run out. */
#define LONG_US 1000000

static int64_t look(struct fixture *f, struct polling *polling)
{
	return polling_look(polling, &f->rng.dev);
}

/* A thread that was away from its processor for long, just when something had been served, does not
 * wait but looks again: so it may here, some times. */
static int64_t look_until_it_waits(struct fixture *f, struct polling *polling)
{
	int64_t wait = look(f, polling);

	for (unsigned i = 0; i < 1000 && wait == 0; i++)
		wait = look(f, polling);
	return wait;
}

static bool was_served(struct fixture *f, uint16_t id)
{
	struct used used;

	return ring_take(f->ring, &used) && used.id == id && used.len == 16;
}

static void test_off(void)
{
	struct fixture *f = setup();
	struct polling polling = POLLING_OFF;

	ring_add_one(f->ring, f->page, 16, true);
	is(look(f, &polling), IO_FOREVER, "a thread that does not poll waits");
	ok(!ring_pending(f->ring) && ring_wants_kick(f->ring), "for a kick");
	teardown(f);
}

static void test_served(void)
{
	struct fixture *f = setup();
	struct polling polling = polling_fixed(LONG_US);
	uint16_t id;

	ok(polling_is_on(&polling), "a fixed time to look is on from the start");
	for (unsigned i = 0; i < 3; i++) {
		id = ring_add_one(f->ring, f->page, 16, true);
		/* The first one comes while the thread waits. */
		is(ring_wants_kick(f->ring), i == 0,
			"kicks are not asked for any more (2.7.10, 2.8.10)");
		is(look(f, &polling), 0, "the thread does not wait");
		ok(was_served(f, id), "request %u is served without a kick", i);
	}
	polling = polling_fixed(1);
	is(look(f, &polling), IO_FOREVER, "when nothing came, the thread waits");
	id = ring_add_one(f->ring, f->page, 16, true);
	ok(ring_wants_kick(f->ring), "and asks for a kick before");
	driver_kick(&f->d, 0);
	ok(was_served(f, id), "which has it serve what comes");
	teardown(f);
}

static void test_broken(void)
{
	struct fixture *f = setup();
	struct polling polling = polling_fixed(1);

	ring_break(f->ring);
	is(look_until_it_waits(f, &polling), IO_FOREVER, "a ring that makes no sense is looked at");
	ok(driver_failed(&f->d), "and fails the device");
	is(look(f, &polling), IO_FOREVER, "which is left alone then");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	is(look(f, &polling), IO_FOREVER, "as is one that was reset");
	teardown(f);
}

static void test_frozen(void)
{
	struct fixture *f = setup();
	struct polling polling = polling_fixed(1);

	ring_add_one(f->ring, f->page, 16, true);
	f->rng.dev.frozen = true;
	is(look(f, &polling), IO_FOREVER, "the queues of a frozen device are not served");
	ok(!ring_pending(f->ring) && f->rng.dev.missed, "but it is kept that one was to be");
	teardown(f);
}

/* The thread began to wait so many nanoseconds ago. */
static uint64_t window_after(struct fixture *f, struct polling *polling, uint64_t ns)
{
	polling->waits_since_ns = monotonic_ns() - ns;
	look(f, polling);
	return polling->window_ns;
}

static void test_adaptive(void)
{
	struct fixture *f = setup();
	struct polling polling = polling_adaptive();
	uint64_t window, before = 0;
	uint16_t id;

	ok(!polling_is_on(&polling), "an adaptive look is off at first");
	is(look(f, &polling), IO_FOREVER, "so that the thread waits");
	ok(polling.waits_since_ns != 0, "which it notes");
	/* A busy host could make a short wait long. */
	polling.max_ns = LONG_US * UINT64_C(1000);
	for (unsigned i = 0; i < 3; i++) {
		window = window_after(f, &polling, 0);
		ok(window > before, "after short wait %u it looks for %u ns", i, (unsigned)window);
		before = window;
	}
	polling.max_ns = before;
	id = ring_add_one(f->ring, f->page, 16, true);
	window = window_after(f, &polling, before + 1);
	is(window, 0, "after a long one no more");
	ok(was_served(f, id), "but what ended the wait is served");
	teardown(f);
}

/* More than the device does at a time. */
static void test_more(void)
{
	enum { CHAINS = 6 };
	struct fixture *f = setup();
	struct polling polling = polling_adaptive();
	struct used used;
	unsigned served = 0;
	gpa_t large = ram_alloc(&f->d.ram, VIRTIO_RNG_REQUEST_MAX, 4096);

	for (unsigned i = 0; i < CHAINS; i++)
		ring_add_one(f->ring, large, VIRTIO_RNG_REQUEST_MAX, true);
	polling.window_ns = 1;
	polling.waits_since_ns = 1;
	for (unsigned i = 0; i < CHAINS && look(f, &polling) == 0; i++)
		;
	while (ring_take(f->ring, &used))
		served++;
	is(served, CHAINS, "what a kick was for is served to its end, though looks have ended");
	for (unsigned i = 0; i < CHAINS; i++)
		ring_add_one(f->ring, large, VIRTIO_RNG_REQUEST_MAX, true);
	polling = polling_fixed(LONG_US);
	look(f, &polling);
	look(f, &polling);
	for (served = 0; ring_take(f->ring, &used); served++)
		;
	is(served, CHAINS, "and while the thread looks, without waiting for the end of that");
	teardown(f);
}

static void test_all(void)
{
	test_off();
	test_served();
	test_broken();
	test_frozen();
	test_adaptive();
	test_more();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
