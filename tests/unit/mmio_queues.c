/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of virtio-mmio: features, queues and the configuration space (virtio 4.2.2,
 * 4.2.3). */
#include "../mmio_fixture.h"

/* --- features and queues ---------------------------------------------------------------------- */

static void test_feature_words(void)
{
	static const uint32_t empty[] = {2, 3, 4, 31, 32, 64, 0x80000000, UINT32_MAX};
	struct fixture *f = setup();
	const uint64_t *features = &f->con.dev.driver_features;

	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 5,
		"MMIO-DEV-14 (4.2.2) word 0 is offered");
	reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 0x101,
		"MMIO-DEV-14 (4.2.2) word 1 is offered");
	for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		reg_write(&f->d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, empty[i]);
		is(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES), 0,
			"MMIO-DEV-14 (4.2.2) word %u is empty", empty[i]);
	}

	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 0xdeadbeef);
	is(*features, 0xdeadbeef00000000, "MMIO-DEV-14 (4.2.2) a word not written counts as 0");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 5);
	is(*features, 0xdeadbeef00000005, "MMIO-DEV-14 (4.2.2) each has its own");
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	is(*features, 0x100000005, "MMIO-DEV-14 (4.2.2) writing again replaces");
	for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		reg_write(&f->d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, empty[i]);
		ok(!changes(f, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX, 4),
			"MMIO-DEV-14 (4.2.2) word %u is forgotten", empty[i]);
	}
	teardown(f);
}

static void test_queue_banks(void)
{
	static const uint32_t bad[] = {2, 3, 0xffff, 0x10000, 0x80000000, UINT32_MAX};
	static const uint32_t banked[] = {
		0x038, 0x044, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4, 0x0c0};
	struct fixture *f = setup();

	driver_negotiate(&f->d, RING_RESET);
	for (unsigned i = 0; i < 2; i++)
		driver_place(&f->d, i, 16 + i, 0x111111111 + i, 0x222222222 + i, 0x333333333 + i);
	for (unsigned i = 0; i < 2; i++) {
		const struct virtq *vq = &f->con.dev.queues[i];

		ok(vq->size == 16 + i && vq->desc == 0x111111111u + i &&
				vq->driver == 0x222222222u + i && vq->device == 0x333333333u + i,
			"MMIO-DEV-12 (4.2.2) queue %u has registers of its own", i);
	}

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool dropped = true;

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, bad[i]);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX) +
				reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY) +
				reg_read(&f->d, VIRTIO_MMIO_QUEUE_RESET),
			0, "HARD-15 MMIO-DEV-12 (4.2.2) queue %u does not exist", bad[i]);
		for (unsigned r = 0; r < sizeof banked / sizeof banked[0]; r++)
			dropped &= !changes(f, banked[r], 1, 4);
		ok(dropped, "HARD-15 MMIO-DEV-12 (4.2.2) and cannot be written");
	}
	teardown(f);
}

static void test_queue_ready(void)
{
	static const uint32_t fixed[] = {0x038, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4};
	struct fixture *f = setup();
	bool dropped = true;

	driver_negotiate(&f->d, 0);
	ok(driver_setup(&f->d, 0, 8), "MMIO-DEV-16 (4.2.2) QueueReady reads 1 after 1 was written");
	for (unsigned r = 0; r < sizeof fixed / sizeof fixed[0]; r++)
		dropped &= !changes(f, fixed[r], 0x4440, 4);
	ok(dropped, "4.2.2.2 the other registers are fixed while it is 1");
	ok(!changes(f, VIRTIO_MMIO_QUEUE_READY, 2, 4), "4.2.2 it is 0 or 1");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0, "MMIO-DEV-16 (4.2.2) and 0 after 0");
	ok(driver_setup(&f->d, 0, 4), "another ring can be set up then");
	is(f->con.dev.queues[0].size, 4, "and is the one in use");
	is(f->d.host.kicks[0], 0, "BASE-DEV-01 (2.1.2) before DRIVER_OK nobody looks at it");
	driver_ok(&f->d);
	is(f->d.host.kicks[0], 1, "BASE-DEV-17 (3.3) with DRIVER_OK somebody does");
	driver_setup(&f->d, 1, 4);
	is(f->d.host.kicks[1], 1, "BASE-DEV-17 (3.3) and at a queue that comes later, once");
	teardown(f);
}

static uint32_t reset_and_ready(struct fixture *f)
{
	return reg_read(&f->d, VIRTIO_MMIO_QUEUE_RESET) << 1 |
	       reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY);
}

/* A driver that gives a broken device up stops its queues, and waits until they are. */
static void test_queue_stop(void)
{
	static const unsigned phases[] = {FEATURES, LIVE, BROKEN, FAILED};

	for (unsigned p = 0; p < sizeof phases / sizeof phases[0]; p++) {
		struct fixture *f = in_phase(phases[p]);
		bool broken = phases[p] & (BROKEN | FAILED);
		uint32_t status = driver_status(&f->d);

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 0);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0,
			"MMIO-DEV-16 (4.2.2) QueueReady is 0 after 0 when status is 0x%x", status);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 1);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), !broken,
			"2.1.2 it can%s become 1 again", broken ? "not" : "");
		is(driver_status(&f->d), status, "and status stays");
		teardown(f);

		f = in_phase(phases[p]);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 0);
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
		is(reset_and_ready(f), 0,
			"MMIO-DEV-07 (4.2.2.1) both are 0 after QueueReset when status is 0x%x",
			status);
		teardown(f);
	}
}

/* One buffer through the transmit queue. Whether it came back, as the first of its ring. */
static bool transmit_first(struct fixture *f)
{
	struct used used;

	ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
	driver_kick(&f->d, 1);
	return ring_used_idx(&f->d.rings[1]) == 1 && ring_take(&f->d.rings[1], &used) &&
	       used.id == 0;
}

static void test_queue_reset(void)
{
	struct fixture *f = setup();
	struct virtq *vq = &f->con.dev.queues[1];
	struct ring old;
	unsigned raises;

	driver_start(&f->d, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	ok(!changes(f, VIRTIO_MMIO_QUEUE_RESET, 1, 4) && reset_and_ready(f) == 1,
		"MMIO-DRV-13 (4.2.2) without RING_RESET there is no QueueReset");

	driver_start(&f->d, RING_RESET);
	for (unsigned i = 0; i < 5; i++) {
		ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
		driver_kick(&f->d, 1);
	}
	ring_add_one(&f->d.rings[1], ram_alloc(&f->d.ram, 16, 1), 16, false);
	raises = f->d.host.raises;
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	ok(!changes(f, VIRTIO_MMIO_QUEUE_RESET, 0, 4) && !changes(f, VIRTIO_MMIO_QUEUE_RESET, 2, 4),
		"4.2.2 QueueReset takes 1 and nothing else");
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	is(reset_and_ready(f), 0, "MMIO-DEV-05 MMIO-DEV-07 (4.2.2.1) both read 0 when it is done");
	ok(vq->size == 0 && vq->desc == 0 && vq->driver == 0 && vq->device == 0,
		"BASE-DEV-06 (2.6.1.1.1) size and addresses are forgotten");

	old = f->d.rings[1];
	f->host.output_len = 0;
	driver_kick(&f->d, 1);
	virtio_serve(&f->con.dev, 1);
	is(ring_used_idx(&old), 5, "BASE-DEV-05 (2.6.1.1.1) no request of it is executed");
	is(f->host.output_len, 0, "BASE-DEV-05 (2.6.1.1.1) at all");
	is(f->d.host.raises, raises, "BASE-DEV-05 (2.6.1.1.1) nor notified");
	ring_add_one(&f->d.rings[0], ram_alloc(&f->d.ram, 16, 1), 16, true);
	f->host.input = (const uint8_t *)"input";
	f->host.input_len = 5;
	driver_kick(&f->d, 0);
	is(ring_used_idx(&f->d.rings[0]), 1, "BASE-DEV-05 (2.6.1.1.1) the other queue goes on");

	memset(ram_at(&f->d.ram, old.desc), 0x5a, 16 * 16);
	ok(driver_setup(&f->d, 1, 4), "2.6.1.2 it can be enabled again");
	is(reset_and_ready(f), 1, "MMIO-DEV-08 (4.2.2.1) QueueReset reads 0 then");
	ok(vq->size == 4 && vq->desc == f->d.rings[1].desc,
		"BASE-DEV-12 (2.6.1.2.1) with another size, elsewhere");
	ok(transmit_first(f), "BASE-DEV-06 (2.6.1.1.1) and starts at its first position");
	is(ring_used_idx(&old), 5, "BASE-DEV-12 (2.6.1.2.1) its old place is left alone");

	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, 1);
	is(reset_and_ready(f), 0, "MMIO-DEV-08 (4.2.2.1) and after device reset");
	teardown(f);
}

/* A queue that cannot work, before and after DRIVER_OK. */
static void test_queue_refused(bool live)
{
	struct fixture *f = setup();
	struct ring ring;

	driver_negotiate(&f->d, 0);
	if (live)
		driver_ok(&f->d);
	ring_init(&ring, &f->d.ram, 16, 0);
	driver_place(&f->d, 1, 24, ring.desc, ring.avail, ring.used);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_READY, 1);
	is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_READY), 0,
		"HARD-01 MMIO-DEV-16 (4.2.2) a refused queue is not ready");
	ok(driver_failed(&f->d), "BASE-DEV-10 HARD-01 (2.1.2) the device needs a reset");
	is(f->d.host.reports, 1, "HARD-01 and says so once");
	ok(strstr(f->d.host.report, "console: queue 1: queue size 24 is not a power of two") !=
			NULL,
		"HARD-01 with queue, value and clause: %s", f->d.host.report);
	if (!live) {
		is(f->d.host.raises, 0, "2.1.2 no notification before DRIVER_OK");
		driver_ok(&f->d);
		is(f->d.host.live_on, 0, "a broken device does not go live");
	}
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BASE-DEV-09 (2.1.2) the driver hears of it %s DRIVER_OK", live ? "after" : "at");
	is(f->d.host.raises, 1, "BASE-DEV-09 (2.1.2) by an interrupt");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	ok(driver_start(&f->d, 0), "a reset cures it");
	teardown(f);
}

static void test_notify(void)
{
	static const uint32_t bad[] = {
		2, 0xffff, 0x10000, 0x10001, 0x80000000, 0x80000001, UINT32_MAX};
	struct fixture *f = setup();

	driver_negotiate(&f->d, 0);
	driver_setup(&f->d, 0, 16);
	driver_ok(&f->d);
	driver_serve(&f->d);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(!changes(f, VIRTIO_MMIO_QUEUE_NOTIFY, bad[i], 4),
			"HARD-15 MMIO-DEV-13 (4.2.3.3) notify 0x%x is ignored", bad[i]);
	is(f->d.host.kicks[0], 1,
		"BASE-DEV-17 (3.3) a ready queue is looked at when DRIVER_OK is set");
	is(f->d.host.kicks[1], 0, "one that is not ready is not");
	driver_kick(&f->d, 0);
	is(f->d.host.kicks[0], 2, "MMIO-DEV-13 (4.2.3.3) notify takes the index");
	driver_kick(&f->d, 1);
	ok(!driver_failed(&f->d) && f->d.host.raises == 0,
		"MMIO-DEV-01 (4.2.2.1) a kick of a queue that is not ready does nothing");
	teardown(f);
}

static void test_notification_data(void)
{
	static const uint32_t good[] = {0, 0x10000, 0x80000000, 0xffff0000, 1, 0x7fff0001};
	static const uint32_t bad[] = {2, 0xffff, 0x80000002, UINT32_MAX};
	struct fixture *f = setup();

	virtio_offer(&f->con.dev, VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		uint32_t before = f->d.host.kicks[good[i] & 1];

		reg_write(&f->d, VIRTIO_MMIO_QUEUE_NOTIFY, good[i]);
		is(f->d.host.kicks[good[i] & 1], before + 1,
			"MMIO-DEV-13 (4.2.3.3) with NOTIFICATION_DATA 0x%x is a kick of queue %u",
			good[i], good[i] & 1);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(!changes(f, VIRTIO_MMIO_QUEUE_NOTIFY, bad[i], 4),
			"HARD-15 MMIO-DEV-13 (4.2.3.3) and 0x%x is ignored", bad[i]);
	driver_serve(&f->d);
	for (unsigned i = 0; i < 10000; i++)
		driver_kick(&f->d, i % 2);
	ok(!driver_failed(&f->d) && f->d.host.raises == 0,
		"SPLIT-DEV-10 (2.9) 10000 kicks for nothing do nothing");
	teardown(f);
}

/* --- configuration space ---------------------------------------------------------------------- */

#define CONFIG VIRTIO_MMIO_CONFIG

static void test_config(void)
{
	struct fixture *f = setup();
	unsigned wrong = 0;

	is(access_read(&f->d, CONFIG, 2), 0x1234, "MMIO-DEV-18 (4.2.2) cols, by its own width");
	is(access_read(&f->d, CONFIG + 2, 2), 0x5678, "MMIO-DEV-18 (4.2.2) rows");
	is(access_read(&f->d, CONFIG, 4), 0x56781234, "MMIO-DEV-18 (4.2.2) both at once");
	is(access_read(&f->d, CONFIG, 1), 0x34, "BASE-DEV-18 (2.5) little-endian, low byte first");
	is(access_read(&f->d, CONFIG + 1, 1), 0x12, "BASE-DEV-18 (2.5) then the high one");
	is(access_read(&f->d, CONFIG + 1, 2), 0x7812, "MMIO-DEV-18 (4.2.2) at any byte");

	for (uint32_t offset = CONFIG + 12; offset < VIRTIO_MMIO_WINDOW_SIZE; offset++) {
		for (unsigned len = 1; len <= 8; len *= 2)
			wrong += access_read(&f->d, offset, len) != 0 ||
				 changes(f, offset, ~0ull, len);
	}
	is(wrong, 0, "HARD-25 nothing is behind the end of it");
	is(access_read(&f->d, 0xfffffffc, 4), 0, "HARD-25 offset 0xfffffffc");
	ok(!changes(f, 0xfffffffc, 1, 4), "HARD-25 drops writes too");
	is(access_read(&f->d, CONFIG, 8), 0, "HARD-25 there are no accesses of 64 bits");
	access_write(&f->d, CONFIG + 8, 'x', 8);
	is(f->host.output_len, 0, "HARD-25 for writes neither");
	is(access_read(&f->d, CONFIG + 11, 4), 0, "HARD-25 over the end byte by byte: reads 0");
	access_write(&f->d, CONFIG + 8, 'x', 4);
	is(f->host.output_len, 1, "HARD-25 a writable field can be written");
	access_write(&f->d, CONFIG, 0, 4);
	access_write(&f->d, CONFIG + 4, 0, 4);
	is(access_read(&f->d, CONFIG, 4), 0x56781234, "HARD-25 others cannot");
	is(f->host.output_len, 1, "HARD-25 and have no effect");
	teardown(f);
}

/* A device whose space ends within a word. */
static uint8_t end_config[5];
static unsigned end_written;

/* It fills more than it has to. */
static void end_read(struct virtio_device *dev, uint8_t *config)
{
	(void)dev;
	memset(config, 0xee, VIRTIO_CONFIG_MAX);
	memcpy(config, end_config, sizeof end_config);
}

static void end_write(struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	(void)dev;
	end_written = len;
	if (offset + len <= sizeof end_config)
		memcpy(end_config + offset, data, len);
}

static void test_config_end(void)
{
	static const struct virtio_ops ops = {
		.name = "end",
		.config_len = sizeof end_config,
		.config_read = end_read,
		.config_write = end_write,
	};
	struct virtio_device dev;
	struct driver d;

	driver_init(&d);
	virtio_init(&dev, &ops, 0, 1, &d.ram.gmem, &driver_host_ops, &d.host);
	driver_attach(&d, &dev);
	access_write(&d, CONFIG + 3, 0x44332211, 4);
	is(end_written, 2, "HARD-25 of a write over the end the device gets what is inside");
	is(access_read(&d, CONFIG + 3, 2), 0x2211, "HARD-25 which is there then");
	is(access_read(&d, CONFIG + 3, 4), 0x2211, "HARD-25 a read over the end goes on with 0");
	is(access_read(&d, CONFIG + 4, 2), 0x22, "HARD-25 by each width");
	driver_free(&d);
}

static void test_generation(void)
{
	struct fixture *f = setup();
	uint32_t before = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), first;

	is(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), before, "it does not change by itself");
	virtio_config_changed(&f->con.dev);
	is(f->d.host.raises, 0, "BASE-DEV-01 (2.1.2) a device that is not live is silent");
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	before = reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION);
	first = access_read(&f->d, CONFIG, 2);
	f->host.cols = 100;
	f->host.rows = 50;
	is(access_read(&f->d, CONFIG + 2, 2), 0x5678,
		"MMIO-DEV-04 (4.2.2.1) what the host changed does not show before the generation "
		"does");
	is(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION), before,
		"MMIO-DEV-04 (4.2.2.1) which is the same until then");
	virtio_config_changed(&f->con.dev);
	ok(reg_read(&f->d, VIRTIO_MMIO_CONFIG_GENERATION) != before,
		"MMIO-DEV-04 (4.2.2.1) a change between two reads shows in the generation");
	ok(first == 0x1234 && access_read(&f->d, CONFIG + 2, 2) == 50, "which were of two states");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2,
		"BASE-DEV-15 (3.2.1) the driver is told");
	is(f->d.host.raises, 1, "BASE-DEV-15 (3.2.1) by an interrupt");
	teardown(f);
}

int main(void)
{
	test_feature_words();
	test_queue_banks();
	test_queue_ready();
	test_queue_stop();
	test_queue_reset();
	test_queue_refused(false);
	test_queue_refused(true);
	test_notify();
	test_notification_data();
	test_config();
	test_config_end();
	test_generation();
	return tap_done();
}
