/* SPDX-License-Identifier: BSD-2-Clause */
/* What all devices have in common: when they are live, how they fail, and how much they do at a
 * time. */
#include <errno.h>
#include <string.h>

#include "../virtio_fixture.h"

/* --- live or not ------------------------------------------------------------------------------ */

static void test_not_live(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_negotiate(&f->d, 0);
	driver_setup(&f->d, 0, 16);
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	virtio_serve(f->d.dev, 0);
	is(f->d.host.kicks[0], 0, "BASE-DEV-01 (2.1.2) a kick before DRIVER_OK is dropped");
	is(ring_used_idx(f->ring), 0, "BASE-DEV-01 (2.1.2) no buffer is used before DRIVER_OK");
	ok(ram_is(&f->d.ram, f->page, 0, 16), "BASE-DEV-01 (2.1.2) nor written");
	is(f->d.host.raises, 0, "BASE-DEV-01 (2.1.2) and nothing is notified");

	driver_ok(&f->d);
	is(f->d.host.live_on, 1, "the machine hears that it is live");
	driver_serve(&f->d);
	is(ring_used_idx(f->ring), 1,
		"BASE-DEV-17 (3.3) with DRIVER_OK it is, without another kick");
	is(f->d.host.raises, 1, "SPLIT-DEV-06 (2.7.7.2) and notified");
	ok(!virtio_serve(f->d.dev, 1) && !virtio_serve(f->d.dev, UINT32_MAX),
		"HARD-15 queues that do not exist can be served");
	teardown(f);
}

static void test_after_reset(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	ring_add_one(f->ring, f->page, 16, true);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	virtio_serve(f->d.dev, 0);
	virtio_backend_ready(f->d.dev, 0);
	virtio_config_changed(f->d.dev);
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE),
		"BASE-DEV-02 (2.4.1) after reset the device leaves memory alone");
	is(f->d.host.raises, 0, "BASE-DEV-02 (2.4.1) and is silent");
	memset(f->d.ram.bytes, 0, RAM_SIZE);
	ok(driver_start(&f->d, 0), "2.4 and can be used anew");
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), 1, "2.4 from the first position on");
	teardown(f);
}

static void test_stopped_queue(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	ring_add_one(f->ring, f->page, 16, true);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	driver_kick(&f->d, 0);
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE),
		"MMIO-DEV-01 (4.2.2.1) memory of a stopped queue is left alone");
	is(f->d.host.raises, 0, "MMIO-DEV-01 (4.2.2.1) and it is silent");
	teardown(f);
}

static void test_driver_gave_up(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0x8f);
	ring_add_one(f->ring, f->page, 16, true);
	virtio_serve(f->d.dev, 0);
	virtio_config_changed(f->d.dev);
	is(ring_used_idx(f->ring), 0, "2.1 a device whose driver set FAILED does nothing");
	is(f->d.host.raises, 0, "2.1 and is silent");
	teardown(f);
}

/* --- failing ---------------------------------------------------------------------------------- */

static void test_latch(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	for (unsigned i = 0; i < 3; i++) {
		ring_add_one(f->ring, f->page, 16, true);
		driver_kick(&f->d, 0);
	}
	reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 1);
	f->d.host.raises = 0;
	ring_set_avail_idx(f->ring, 77);
	driver_kick(&f->d, 0);

	is(driver_status(&f->d), 0x4f, "HARD-03 BASE-DEV-10 (2.1.2) an index jump: needs reset");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BASE-DEV-09 (2.1.2) the driver is notified of a configuration change");
	is(f->d.host.raises, 1, "BASE-DEV-09 (2.1.2) by one interrupt");
	is(f->d.host.reports, 1, "and the user by one line");
	ok(strcmp(f->d.host.report, "rng: queue 0: available index jumps from 3 to 77 with queue "
				    "size 16 (virtio 2.7.13)") == 0,
		"that says what, where and why: %s", f->d.host.report);

	ring_set_avail_idx(f->ring, 4);
	for (unsigned i = 0; i < 100; i++) {
		driver_kick(&f->d, 0);
		virtio_serve(f->d.dev, 0);
	}
	is(ring_used_idx(f->ring), 3, "it then leaves the queue alone, even if it is good again");
	is(f->d.host.raises, 1, "is silent");
	virtio_fail(f->d.dev, "something else");
	is(f->d.host.reports, 1, "HARD-26 and says no more");
	is(driver_status(&f->d), 0x4f, "until it is reset");

	ok(driver_start(&f->d, 0), "which brings it back");
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), 1, "to work");
	teardown(f);
}

/* A guest that fails and resets for ever fills no disk with what is said of it. */
static void test_log_volume(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	gpa_t mark = f->d.ram.next;
	unsigned failed = 0;

	for (unsigned i = 0; i < 1000; i++) {
		f->d.ram.next = mark;
		memset(ram_at(&f->d.ram, mark), 0, 4096);
		driver_start(&f->d, 0);
		ring_set_avail_idx(f->ring, 77);
		driver_kick(&f->d, 0);
		failed += driver_failed(&f->d);
	}
	is(failed, 1000, "HARD-26 a device that fails 1000 times");
	is(f->d.host.reports, VIRTIO_REPORTS_MAX + 1, "HARD-26 does not say so 1000 times");
	ok(strcmp(f->d.host.report, "rng: further faults are not reported") == 0,
		"HARD-26 but that it will not: %s", f->d.host.report);
	teardown(f);
}

static void test_latch_in_batch(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	ring_add_one(f->ring, f->page, 16, true);
	ring_add_one(f->ring, RAM_END, 16, true);
	driver_kick(&f->d, 0);
	ok(driver_failed(&f->d), "a bad chain behind a good one");
	is(ring_used_idx(f->ring), 0, "HARD-23 the queue is left alone from then on");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2, "HARD-23 and the driver told why");
	teardown(f);
}

/* The same for every device and each way to break a queue. */
static void test_malformed(void)
{
	static const struct {
		const char *rule, *word;
		struct virtq_desc desc;
		uint16_t head;
	} bad[] = {
		{"HARD-04", "available descriptor 16", {{0}, {0}, {0}, {0}}, 16},
		{"HARD-04", "next 99", {{0x1000}, {1}, {VIRTQ_DESC_F_NEXT}, {99}}, 0},
		{"HARD-05", "loops", {{0x1000}, {1}, {VIRTQ_DESC_F_NEXT}, {0}}, 0},
		{"HARD-09", "not in RAM", {{0xd0000050}, {4}, {0}, {0}}, 0},
		{"HARD-10", "not in writable RAM", {{ROM_BASE}, {4}, {VIRTQ_DESC_F_WRITE}, {0}}, 0},
		{"SPLIT-DRV-10", "INDIRECT_DESC", {{0x1000}, {16}, {VIRTQ_DESC_F_INDIRECT}, {0}},
			0},
	};

	for (unsigned i = 0; i < 3; i++) {
		for (unsigned b = 0; b < sizeof bad / sizeof bad[0]; b++) {
			struct fixture *f = setup(types[i].type);
			unsigned last;

			driver_start(&f->d, 0);
			last = f->d.dev->queue_count - 1;
			memcpy(ram_at(&f->d.ram, f->d.rings[last].desc), &bad[b].desc, 16);
			ring_offer(&f->d.rings[last], bad[b].head);
			driver_kick(&f->d, last);
			ok(driver_failed(&f->d) && f->d.host.reports == 1 &&
					strstr(f->d.host.report, bad[b].word),
				"%s %s", bad[b].rule, f->d.host.report);
			teardown(f);
		}
	}
}

static void test_lost_chains(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	struct used used;
	unsigned returned = 0;

	driver_start(&f->d, 0);
	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE + 1; i++) {
		uint16_t head = ring_add_one(f->ring, f->page, 16, false);

		driver_kick(&f->d, 0);
		while (ring_take(f->ring, &used))
			returned += used.id == head && used.len == 0;
	}
	is(returned, DRIVER_QUEUE_SIZE + 1, "HARD-23 useless chains come back, each of them once");
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	ok(ring_take(f->ring, &used) && used.len == 16,
		"HARD-23 and a good one is served after them");
	teardown(f);
}

static void test_activation_fails(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	f->d.host.live_error = -ENOSPC;
	ok(!driver_start(&f->d, 0), "HARD-29 a machine that cannot go along");
	is(driver_status(&f->d), 0x4f, "HARD-29 BASE-DEV-10 (2.1.2) makes the device need a reset");
	is(f->d.host.raises, 1, "BASE-DEV-09 (2.1.2) and the driver hears of it");
	ok(strcmp(f->d.host.report, "rng: cannot start: No space left on device") == 0,
		"HARD-29 the user too: %s", f->d.host.report);
	is(f->d.host.kicks[0], 0, "HARD-29 no queue is looked at");
	f->d.host.live_error = 0;
	ok(driver_start(&f->d, 0), "HARD-29 a reset, and it works");
	is(f->d.host.live_off, 0, "what did not start is not stopped");
	teardown(f);
}

/* Chains of one byte each, whose heads come in no order. */
static void test_in_order(unsigned type)
{
	static const uint16_t heads[] = {7, 3, 15, 0, 8, 1, 14, 2};
	const unsigned count = sizeof heads / sizeof heads[0];
	struct fixture *f = setup(types[type].type);
	unsigned last = f->d.dev->queue_count - 1, right = 0;
	struct ring *ring = &f->d.rings[last];
	struct used used;

	virtio_offer(f->d.dev, VIRTIO_BIT(VIRTIO_F_IN_ORDER));
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_F_IN_ORDER));
	f->con_host.output_room = 3;
	for (unsigned i = 0; i < count; i++) {
		ring_set_desc(ring, heads[i], f->page + i, 1, 0, 0);
		ring_offer(ring, heads[i]);
	}
	driver_kick(&f->d, last);
	f->con_host.output_room = SIZE_MAX;
	virtio_backend_ready(f->d.dev, 0);
	for (unsigned i = 0; i < count; i++)
		right += ring_take(ring, &used) && used.id == heads[i];
	is(right, count, "RES-DEV-02 (6.2) %s gives chains back in the order in which they came",
		types[type].name);
	teardown(f);
}

/* --- a back end that is ready, and a queue that it has nothing to do with --------------------- */

struct bystander {
	struct virtio_device dev;
	struct ring *ring;
	bool wanted; /* a kick, as the driver saw it */
};

static bool bystander_notified(struct virtio_device *dev, unsigned queue)
{
	struct chain chain;

	while (virtio_pop(dev, queue, &chain))
		virtq_push(&dev->queues[queue], &chain, 0);
	virtio_publish(dev, queue);
	return false;
}

/* The driver made a buffer available just before; just now it looks whether to kick. */
static void bystander_backend_ready(struct virtio_device *dev, unsigned backend)
{
	struct bystander *b = container_of(dev, struct bystander, dev);

	(void)backend;
	b->wanted = ring_wants_kick(b->ring);
}

static const struct virtio_ops bystander_ops = {
	.name = "bystander",
	.id = VIRTIO_ID_ENTROPY,
	.queue_size_max = DRIVER_QUEUE_SIZE,
	.notified = bystander_notified,
	.backend_ready = bystander_backend_ready,
};

static void test_bystander(uint64_t features, const char *name)
{
	struct driver d;
	struct bystander b = {.ring = &d.rings[0]};

	driver_init(&d);
	virtio_init(&b.dev, &bystander_ops, 0, 1, &d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &b.dev);
	virtio_offer(&b.dev, features);
	driver_start(&d, features);
	ring_wants_kick(b.ring);
	d.host.pending[0] = false;

	ring_add_one(b.ring, ram_alloc(&d.ram, 16, 16), 16, true);
	virtio_backend_ready(&b.dev, 0);
	ok(b.wanted || d.host.pending[0],
		"SPLIT-DEV-16 (2.7.10) %s: no kick is lost while a back end is ready", name);
	driver_free(&d);
}

/* --- bounded work ----------------------------------------------------------------------------- */

/* A driver as fast as the device: for each buffer that comes back there is a new one. */
static void refill(void *ctx)
{
	struct fixture *f = ctx;
	struct used used;

	while (ring_take(f->ring, &used))
		ring_add_one(f->ring, f->page, 16, true);
	ring_want_interrupts(f->ring, true);
}

static void test_endless(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		ring_add_one(f->ring, f->page, 16, true);
	f->d.host.on_raise = refill;
	f->d.host.ctx = f;
	for (unsigned pass = 1; pass <= 3; pass++) {
		ok(virtio_serve(f->d.dev, 0), "HARD-18 a driver that refills: there is more to do");
		is(ring_used_idx(f->ring), DRIVER_QUEUE_SIZE * pass,
			"HARD-18 but a pass ends after a queue's worth of chains");
	}
	f->d.host.on_raise = NULL;
	ok(!virtio_serve(f->d.dev, 0), "HARD-18 once it stops");
	is(ring_used_idx(f->ring), DRIVER_QUEUE_SIZE * 4, "HARD-18 the rest is done");
	teardown(f);
}

/* The same before the buffer came back: more are outstanding then than there are descriptors. */
static void submit(void *ctx)
{
	struct fixture *f = ctx;

	ring_add_one(f->ring, f->page, 16, true);
}

static void test_overfull(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	f->rng_host.on_fill = submit;
	f->rng_host.ctx = f;
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	ok(driver_failed(&f->d) && strstr(f->d.host.report, "17 buffers are outstanding"),
		"HARD-18 a driver that does not wait for used buffers: %s", f->d.host.report);
	is(f->rng_host.total, DRIVER_QUEUE_SIZE * 16, "HARD-18 ends the pass");
	teardown(f);
}

static uint16_t flags_seen;

static void see_flags(void *ctx)
{
	struct fixture *f = ctx;

	flags_seen = ring_used_flags(f->ring);
}

static void add_late(void *ctx)
{
	struct fixture *f = ctx;

	f->d.host.on_raise = NULL;
	ring_add_one(f->ring, f->page, 16, true);
}

static void test_kicks(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);

	driver_start(&f->d, 0);
	f->rng_host.on_fill = see_flags;
	f->rng_host.ctx = f->d.host.ctx = f;
	ring_add_one(f->ring, f->page, 16, true);
	driver_kick(&f->d, 0);
	is(flags_seen, 1, "SPLIT-DEV-16 (2.7.10.2) no kicks are wanted while a queue is served");
	is(ring_used_flags(f->ring), 0, "SPLIT-DEV-12 (2.7.10.2) they are afterwards");

	/* This one comes after the device's last look for chains. */
	f->d.host.on_raise = add_late;
	ring_add_one(f->ring, f->page, 16, true);
	ok(virtio_serve(f->d.dev, 0),
		"SPLIT-DEV-16 (2.7.10.2) what came unkicked is not forgotten");
	ok(!virtio_serve(f->d.dev, 0), "SPLIT-DEV-16 (2.7.10.2) but served");
	is(ring_used_idx(f->ring), 3, "SPLIT-DEV-16 (2.7.10.2) all three are back");
	for (unsigned i = 0; i < 10000; i++)
		driver_kick(&f->d, 0);
	is(ring_used_idx(f->ring), 3, "SPLIT-DEV-10 (2.7.10.2) 10000 kicks for nothing");
	is(f->d.host.raises, 3, "SPLIT-DEV-13 (2.7.7.2) raise no interrupt");
	teardown(f);
}

static void test_all(void)
{
	test_not_live();
	test_after_reset();
	test_stopped_queue();
	test_driver_gave_up();
	test_latch_in_batch();
	test_lost_chains();
	test_endless();
}

int main(void)
{
	for_each_ring_form(test_all);
	test_latch();
	test_log_volume();
	test_malformed();
	test_activation_fails();
	for (unsigned i = 0; i < 3; i++)
		test_in_order(i);
	test_overfull();
	test_kicks();
	test_bystander(0, "flags");
	test_bystander(EVENT_IDX, "event index");
	test_bystander(PACKED, "packed");
	test_bystander(PACKED | EVENT_IDX, "packed, event index");
	return tap_done();
}
