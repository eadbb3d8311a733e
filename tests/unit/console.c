/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: bytes in both directions, and what happens when either side does not keep up. */
#include <errno.h>

#include "../console_fixture.h"

/* --- transmit --------------------------------------------------------------------------------- */

static void test_transmit(void)
{
	struct fixture *f = setup();
	struct used used;

	print(f, f->page, "hello");
	ok(output_is(f, "hello"), "5.3.6 what is sent comes out");
	ok(ring_take(f->out, &used), "5.3.6 and the buffer back");
	is(used.len, 0, "BASE-DEV-16 CON-DEV-14 (2.6) with used length 0");
	is(f->d.host.raises, 1, "SPLIT-DEV-06 (2.7.7.2) and an interrupt");
	is(f->host.wants, 0, "the back end was not bothered otherwise");
	teardown(f);
}

static void test_transmit_framing(void)
{
	struct fixture *f = setup();
	struct buffer split[] = {{f->page, 1, false}, {f->page + 100, 0, false},
		{f->page + 1, 3, false}, {f->page + 4, 1, false}};
	struct buffer writable = {f->page, 5, true};
	struct buffer both[] = {{f->page, 5, false}, {f->page + 5, 5, true}};
	struct used used;

	memcpy(ram_at(&f->d.ram, f->page), "abcde.....", 10);
	ring_add(f->out, split, 4);
	driver_kick(&f->d, TRANSMIT);
	ok(output_is(f, "abcde"), "SPLIT-DEV-05 (2.7.4.1) a text in pieces");
	ring_take(f->out, &used);

	ring_add(f->out, &writable, 1);
	driver_kick(&f->d, TRANSMIT);
	ok(ring_take(f->out, &used) && used.len == 0, "HARD-10 a writable buffer comes back");
	ok(output_is(f, "abcde"), "SPLIT-DEV-18 PACK-DEV-18 (2.7.5.1) unread");
	ring_add(f->out, both, 2);
	driver_kick(&f->d, TRANSMIT);
	ok(ring_take(f->out, &used) && used.len == 0, "HARD-10 behind a readable one too");
	ok(output_is(f, "abcdeabcde"), "HARD-10 of which the text is sent");
	ok(memcmp(ram_at(&f->d.ram, f->page), "abcde.....", 10) == 0,
		"SPLIT-DEV-01 (2.7.5.1) the device writes to none of them");
	ring_add_one(f->out, f->page, 0, false);
	driver_kick(&f->d, TRANSMIT);
	ok(ring_take(f->out, &used) && used.len == 0, "HARD-11 an empty text comes back");
	teardown(f);
}

/* The host takes 3 bytes, then none, then 4, then all. */
static void test_back_pressure(void)
{
	struct fixture *f = setup();
	struct used used;

	f->host.output_room = 3;
	print(f, f->page, "first ");
	print(f, f->page + 16, "second");
	ok(output_is(f, "fir"), "CON-DEV-11 (5.3.6) the host takes what it can");
	is(ring_used_idx(f->out), 0, "CON-DEV-11 (5.3.6) no buffer comes back before it is out");
	ok(f->host.output_wanted, "CON-DEV-11 (5.3.6) the device waits for the host");
	is(f->host.wants, 1, "and said so once");
	is(driver_kick(&f->d, TRANSMIT), 1, "CON-DEV-11 (5.3.6) without spinning");

	f->host.output_room = 4;
	is(host_loop(f), 1, "some room: one call");
	ok(output_is(f, "first s"), "CON-DEV-11 (5.3.6) it goes on where it was");
	is(ring_used_idx(f->out), 1, "the first buffer is back");
	ok(f->host.output_wanted, "the second waits");

	f->host.output_room = SIZE_MAX;
	is(host_loop(f), 1, "room for all: one call");
	ok(output_is(f, "first second"), "CON-DEV-11 (5.3.6) nothing is lost, nothing twice");
	is(ring_used_idx(f->out), 2, "both buffers are back");
	ok(!f->host.output_wanted, "and nothing is waited for");
	ring_take(f->out, &used);
	ok(ring_take(f->out, &used) && used.len == 0, "CON-DEV-14 used length 0");
	teardown(f);
}

/* More chains wait than a pass serves: the rest must not be forgotten when no kick comes. */
static void test_back_pressure_batch(void)
{
	struct fixture *f = setup();
	unsigned expected = 0;

	f->host.output_room = 0;
	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++) {
		char text[4] = {'a' + i, 0};

		print(f, f->page + i, text);
		expected++;
	}
	for (f->host.output_room = 1; f->host.output_wanted; f->host.output_room = 1)
		host_loop(f);
	is(f->host.output_len, expected, "CON-DEV-11 (5.3.6) a full queue drains byte by byte");
	ok(output_is(f, "abcdefghijklmnop"), "in order");
	is(ring_used_idx(f->out), expected, "all buffers are back");
	teardown(f);
}

static void test_output_error(void)
{
	struct fixture *f = setup();
	struct used used;

	f->host.output_error = -EIO;
	print(f, f->page, "lost");
	ok(ring_take(f->out, &used) && used.len == 0, "a host's error takes the text with it");
	ok(!driver_failed(&f->d), "but is no fault of the driver");
	f->host.output_error = 0;
	print(f, f->page, "found");
	ok(output_is(f, "found"), "later output is fine");
	teardown(f);
}

/* Add a buffer, and kick only if the device asks for it. */
static void add_politely(struct fixture *f, unsigned queue, const char *text, bool write)
{
	struct ring *ring = &f->d.rings[queue];

	memcpy(ram_at(&f->d.ram, f->page), text, strlen(text));
	ring_add_one(ring, f->page, strlen(text), write);
	if (ring_wants_kick(ring))
		driver_kick(&f->d, queue);
	f->page += 64;
}

/* A queue that was emptied when the back end became ready, not by a kick, wants kicks again. */
static void test_polite_driver(uint64_t features, const char *name)
{
	struct fixture *f = setup_window(0, 0);
	struct used used;

	driver_start(&f->d, features);
	f->host.output_room = 0;
	add_politely(f, TRANSMIT, "a", false);
	add_politely(f, TRANSMIT, "b", false);
	is(f->host.output_len, 0, "%s: output waits", name);
	f->host.output_room = SIZE_MAX;
	host_loop(f);
	ok(output_is(f, "ab"), "%s: and goes out without a kick", name);
	add_politely(f, TRANSMIT, "c", false);
	ok(output_is(f, "abc"), "SPLIT-DEV-16 (2.7.10.2) %s: what follows is not forgotten", name);

	add_politely(f, RECEIVE, "....", true);
	add_politely(f, RECEIVE, "....", true);
	input(f, "12345678");
	host_loop(f);
	is(f->host.input_len, 0, "%s: input fills two buffers", name);
	input(f, "9");
	is(host_loop(f), 0, "%s: and waits for a third", name);
	add_politely(f, RECEIVE, "....", true);
	is(f->host.input_len, 0, "SPLIT-DEV-16 (2.7.10.2) %s: which is not overlooked", name);
	while (ring_take(f->in, &used))
		;
	is(used.len, 1, "%s: with the rest in it", name);
	teardown(f);
}

/* One chain that names the same page many times over. */
static void test_huge_output(void)
{
	struct fixture *f = setup();
	gpa_t large = ram_alloc(&f->d.ram, 1 << 20, 4096);
	struct buffer all[DRIVER_QUEUE_SIZE];
	struct used used;

	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		all[i] = (struct buffer){large, 1 << 20, false};
	ring_add(f->out, all, DRIVER_QUEUE_SIZE);
	ok(virtio_serve(&f->con.dev, TRANSMIT),
		"HARD-07 HARD-18 16 MiB in a chain: not in one pass");
	is(f->host.output_len, 64 * 65536, "HARD-07 but 4 MiB");
	f->d.host.pending[TRANSMIT] = true;
	driver_serve(&f->d);
	is(f->host.output_len, 16 << 20, "HARD-07 and all of it in the end");
	ok(ring_take(f->out, &used) && !ring_pending(f->out), "HARD-07 for one used buffer");

	/* The same, after the host was not ready: no kick comes to go on with it. */
	f->host.output_room = 0;
	f->host.output_len = 0;
	ring_add(f->out, all, DRIVER_QUEUE_SIZE);
	driver_kick(&f->d, TRANSMIT);
	f->host.output_room = SIZE_MAX;
	is(host_loop(f), 1, "HARD-18 16 MiB when the host gets ready");
	is(f->host.output_len, 16 << 20, "HARD-18 all of it, without a kick");
	ok(ring_take(f->out, &used) && !ring_pending(f->out), "HARD-18 once");
	teardown(f);
}

/* --- receive ---------------------------------------------------------------------------------- */

static void test_receive(void)
{
	struct fixture *f = setup();
	struct used used;

	ring_add_one(f->in, f->page, 16, true);
	driver_kick(&f->d, RECEIVE);
	ok(f->host.input_wanted, "5.3.6 with a buffer, input is waited for");
	is(ring_used_idx(f->in), 0, "5.3.6 which it does not return empty");
	input(f, "hello");
	host_loop(f);
	ok(ring_take(f->in, &used), "5.3.6 input fills it");
	is(used.len, 5, "CON-DEV-14 HARD-20 (2.7.8.2) used length is what was placed");
	ok(memcmp(ram_at(&f->d.ram, f->page), "hello", 5) == 0, "5.3.6 the text is there");
	ok(ram_is(&f->d.ram, f->page + 5, 0, 11), "HARD-20 (2.7.8.2) and nothing behind it");
	is(f->d.host.raises, 1, "SPLIT-DEV-06 (2.7.7.2) the driver is interrupted");
	ok(!f->host.input_wanted, "CON-DEV-11 (5.3.6) without a buffer no input is wanted");
	teardown(f);
}

static void test_receive_framing(void)
{
	struct fixture *f = setup();
	struct buffer split[] = {{f->page, 1, true}, {f->page + 1, 0, true}, {f->page + 1, 2, true},
		{f->page + 3, 8, true}};
	struct buffer readable = {f->page + 64, 8, false};
	struct buffer nothing = {f->page + 64, 0, true};
	struct used used;

	input(f, "abcdef");
	ring_add(f->in, split, 4);
	driver_kick(&f->d, RECEIVE);
	ok(ring_take(f->in, &used) && used.len == 6, "SPLIT-DEV-05 (2.7.4.1) a buffer in pieces");
	ok(memcmp(ram_at(&f->d.ram, f->page), "abcdef", 6) == 0, "SPLIT-DEV-05 is filled in order");

	input(f, "next");
	ring_add(f->in, &readable, 1);
	ring_add(f->in, &nothing, 1);
	ring_add_one(f->in, f->page, 8, true);
	driver_kick(&f->d, RECEIVE);
	ok(ring_take(f->in, &used) && used.len == 0, "HARD-10 a readable buffer comes back");
	ok(ram_is(&f->d.ram, f->page + 64, 0, 8), "SPLIT-DEV-01 (2.7.5.1) unwritten");
	ok(ring_take(f->in, &used) && used.len == 0, "HARD-11 an empty one too");
	ok(ring_take(f->in, &used) && used.len == 4, "and the input goes to the next");
	teardown(f);
}

static void test_input_waits(void)
{
	static uint8_t text[1 << 20], got[1 << 20];
	struct fixture *f = setup();
	size_t received = 0;
	struct used used;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i * 7 + i / 256;
	f->host.input = text;
	f->host.input_len = sizeof text;
	virtio_backend_ready(&f->con.dev, 0);
	is(f->host.reads, 0, "CON-DEV-11 (5.3.6) input waits while there is no buffer");
	is(host_loop(f), 0, "CON-DEV-11 (5.3.6) and nobody spins for it");

	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		ring_add_one(f->in, f->page + 100 * i, 100, true);
	driver_kick(&f->d, RECEIVE);
	while (host_loop(f), ring_take(f->in, &used)) {
		gpa_t at = f->page + 100 * (used.id % DRIVER_QUEUE_SIZE);

		memcpy(got + received, ram_at(&f->d.ram, at), used.len);
		received += used.len;
		ring_add_one(f->in, at, 100, true);
		driver_kick(&f->d, RECEIVE);
	}
	is(received, sizeof text, "CON-DEV-11 (5.3.6) 1 MiB then comes in");
	ok(memcmp(got, text, sizeof text) == 0, "CON-DEV-11 (5.3.6) unchanged");
	teardown(f);
}

/* Full buffers and more input than they hold. */
static void test_receive_batch(void)
{
	struct fixture *f = setup();
	struct used used;

	f->host.input_max = 1;
	input(f, "abcdefghijklmnopqrst");
	for (unsigned i = 0; i < DRIVER_QUEUE_SIZE; i++)
		ring_add_one(f->in, f->page + i, 1, true);
	driver_kick(&f->d, RECEIVE);
	is(ring_used_idx(f->in), DRIVER_QUEUE_SIZE, "HARD-18 a queue's worth in a pass");
	ok(memcmp(ram_at(&f->d.ram, f->page), "abcdefghijklmnop", 16) == 0, "in order");
	ok(!f->host.input_wanted, "input that has no buffer is not waited for");
	while (ring_take(f->in, &used))
		;
	ring_add_one(f->in, f->page, 1, true);
	driver_kick(&f->d, RECEIVE);
	is(ring_used_idx(f->in), DRIVER_QUEUE_SIZE + 1, "until there is one");
	teardown(f);
}

static void test_input_end(void)
{
	struct fixture *f = setup();

	for (unsigned i = 0; i < 4; i++)
		ring_add_one(f->in, f->page + 16 * i, 16, true);
	driver_kick(&f->d, RECEIVE);
	input(f, "bye");
	f->host.input_end = true;
	ok(host_loop(f) <= 2, "the end of input comes once");
	is(ring_used_idx(f->in), 1, "what came before it arrives");
	ok(!f->host.input_wanted, "CON-DEV-11 (5.3.6) after it nothing is waited for");
	driver_kick(&f->d, RECEIVE);
	driver_start(&f->d, 0);
	driver_kick(&f->d, RECEIVE);
	ok(!f->host.input_wanted, "not after a reset either");
	print(f, f->page, "still here");
	ok(output_is(f, "still here"), "output goes on");
	teardown(f);
}

static void test_all(void)
{
	test_transmit();
	test_transmit_framing();
	test_back_pressure();
	test_back_pressure_batch();
	test_output_error();
	test_huge_output();
	test_polite_driver(0, "flags");
	test_polite_driver(VIRTIO_BIT(VIRTIO_F_EVENT_IDX), "event index");
	test_receive();
	test_receive_framing();
	test_input_waits();
	test_receive_batch();
	test_input_end();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
