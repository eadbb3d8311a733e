/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of several ports: what it and its driver tell each other of them. */
#include "../console_ports_fixture.h"

static void test_handshake(void)
{
	struct fixture *f = setup();

	offer(f, 4, ROOM);
	says(f, "", "CON-DEV-06 (5.3.5) silence before DEVICE_READY");
	tell(f, 0xffffffff, READY, 1);
	says(f, "0 1 1, 1 1 1, 2 1 1", "CON-DEV-05 CON-DEV-06 (5.3.6.2) then each port is added");
	offer(f, 4, ROOM);
	tell(f, 0, USABLE, 1);
	says(f, "0 4 1, 0 5 1 [80x25], 0 6 1",
		"5.3.6.2 a console: CONSOLE_PORT, its size, and it is open");
	offer(f, 3, ROOM);
	tell(f, 1, USABLE, 1);
	says(f, "1 6 1, 1 7 1 [a]", "CON-DEV-10 (5.3.6.2) another: it is open, and its name");
	offer(f, 2, ROOM);
	tell(f, 2, USABLE, 1);
	says(f, "2 7 1 [second]", "CON-DEV-10 (5.3.6.2) one that is not open");
	ok(!driver_failed(&f->d), "all is well");
	teardown(f);
}

static void test_again(void)
{
	struct fixture *f = setup();

	bring_up_ports(f);
	offer(f, 8, ROOM);
	tell(f, 7, READY, 1);
	tell(f, 0, USABLE, 1);
	says(f, "", "CON-DEV-03 (5.3.6.2.1) no port is added twice");
	tell(f, 0, READY, 0);
	tell(f, 0, OPEN, 1);
	ok(!f->con.control.ports[0].opened, "a driver that is not ready after all opens nothing");
	start(f, MULTIPORT);
	offer(f, 4, ROOM);
	says(f, "", "CON-DEV-06 (5.3.5) silence after a reset");
	tell(f, 0, READY, 1);
	says(f, "0 1 1, 1 1 1, 2 1 1", "HARD-14 after which all begins anew");
	teardown(f);
}

static void test_unusable(void)
{
	struct fixture *f = setup();

	offer(f, 8, ROOM);
	tell(f, 0, READY, 0);
	says(f, "", "5.3.6.2 to a driver that failed nothing is told");
	tell(f, 0, READY, 1);
	said(f);
	offer(f, 2, ROOM);
	tell(f, 0, USABLE, 0);
	tell(f, 0, OPEN, 1);
	says(f, "", "5.3.6.2 nor of a port that it cannot use");
	ok(!f->con.control.ports[0].opened, "which cannot be opened");
	tell(f, 0, USABLE, 1);
	says(f, "0 4 1, 0 5 1 [80x25], 0 6 1", "until it can");
	teardown(f);
}

/* No message is lost, none is kept: what is told is how things are when there is a buffer. */
static void test_no_buffers(void)
{
	struct fixture *f = setup();

	tell(f, 0, READY, 1);
	offer(f, 2, ROOM);
	says(f, "0 1 1, 1 1 1", "CON-DEV-12 (5.3.6.2) two buffers, two messages");
	tell(f, 2, USABLE, 1);
	tell(f, 2, OPEN, 1);
	ok(!f->con.control.ports[2].opened,
		"CON-DEV-07 (5.3.6.2) a port that was not added yet is none");
	tell(f, 0, USABLE, 1);
	for (unsigned i = 0; i < 1001; i++) {
		f->hosts[0].away = i % 2 == 0;
		virtio_backend_ready(&f->con.dev, 0);
	}
	offer(f, 1, ROOM);
	says(f, "0 4 1", "CON-DEV-12 (5.3.6.2) the rest waits");
	offer(f, 4, ROOM);
	says(f, "0 5 1 [80x25], 0 6 0, 2 1 1",
		"CON-DEV-12 (5.3.6.2) and comes with the next ones, once");
	teardown(f);
}

static void test_short_buffers(void)
{
	static const char *const names[PORTS] = {"", "0123456789012345", "x"};
	struct fixture *f = setup_named(names);

	start(f, MULTIPORT);
	tell(f, 0, READY, 1);
	offer(f, 1, 7);
	says(f, "0 0 0 short 0",
		"CON-DEV-12 (5.3.6.2) a buffer that is too short comes back empty");
	offer(f, 3, 8);
	says(f, "0 1 1, 1 1 1, 2 1 1", "CON-DEV-12 and the message waits for one that is not");
	tell(f, 0, USABLE, 1);
	offer(f, 2, 8);
	says(f, "0 6 1, 0 7 1 []", "CON-DEV-10 (5.3.6.2) a name of no bytes");
	tell(f, 1, USABLE, 1);
	offer(f, 2, 24);
	says(f, "1 6 1, 1 7 1 [0123456789012345]", "CON-DEV-10 (5.3.6.2) one that just fits");
	ok(ram_is(&f->d.ram, message_buffer(f, f->taken - 1) + 24, 0, 8),
		"CON-DEV-10 without a NUL behind it");
	tell(f, 2, USABLE, 1);
	offer(f, 1, 8);
	says(f, "2 7 1 []", "CON-DEV-10 (5.3.6.2) one that is cut by its buffer");
	teardown(f);

	f = setup();
	tell(f, 0, READY, 1);
	offer(f, 3, ROOM);
	tell(f, 0, USABLE, 1);
	said(f);
	offer(f, 3, 11);
	is(ring_used_idx(&f->d.rings[FROM]), 6, "buffers too short for a size are used up");
	said(f);
	offer(f, 1, 12);
	says(f, "0 5 1 [80x25]", "5.3.6.2 it comes whole or not at all");
	teardown(f);
}

/* Anything that a driver may say, before and after ports are known. */
static void test_nonsense(void)
{
	static const uint32_t ids[] = {0x80000000, PORTS, 0xffffffff, 0x10000};
	struct fixture *f = setup();
	struct buffer writable = {f->out, 8, true};
	struct console_control_port *none = &f->con.control.ports[PORTS];

	/* It would obey, were it one. */
	none->added = none->ready = true;
	for (unsigned round = 0; round < 2; round++) {
		offer(f, 8, ROOM);
		for (unsigned i = 0; i < 4; i++) {
			for (unsigned event = 1; event < 100; event++)
				tell(f, ids[i], event, 1);
			tell(f, ids[i], 0xffff, 0xffff);
		}
		for (unsigned id = 0; id < PORTS; id++) {
			tell(f, id, ADD, 1);
			tell(f, id, REMOVE, 1);
			tell(f, id, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
			tell(f, id, VIRTIO_CONSOLE_RESIZE, 1);
			tell(f, id, NAME, 1);
			tell(f, id, 99, 1);
		}
		for (unsigned len = 0; len < 8; len++) {
			tell_some(f, 0, READY, 0, len);
			tell_some(f, 0, OPEN, 0, len);
		}
		ring_add(&f->d.rings[TO], &writable, 1);
		driver_kick(&f->d, TO);
		ok(!driver_failed(&f->d), "CON-DEV-07 (5.3.6.2) nonsense does no harm");
		says(f, "", "CON-DEV-07 (5.3.6.2) and gets no answer");
		is(f->con.control.ports[0].opened, round, "CON-DEV-07 nor has any effect");
		ok(!none->opened && none->ready,
			"CON-DEV-07 (5.3.6.2) nor on what is behind the last port");
		if (round == 0) {
			start(f, MULTIPORT);
			bring_up_ports(f);
		}
	}
	ok(ram_is(&f->d.ram, f->out + 8, 0, 8), "SPLIT-DEV-01 (2.7.5.1) no message is written to");
	teardown(f);
}

static void test_clients(void)
{
	struct fixture *f = setup();

	bring_up_ports(f);
	said(f);
	f->hosts[2].away = false;
	virtio_backend_ready(&f->con.dev, 2);
	says(f, "2 6 1", "5.3.6.2 a client comes: PORT_OPEN 1");
	virtio_backend_ready(&f->con.dev, 2);
	says(f, "", "once");
	f->hosts[2].away = true;
	virtio_backend_ready(&f->con.dev, 2);
	says(f, "2 6 0", "5.3.6.2 it leaves: PORT_OPEN 0");
	print(f, 2, f->page, "lost");
	ok(!driver_failed(&f->d), "the port is there all the same");
	teardown(f);
}

/* The kick of the control queue is owed: who resizes is not who serves. */
static void test_resize(void)
{
	struct fixture *f = setup();

	bring_up_ports(f);
	start(f, MULTIPORT | VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE));
	bring_up_ports(f);
	f->hosts[0].cols = 132;
	f->hosts[0].rows = 50;
	virtio_config_changed(&f->con.dev);
	driver_serve(&f->d);
	says(f, "0 5 1 [132x50]", "CON-DEV-08 (5.3.6.2) a new size is told, columns first");
	is(access_read(&f->d, CONFIG, 4), 50 << 16 | 132, "CON-DEV-08 (5.3.6) and shows");
	ok(reg_read(&f->d, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
		"CON-DEV-08 (5.3.6) and is announced");
	virtio_config_changed(&f->con.dev);
	driver_serve(&f->d);
	says(f, "", "a size that is the same is not");
	f->hosts[1].cols = f->hosts[1].rows = 9;
	virtio_config_changed(&f->con.dev);
	driver_serve(&f->d);
	says(f, "", "nor that of a port that is no console");
	teardown(f);
}

/* The control queue alone is reset; things change; it is made anew. */
static void test_control_reset(void)
{
	struct fixture *f = setup_named(NULL);

	start(f, MULTIPORT | VIRTIO_BIT(VIRTIO_F_RING_RESET));
	bring_up_ports(f);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, FROM);
	reg_write(&f->d, VIRTIO_MMIO_QUEUE_RESET, 1);
	f->hosts[2].away = false;
	virtio_backend_ready(&f->con.dev, 2);
	ok(!driver_failed(&f->d), "BASE-DEV-05 (2.6.1.1.1) without its queue nothing is told");
	driver_setup(&f->d, FROM, DRIVER_QUEUE_SIZE);
	f->offered = f->taken = 0;
	offer(f, 2, ROOM);
	says(f, "2 6 1", "CON-DEV-12 (5.3.6.2) but later");
	teardown(f);
}

static void test_failed(void)
{
	struct fixture *f = setup();

	bring_up_ports(f);
	ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_RECEIVE(1)], f->page, 16, true);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_RECEIVE(1));
	ring_break(&f->d.rings[TO]);
	driver_kick(&f->d, TO);
	ok(driver_failed(&f->d), "a control queue that is broken: the device fails");
	f->hosts[1].input = (const uint8_t *)"input";
	f->hosts[1].input_len = 5;
	f->hosts[2].away = false;
	virtio_backend_ready(&f->con.dev, 1);
	virtio_backend_ready(&f->con.dev, 2);
	ok(!f->hosts[1].input_wanted && f->hosts[1].reads == 1, "HARD-18 all of it");
	says(f, "", "HARD-18 it says nothing more either");
	teardown(f);
}

static void test_all(void)
{
	test_handshake();
	test_again();
	test_unusable();
	test_no_buffers();
	test_short_buffers();
	test_nonsense();
	test_clients();
	test_resize();
	test_control_reset();
	test_failed();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
