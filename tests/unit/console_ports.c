/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of several ports: which are there, and that each is a console by itself. */
#include "../console_ports_fixture.h"

/* --- the device ------------------------------------------------------------------------------- */

static void test_offered(void)
{
	struct fixture *f = setup_named(NULL);

	is(driver_offered(&f->d) & DRIVER_TYPE_FEATURES, 7, "5.3.3 MULTIPORT is offered");
	is(access_read(&f->d, CONFIG + 4, 4), PORTS, "5.3.4 max_nr_ports");
	is(access_read(&f->d, CONFIG, 4), 25 << 16 | 80, "5.3.4 cols and rows are port 0's");
	teardown(f);
}

static unsigned queues(struct fixture *f)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 12; i++) {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, i);
		count += reg_read(&f->d, VIRTIO_MMIO_QUEUE_SIZE_MAX) == 64 ? 1 << i : 0;
	}
	return count;
}

static void test_queues(void)
{
	struct fixture *f = setup_named(NULL);

	driver_negotiate(&f->d, MULTIPORT);
	is(queues(f), 0xff, "CON-DEV-02 (5.3.2) with MULTIPORT: three ports and control, 8 queues");
	driver_negotiate(&f->d, 0);
	is(queues(f), 3, "CON-DEV-02 (5.3.2) without it: two");
	ok(start(f, 0), "which are enough");
	driver_kick(&f->d, 5);
	is(f->d.host.kicks[5], 0, "CON-DEV-02 (5.3.2) the others cannot be kicked");
	teardown(f);
}

/* Only port 0, at once, and nobody tells anything. */
static void test_single(void)
{
	struct fixture *f = setup_named(NULL);
	struct ring *in = &f->d.rings[0];

	start(f, 0);
	f->hosts[0].input = (const uint8_t *)"typed";
	f->hosts[0].input_len = 5;
	ring_add_one(in, f->page, 16, true);
	driver_kick(&f->d, 0);
	is(ring_used_idx(in), 1, "5.3.5 without MULTIPORT port 0 works by itself");
	f->hosts[1].input = (const uint8_t *)"typed";
	f->hosts[1].input_len = 5;
	virtio_backend_ready(&f->con.dev, 1);
	ok(!f->hosts[1].input_wanted && f->hosts[1].reads == 0, "CON-DEV-02 (5.3.2) others do not");
	f->hosts[2].away = false;
	virtio_backend_ready(&f->con.dev, 2);
	ok(!driver_failed(&f->d), "a client that comes to them is no event");
	teardown(f);
}

/* --- ports are independent -------------------------------------------------------------------- */

static void test_opened(void)
{
	struct fixture *f = setup();
	struct ring *in = &f->d.rings[VIRTIO_CONSOLE_PORT_RECEIVE(1)];
	struct used used;

	f->hosts[1].input = (const uint8_t *)"early";
	f->hosts[1].input_len = 5;
	ring_add_one(in, f->page, 16, true);
	ring_add_one(in, f->page + 16, 16, true);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_RECEIVE(1));
	ok(!f->hosts[1].input_wanted && f->hosts[1].reads == 0,
		"CON-DEV-11 (5.3.6.2) input waits until the driver opens the port");
	offer(f, 8, ROOM);
	tell(f, 0, READY, 1);
	tell(f, 1, OPEN, 1);
	is(f->hosts[1].reads, 0, "CON-DEV-07 (5.3.6.2) which it can only after PORT_READY");
	tell(f, 1, USABLE, 1);
	tell(f, 1, OPEN, 1);
	ok(ring_take(in, &used) && used.len == 5, "CON-DEV-11 (5.3.6.2) and comes then");
	ok(f->hosts[1].input_wanted, "CON-DEV-11 and more is waited for");
	tell(f, 1, OPEN, 0);
	ok(!f->hosts[1].input_wanted, "CON-DEV-11 (5.3.6.2) not once it is closed");
	f->hosts[1].input = (const uint8_t *)"late";
	f->hosts[1].input_len = 4;
	virtio_backend_ready(&f->con.dev, 1);
	ok(!ring_pending(in), "CON-DEV-11 (5.3.6.2) then nothing comes");
	tell(f, 1, OPEN, 1);
	ok(ring_take(in, &used) && used.len == 4, "CON-DEV-11 (5.3.6.2) until it is opened again");
	ok(memcmp(ram_at(&f->d.ram, f->page + 16), "late", 4) == 0, "in the buffer that waited");
	teardown(f);
}

static bool output_is(struct fixture *f, unsigned port, const char *text)
{
	return f->hosts[port].output_len == strlen(text) &&
	       memcmp(f->hosts[port].output, text, strlen(text)) == 0;
}

static void test_independent(void)
{
	struct fixture *f = setup();

	bring_up_ports(f);
	f->hosts[1].output_room = 2;
	print(f, 0, f->page, "zero");
	print(f, 1, f->page + 16, "one");
	print(f, 2, f->page + 32, "two");
	ok(output_is(f, 0, "zero") && output_is(f, 1, "on") && output_is(f, 2, "two"),
		"CON-DEV-11 (5.3.6) one port that waits holds up no other");
	ok(f->hosts[1].output_wanted && !f->hosts[0].output_wanted && !f->hosts[2].output_wanted,
		"CON-DEV-11 (5.3.6) and only it waits");
	f->hosts[1].output_room = SIZE_MAX;
	virtio_backend_ready(&f->con.dev, 0);
	ok(output_is(f, 1, "on"), "another that gets ready does not move it");
	virtio_backend_ready(&f->con.dev, 1);
	ok(output_is(f, 1, "one") && !f->hosts[1].output_wanted, "its own does");

	f->hosts[2].input_end = true;
	ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_RECEIVE(2)], f->page, 16, true);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_RECEIVE(2));
	ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_RECEIVE(1)], f->page + 16, 16, true);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_RECEIVE(1));
	ok(f->hosts[1].input_wanted && !f->hosts[2].input_wanted,
		"CON-DEV-11 (5.3.6) the end of one's input is not another's");
	teardown(f);
}

/* All ports wait, each for both directions. */
static void test_reset(void)
{
	struct fixture *f = setup();
	bool wanted = true, wanted_after = false;

	bring_up_ports(f);
	for (unsigned i = 0; i < PORTS; i++) {
		f->hosts[i].output_room = 0;
		print(f, i, f->page + 64 * i, "text");
		ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_RECEIVE(i)], f->page + 2048, 16, true);
		driver_kick(&f->d, VIRTIO_CONSOLE_PORT_RECEIVE(i));
		wanted = wanted && f->hosts[i].input_wanted && f->hosts[i].output_wanted;
	}
	ok(wanted, "all ports wait, both ways");
	f->hosts[2].away = false;
	reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	for (unsigned i = 0; i < PORTS; i++) {
		f->hosts[i].output_room = SIZE_MAX;
		f->hosts[i].input = (const uint8_t *)"input";
		f->hosts[i].input_len = 5;
		virtio_backend_ready(&f->con.dev, i);
		wanted_after |= f->hosts[i].input_wanted || f->hosts[i].output_wanted;
	}
	ok(!wanted_after, "BASE-DEV-02 (2.4.1) after a reset none does");
	ok(ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE), "BASE-DEV-02 (2.4.1) and memory is left alone");
	memset(f->d.ram.bytes, 0, RAM_SIZE);
	start(f, MULTIPORT);
	offer(f, 3, ROOM);
	tell(f, 0, READY, 1);
	said(f);
	offer(f, 2, ROOM);
	tell(f, 2, USABLE, 1);
	says(f, "2 6 1, 2 7 1 [second]", "a client that came meanwhile is not forgotten");
	teardown(f);
}

static void test_emergency(void)
{
	struct fixture *f = setup_named(NULL);

	access_write(&f->d, CONFIG + 8, 'A', 4);
	start(f, MULTIPORT);
	access_write(&f->d, CONFIG + 8, 'B', 4);
	ok(output_is(f, 0, "AB"), "CON-DEV-01 CON-DEV-09 (5.3.5.1) emerg_wr is port 0's");
	ok(output_is(f, 1, ""), "and no other's");
	teardown(f);
}

static void test_all(void)
{
	test_offered();
	test_queues();
	test_single();
	test_opened();
	test_independent();
	test_reset();
	test_emergency();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
