/* SPDX-License-Identifier: BSD-2-Clause */
/* All devices have in common when they are live, how they fail, how they come back, and that two
 * threads are at them. The entropy device stands for all where the type does not matter. */
#include "virtio.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"
#include "block.h"
#include "console.h"
#include "container.h"
#include "rng.h"

/* One device of each type; d drives the one chosen by setup. */
struct fixture {
	struct driver d;
	struct ring *ring; /* the first of d */
	gpa_t page;
	union {
		struct virtio_rng rng;
		struct virtio_block blk;
		struct virtio_console con;
	};
	struct fake_rng rng_host;
	struct fake_block blk_host;
	struct fake_console con_host;
};

static struct fixture *setup(uint32_t type)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct virtio_device *dev = &f->rng.dev;
	const struct gmem *gmem = &f->d.ram.gmem;

	driver_init(&f->d);
	fake_rng_init(&f->rng_host);
	fake_block_init(&f->blk_host);
	fake_console_init(&f->con_host, 80, 25);
	if (type == VIRTIO_ID_BLOCK) {
		dev = &f->blk.dev;
		virtio_block_init(
			&f->blk, &f->blk_host.backend, 1, gmem, &driver_host_ops, &f->d.host);
	} else if (type == VIRTIO_ID_CONSOLE) {
		dev = &f->con.dev;
		virtio_console_init(&f->con,
			&(struct console_port_host){&f->con_host.backend, NULL}, 1, false, gmem,
			&driver_host_ops, &f->d.host);
	} else {
		virtio_rng_init(&f->rng, &f->rng_host.backend, gmem, &driver_host_ops, &f->d.host);
	}
	driver_attach(&f->d, dev);
	f->page = ram_alloc(&f->d.ram, 4096, 4096);
	f->ring = &f->d.rings[0];
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

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

/* --- features --------------------------------------------------------------------------------- */

/* VERSION_1, and those of the queues: by default, and on request. */
#define VERSION_1 VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define QUEUES                                                                 \
	(VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | \
		VIRTIO_BIT(VIRTIO_F_RING_RESET))
#define PACKED    VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)
#define MORE_QUEUES \
	(PACKED | VIRTIO_BIT(VIRTIO_F_IN_ORDER) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))

static const struct {
	uint32_t type;
	const char *name;
	uint64_t features;
} types[] = {
	{VIRTIO_ID_BLOCK, "block",
		VERSION_1 | QUEUES | 1 << 14 | 1 << 13 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 6 |
			1 << 2 | 1 << 1},
	{VIRTIO_ID_CONSOLE, "console", VERSION_1 | QUEUES | 1 << 2 | 1 << 0},
	{VIRTIO_ID_ENTROPY, "rng", VERSION_1 | QUEUES},
};

static void test_offered(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		uint64_t features = driver_offered(&f->d);

		is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_ID), types[i].type, "%s is itself",
			types[i].name);
		is(features, types[i].features,
			"BASE-DEV-07 (2.2.2) %s offers what it can do and no more", types[i].name);
		ok(features & 1ull << 32, "RES-DEV-01 (6.2) %s offers VERSION_1", types[i].name);
		ok(!(features & 1ull << 37), "RES-DEV-04 (6.2) no SR_IOV");
		ok(!(features & 1ull << 41), "RES-DEV-05 (4.2.5) no ADMIN_VQ");
		ok(!(features & 1ull << 39), "RES-DEV-06 (6) no NOTIF_CONFIG_DATA");
		/* Block's CONFIG_WCE needs FLUSH (5.2.5.2); the other bits of these types, and
		 * those of rings and transport, stand alone. */
		ok(types[i].type != VIRTIO_ID_BLOCK || !(features & 1 << 11) || features & 1 << 9,
			"BASE-DEV-08 (2.2.2) nothing whose prerequisite is missing");
		teardown(f);
	}
}

/* Up to the first that does not exist. */
static void test_queue_sizes(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		unsigned queues = 0, good = 0;
		uint32_t size;

		for (;; queues++) {
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, queues);
			size = reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
			if (size == 0)
				break;
			good += size <= VIRTQ_SIZE_LIMIT && (size & (size - 1)) == 0;
		}
		is(queues, f->d.dev->queue_count, "%s has its queues", types[i].name);
		is(good, queues,
			"SPLIT-DEV-19 (2.7) of which each allows a power of two up to 32768");
		teardown(f);
	}
}

static void test_offer(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	unsigned right = 0, subsets = 0;

	const uint64_t all = QUEUES | MORE_QUEUES;

	for (uint64_t subset = all;; subset = (subset - 1) & all) {
		subsets++;
		virtio_offer(f->d.dev, subset);
		right += driver_offered(&f->d) == (subset | VERSION_1) &&
			 driver_negotiate(&f->d, subset);
		for (unsigned bit = 0; bit < 64; bit++)
			right -=
				all & ~subset & 1ull << bit && driver_negotiate(&f->d, 1ull << bit);
		if (subset == 0)
			break;
	}
	is(right, subsets,
		"BASE-DEV-08 (2.2.2) of the queues' features any set can be offered, and no other "
		"is accepted");
	teardown(f);
}

/* A reset, and the same memory is read in another way. */
static void test_forms(void)
{
	static const uint64_t forms[] = {0, PACKED, PACKED | EVENT_IDX, EVENT_IDX, PACKED, 0};
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	gpa_t mark = f->d.ram.next;

	virtio_offer(f->d.dev, VIRTIO_QUEUE_FEATURES);
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned good = 0;

		f->d.ram.next = mark;
		memset(ram_at(&f->d.ram, mark), 0, 8192);
		driver_start(&f->d, forms[i]);
		for (unsigned n = 0; n < 3 * DRIVER_QUEUE_SIZE / 2; n++) {
			uint16_t head = ring_add_one(f->ring, f->page, 16, true);
			struct used used;

			driver_kick(&f->d, 0);
			good += ring_take(f->ring, &used) && used.id == head && used.len == 16;
		}
		is(good, 3 * DRIVER_QUEUE_SIZE / 2, "RES-DEV-08 (6) a queue is %s after a reset",
			forms[i] & PACKED ? "packed" : "split");
	}
	teardown(f);
}

static void test_unacceptable(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		unsigned refused = 0, unoffered = 0;

		for (unsigned bit = 0; bit < 64; bit++) {
			if (types[i].features & 1ull << bit)
				continue;
			unoffered++;
			refused += !driver_negotiate(&f->d, 1ull << bit);
		}
		is(refused, unoffered,
			"BASE-DEV-03 (2.2.2) %s refuses each of the %u bits it did not offer",
			types[i].name, unoffered);

		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xb);
		is(driver_status(&f->d), 3,
			"RES-DEV-03 (6.2) %s refuses a driver without VERSION_1", types[i].name);
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xf);
		is(driver_status(&f->d), 3, "RES-DEV-03 (6.2) which does not get it going either");
		is(f->d.host.live_on, 0, "RES-DEV-03 (6.2) at all");
		teardown(f);
	}
}

static void test_acceptable(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		uint64_t own = types[i].features & ~VERSION_1;
		unsigned good = 0, subsets = 0;
		gpa_t mark = f->d.ram.next;

		/* All subsets of own, by the usual trick. */
		for (uint64_t subset = own;; subset = (subset - 1) & own) {
			subsets++;
			f->d.ram.next = mark;
			good += driver_start(&f->d, subset) &&
				f->d.dev->driver_features == (subset | VERSION_1);
			if (subset == 0)
				break;
		}
		is(good, subsets, "BASE-DEV-13 (2.2.2) %s accepts every subset of its features",
			types[i].name);

		good = 0;
		for (unsigned n = 0; n < 100; n++) {
			f->d.ram.next = mark;
			good += driver_start(&f->d, own);
		}
		is(good, 100, "BASE-DEV-14 (2.2.2) %s accepts the same set again and again",
			types[i].name);
		is(f->d.host.live_on, f->d.host.live_off + 1,
			"each reset undid what DRIVER_OK did");
		teardown(f);
	}
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

/* --- two threads ------------------------------------------------------------------------------ */

/* The I/O thread: serves what is kicked, until stopped. */
struct io {
	struct fixture *f;
	sem_t kicked, interrupted;
	atomic_bool stop;
	pthread_t thread;
};

static void io_kick(void *ctx, unsigned queue)
{
	struct io *io = ctx;

	(void)queue;
	sem_post(&io->kicked);
}

static void io_raise(void *ctx)
{
	struct io *io = ctx;

	sem_post(&io->interrupted);
}

static void *io_run(void *arg)
{
	struct io *io = arg;

	for (;;) {
		sem_wait(&io->kicked);
		if (io->stop)
			return NULL;
		while (virtio_serve(io->f->d.dev, 0) && !io->stop)
			;
	}
}

static void io_start(struct io *io, struct fixture *f)
{
	memset(io, 0, sizeof *io);
	io->f = f;
	sem_init(&io->kicked, 0, 0);
	sem_init(&io->interrupted, 0, 0);
	f->d.host.ctx = io;
	f->d.host.on_kick = io_kick;
	f->d.host.on_raise = io_raise;
	pthread_create(&io->thread, NULL, io_run, io);
}

static void io_stop(struct io *io)
{
	io->stop = true;
	sem_post(&io->kicked);
	pthread_join(io->thread, NULL);
	sem_destroy(&io->kicked);
	sem_destroy(&io->interrupted);
}

/* A driver that kicks and is interrupted only as far as it is asked to. A notification lost in
 * either direction would leave both waiting, so there is an alarm. */
static void test_notifications(uint64_t features, const char *name)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	unsigned sent = 0, done = 0, wrong = 0;
	struct io io;

	alarm(300);
	virtio_offer(f->d.dev, VIRTIO_QUEUE_FEATURES);
	io_start(&io, f);
	driver_bring_up(&f->d, features);
	while (done < 20000) {
		struct used used;

		while (sent < 20000 && sent - done < DRIVER_QUEUE_SIZE) {
			ring_add_one(f->ring, f->page + 16 * (sent % DRIVER_QUEUE_SIZE), 16, true);
			sent++;
			if (ring_wants_kick(f->ring))
				reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		}
		ring_want_interrupts(f->ring, false);
		for (unsigned before = done;; before = done) {
			while (ring_take(f->ring, &used)) {
				wrong += used.id != done % DRIVER_QUEUE_SIZE || used.len != 16;
				done++;
			}
			if (done != before)
				break;
			ring_want_interrupts(f->ring, true);
			if (!ring_pending(f->ring))
				sem_wait(&io.interrupted);
			reg_write(&f->d, VIRTIO_MMIO_INTERRUPT_ACK, 1);
		}
	}
	io_stop(&io);
	alarm(0);
	is(wrong, 0,
		"HARD-22 SPLIT-DEV-16 (2.7.10.2, 2.8.10) %s: 20000 requests between two threads, "
		"all came",
		name);
	ok(f->d.host.kicks[0] <= 20001, "with %u kicks and %u interrupts", f->d.host.kicks[0],
		f->d.host.raises);
	teardown(f);
}

/* Resets while requests are under way. Between reset and the next DRIVER_OK the memory is the
 * driver's alone: the thread sanitizer, and the pattern, tell if it is not. */
static void test_resets(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	gpa_t mark = f->d.ram.next;
	unsigned touched = 0, good = 0;
	struct io io;

	io_start(&io, f);
	for (unsigned i = 0; i < 500; i++) {
		gpa_t len;

		f->d.ram.next = mark;
		good += driver_bring_up(&f->d, 0);
		for (unsigned n = 0; n < DRIVER_QUEUE_SIZE; n++) {
			ring_add_one(f->ring, f->page, 256, true);
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		}
		if (i % 2)
			reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
		else
			reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
		len = f->d.ram.next - f->page;
		memset(ram_at(&f->d.ram, f->page), 0x5a, len);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		sched_yield();
		touched += !ram_is(&f->d.ram, f->page, 0x5a, len);
		memset(ram_at(&f->d.ram, f->page), 0, len);
	}
	io_stop(&io);
	is(good, 500, "HARD-14 500 resets and stops while the other thread serves");
	is(touched, 0,
		"HARD-14 BASE-DEV-02 (2.4.1) MMIO-DEV-01 (4.2.2.1) no memory is touched after");
	teardown(f);
}

/* A back end that takes its time: it lets others run, and says when it is done. */
struct slow {
	sem_t entered;
	atomic_bool stopping; /* the other thread is about to write the register */
	atomic_bool finished;
};

static void slow_transfer(void *ctx)
{
	struct slow *slow = ctx;

	sem_post(&slow->entered);
	while (!slow->stopping)
		sched_yield();
	for (unsigned i = 0; i < 100; i++)
		sched_yield();
	slow->finished = true;
}

static void test_in_flight(uint32_t reg, uint32_t value, const char *name)
{
	struct fixture *f = setup(VIRTIO_ID_BLOCK);
	struct virtio_blk_req header = {.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	struct buffer request[] = {{f->page, 16, false}, {f->page + 512, 513, true}};
	struct slow slow = {.finished = false};
	struct io io;
	unsigned raises;

	sem_init(&slow.entered, 0, 0);
	f->blk_host.on_transfer = slow_transfer;
	f->blk_host.ctx = &slow;
	driver_negotiate(&f->d, VIRTIO_BIT(VIRTIO_F_RING_RESET));
	driver_setup(&f->d, 0, DRIVER_QUEUE_SIZE);
	memcpy(ram_at(&f->d.ram, f->page), &header, sizeof header);
	ring_add(f->ring, request, 2);
	io_start(&io, f);
	/* This is also the kick; from now on the other thread may hold the lock and wait for us. */
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0xf);
	sem_wait(&slow.entered);
	slow.stopping = true;
	reg_write(&f->d, reg, value);
	ok(slow.finished, "MMIO-DEV-21 HARD-14 (4.2.2.2) %s waits for the request in flight", name);
	is(reg_read(&f->d, reg), 0, "MMIO-DEV-06 (4.2.2.1) %s is done when it returns", name);
	raises = f->d.host.raises;
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	io_stop(&io);
	virtio_serve(f->d.dev, 0);
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE),
		"HARD-14 BASE-DEV-02 (2.4.1) after %s memory is left alone", name);
	is(f->d.host.raises, raises, "HARD-14 BASE-DEV-02 (2.4.1) after %s all is silent", name);
	sem_destroy(&slow.entered);
	teardown(f);
}

/* Another CPU acknowledges one of two events. */
static void *acknowledge(void *arg)
{
	struct fixture *f = arg;

	virtio_ack_interrupt(f->d.dev, VIRTIO_MMIO_INT_CONFIG);
	return NULL;
}

/* What is left then would be raised again; but a reset comes first, and takes it away. */
static void test_ack_meets_reset(void)
{
	struct fixture *f = setup(VIRTIO_ID_ENTROPY);
	struct virtio_device *dev = f->d.dev;
	pthread_t other;

	driver_start(&f->d, 0);
	dev->interrupt_status = VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG;
	pthread_mutex_lock(&dev->lock);
	pthread_create(&other, NULL, acknowledge, f);
	while (dev->interrupt_status != VIRTIO_MMIO_INT_VRING)
		sched_yield();
	virtio_set_status(dev, 0);
	pthread_mutex_unlock(&dev->lock);
	pthread_join(other, NULL);
	is(f->d.host.raises, 0,
		"BASE-DEV-02 (2.4.1) an acknowledgement that a reset overtakes raises nothing");
	teardown(f);
}

/* --- everything at random --------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % limit;
}

/* A number of the kind that breaks things. */
static uint64_t random_value(void)
{
	switch (random_below(6)) {
	case 0:
		return random_below(20);
	case 1:
		return UINT64_C(1) << random_below(64);
	case 2:
		return (UINT64_C(1) << random_below(64)) - 1;
	case 3:
		return RAM_END - random_below(40);
	case 4:
		return random_below(RAM_END);
	default:
		return (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
	}
}

/* Values first: the order in which arguments are computed is the compiler's affair. */
static void random_desc(struct fixture *f, struct ring *ring)
{
	uint16_t index = random_below(ring->size);
	gpa_t addr = random_below(4) ? f->page + random_below(4096) : random_value();
	uint32_t len = random_below(4) ? random_below(2000) : random_value();
	uint16_t flags = random_below(16) ? random_below(4) : 7;
	uint16_t next = random_below(32) ? random_below(ring->size) : random_value();

	ring_set_desc(ring, index, addr, len, flags, next);
}

static void random_write(struct fixture *f)
{
	uint32_t offset = random_below(2) ? random_below(0x120) : 4 * random_below(64);
	unsigned len = random_below(2) ? 4 : 1u << random_below(4);

	access_write(&f->d, offset, random_value(), len);
}

static void random_read(struct fixture *f)
{
	uint32_t offset = random_below(0x120);

	access_read(&f->d, offset, 1u << random_below(4));
}

static void random_step(struct fixture *f)
{
	unsigned queue = random_below(f->d.dev->queue_count);
	struct ring *ring = &f->d.rings[queue];
	struct used used;

	switch (random_below(9)) {
	case 0:
	case 1:
		random_write(f);
		return;
	case 2:
		random_read(f);
		return;
	case 3:
		if (random_below(40) == 0)
			ring_set_avail_idx(ring, random_value());
		return;
	case 4:
		while (ring_take(ring, &used))
			;
		virtio_backend_ready(f->d.dev, 0);
		return;
	case 5:
	case 6:
		random_desc(f, ring);
		return;
	default:
		if ((uint16_t)(ring->avail_idx - ring->used_idx) < ring->size)
			ring_offer(
				ring, random_below(64) ? random_below(ring->size) : random_value());
		driver_kick(&f->d, queue);
	}
}

static void test_random(void)
{
	static const uint8_t input[5000] = {'x'};

	for (unsigned i = 0; i < 3; i++) {
		struct fixture *f = setup(types[i].type);
		gpa_t mark = f->d.ram.next;
		unsigned resets = 0;

		random_state = i;
		for (unsigned step = 0; step < 30000; step++) {
			if (f->d.dev->status == 0 || driver_failed(&f->d) ||
				random_below(2000) == 0) {
				f->d.ram.next = mark;
				memset(ram_at(&f->d.ram, mark), 0, 65536);
				driver_start(&f->d, random_below(2) ? QUEUES : 0);
				f->con_host.input = input;
				f->con_host.input_len = sizeof input;
				resets++;
			}
			random_step(f);
		}
		ok(f->d.host.reports > 10 && f->d.host.reports <= resets,
			"HARD-26 %s: anything, at random: %u failures, each said once, in %u lives",
			types[i].name, f->d.host.reports, resets);
		teardown(f);
	}
}

/* These tests have nothing to do with how queues are driven. */
static void test_any_way(void)
{
	test_not_live();
	test_after_reset();
	test_stopped_queue();
	test_driver_gave_up();
	test_latch_in_batch();
	test_lost_chains();
	test_endless();
	test_resets();
	test_in_flight(VIRTIO_MMIO_STATUS, 0, "Status := 0");
	test_in_flight(VIRTIO_MMIO_QUEUE_READY, 0, "QueueReady := 0");
	test_in_flight(VIRTIO_MMIO_QUEUE_RESET, 1, "QueueReset := 1");
}

int main(void)
{
	for_each_ring_form(test_any_way);
	test_offered();
	test_queue_sizes();
	test_offer();
	test_forms();
	test_unacceptable();
	test_acceptable();
	test_latch();
	test_log_volume();
	test_malformed();
	test_activation_fails();
	for (unsigned i = 0; i < 3; i++)
		test_in_order(i);
	test_overfull();
	test_kicks();
	test_ack_meets_reset();
	test_notifications(0, "flags");
	test_notifications(EVENT_IDX, "event index");
	test_notifications(PACKED, "packed");
	test_notifications(PACKED | EVENT_IDX, "packed, event index");
	test_bystander(0, "flags");
	test_bystander(EVENT_IDX, "event index");
	test_bystander(PACKED, "packed");
	test_bystander(PACKED | EVENT_IDX, "packed, event index");
	test_random();
	return tap_done();
}
