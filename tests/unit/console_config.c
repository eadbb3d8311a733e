/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: its configuration space and its queues. */
#include "../console_fixture.h"

static void test_size(void)
{
	struct fixture *f = setup_window(80, 25);

	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, 5, "5.3.3 a window: SIZE and EMERG_WRITE");
	is(access_read(&f->d, CONFIG, 2), 80, "BASE-DEV-11 (2.5.2) cols can be read at once");
	is(access_read(&f->d, CONFIG + 2, 2), 25, "BASE-DEV-11 (2.5.2) rows too");
	driver_start(&f->d, VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	is(access_read(&f->d, CONFIG, 4), 25 << 16 | 80,
		"BASE-DEV-11 (2.5.2) and are the same later");
	f->host.cols = 132;
	f->host.rows = 50;
	is(access_read(&f->d, CONFIG, 4), 25 << 16 | 80,
		"MMIO-DEV-04 (4.2.2.1) a new size does not show before the generation says so");
	virtio_config_changed(&f->con.dev);
	is(access_read(&f->d, CONFIG, 4), 50 << 16 | 132, "CON-DEV-08 (5.3.6) a new size shows");
	is(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS), 2, "CON-DEV-08 (5.3.6) and is announced");
	teardown(f);

	f = setup_window(0, 0);
	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, 4, "5.3.3 no window: no SIZE");
	f->host.cols = 80;
	f->host.rows = 25;
	virtio_config_changed(&f->con.dev);
	is(access_read(&f->d, CONFIG, 4), 0, "CON-DEV-13 (5.3.4) fields not offered read 0");
	is(access_read(&f->d, CONFIG + 4, 4), 0, "CON-DEV-13 (5.3.4) max_nr_ports too");
	is(access_read(&f->d, CONFIG + 8, 4), 0, "CON-DEV-13 (5.3.4) emerg_wr too");
	teardown(f);
}

static void test_queues(void)
{
	struct fixture *f = setup();

	for (unsigned i = 0; i < 6; i++) {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, i);
		is(reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX), i < 2 ? 64 : 0,
			"CON-DEV-02 (5.3.2) queue %u %s without MULTIPORT", i,
			i < 2 ? "exists" : "does not exist");
	}
	teardown(f);
}

static void test_emergency(void)
{
	struct fixture *f = setup_window(0, 0);

	access_write(&f->d, CONFIG + 8, 0x12345641, 4);
	ok(output_is(f, "A"),
		"CON-DEV-01 CON-DEV-09 (5.3.5.1) at power-up, the low byte comes out");
	ok(reg_read(&f->d, VIRTIO_MMIO_DEVICE_FEATURES) & 1 << 2, "5.3.3 EMERG_WRITE is offered");
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 3);
	access_write(&f->d, CONFIG + 8, 'B', 4);
	driver_start(&f->d, 0);
	access_write(&f->d, CONFIG + 8, 'C', 4);
	virtio_fail(&f->con.dev, "for a test");
	access_write(&f->d, CONFIG + 8, 'D', 4);
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	access_write(&f->d, CONFIG + 8, 'E', 1);
	ok(output_is(f, "ABCDE"),
		"CON-DEV-01 (5.3.5.1) in every phase, not negotiated, in any width");
	access_write(&f->d, CONFIG + 6, 0x4141, 4);
	access_write(&f->d, CONFIG + 9, 0x4141, 2);
	ok(output_is(f, "ABCDE"), "CON-DEV-09 (5.3.5.1) only from its own first byte");
	f->host.output_room = 0;
	access_write(&f->d, CONFIG + 8, 'F', 4);
	ok(!f->host.output_wanted, "a host that takes nothing is not waited for");
	teardown(f);
}

static void test_all(void)
{
	test_size();
	test_queues();
	test_emergency();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
