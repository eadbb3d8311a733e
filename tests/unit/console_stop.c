/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: what is left of both directions after a stop, a reset or a failure. */
#include "../console_fixture.h"

/* Both queues wait for the host; then one or both are stopped. */
static void test_stop(const char *what, unsigned queue, bool by_reset)
{
	struct fixture *f = setup_window(0, 0);
	const uint64_t features = VIRTIO_BIT(VIRTIO_F_RING_RESET);

	driver_start(&f->d, features);
	f->host.output_room = 2;
	ring_add_one(f->in, f->page, 16, true);
	driver_kick(&f->d, RECEIVE);
	print(f, f->page + 16, "output");
	ok(f->host.input_wanted && f->host.output_wanted, "both directions wait");
	if (queue > 1) {
		reg_write(&f->d, VIRTIO_MMIO_STATUS, 0);
	} else {
		reg_write(&f->d, VIRTIO_MMIO_QUEUE_SEL, queue);
		reg_write(&f->d, by_reset ? VIRTIO_MMIO_QUEUE_RESET : VIRTIO_MMIO_QUEUE_READY,
			by_reset);
	}
	ok(f->host.input_wanted == (queue == TRANSMIT) &&
			f->host.output_wanted == (queue == RECEIVE),
		"MMIO-DEV-01 BASE-DEV-05 (4.2.2.1) after %s nothing is waited for on its behalf",
		what);
	if (queue > 1)
		memset(f->d.ram.bytes, 0x5a, RAM_SIZE);
	input(f, "input");
	f->host.output_room = SIZE_MAX;
	virtio_backend_ready(&f->con.dev, 0);
	is(f->host.reads, queue == TRANSMIT ? 2 : 1,
		"MMIO-DEV-01 BASE-DEV-05 (4.2.2.1) input after %s", what);
	is(f->host.output_len, queue == RECEIVE ? 6 : 2,
		"MMIO-DEV-01 BASE-DEV-05 (4.2.2.1) output after %s", what);
	ok(queue <= 1 || ram_is(&f->d.ram, 0, 0x5a, RAM_SIZE),
		"BASE-DEV-02 (2.4.1) memory after %s", what);

	/* Start over: the device, or the queue alone. */
	if (queue > 1)
		memset(f->d.ram.bytes, 0, RAM_SIZE);
	f->host.output_len = 0;
	f->host.output_room = SIZE_MAX;
	input(f, "new");
	if (queue > 1)
		driver_start(&f->d, 0);
	else
		driver_setup(&f->d, queue, DRIVER_QUEUE_SIZE);
	if (queue != RECEIVE) {
		print(f, f->page + 64, "fresh");
		ok(output_is(f, "fresh"), "HARD-14 nothing is left of output before %s", what);
		is(ring_used_idx(f->out), 1, "HARD-14 nor of its buffer");
	}
	if (queue != TRANSMIT) {
		ring_add_one(f->in, f->page + 128, 16, true);
		driver_kick(&f->d, RECEIVE);
		ok(memcmp(ram_at(&f->d.ram, f->page + 128), "new", 3) == 0,
			"HARD-14 nothing is left of the buffer before %s", what);
		is(ring_used_idx(f->in), 1, "HARD-14 in the used ring either");
	}
	teardown(f);
}

/* A device that failed stops waiting, or a level-triggered loop would spin. */
static void test_failed(void)
{
	struct fixture *f = setup();

	f->host.output_room = 2;
	ring_add_one(f->in, f->page, 16, true);
	driver_kick(&f->d, RECEIVE);
	print(f, f->page + 16, "output");
	ring_break(f->in);
	input(f, "x");
	host_loop(f);
	ok(driver_failed(&f->d), "the receive queue is broken");
	f->host.output_room = SIZE_MAX;
	input(f, "more");
	ok(host_loop(f) <= 1, "HARD-18 a failed device waits for neither direction");
	is(f->host.output_len, 2, "and sends nothing any more");
	teardown(f);

	f = setup();
	ring_add_one(f->in, f->page, 16, true);
	driver_kick(&f->d, RECEIVE);
	ring_break(f->out);
	driver_kick(&f->d, TRANSMIT);
	ok(driver_failed(&f->d), "the transmit queue is broken");
	input(f, "x");
	ok(host_loop(f) <= 1, "HARD-18 then input is not waited for");
	is(f->host.reads, 1, "and not taken");
	ok(ram_is(&f->d.ram, f->page, 0, 16), "into the buffer that waited");
	teardown(f);
}

static void test_all(void)
{
	test_stop("the receive queue's stop", RECEIVE, false);
	test_stop("the transmit queue's stop", TRANSMIT, false);
	test_stop("the receive queue's reset", RECEIVE, true);
	test_stop("the transmit queue's reset", TRANSMIT, true);
	test_stop("reset", 2, true);
	test_failed();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
