/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: bytes in both directions, and what happens when either side does not keep up. */
#include "console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"

#define RECEIVE  VIRTIO_CONSOLE_QUEUE_RECEIVE
#define TRANSMIT VIRTIO_CONSOLE_QUEUE_TRANSMIT
#define CONFIG   VIRTIO_MMIO_CONFIG

struct fixture {
	struct driver d;
	struct fake_console host;
	struct virtio_console con;
	struct ring *in, *out;
	gpa_t page;
};

static struct fixture *setup_window(uint16_t cols, uint16_t rows)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_console_init(&f->host, cols, rows);
	virtio_console_init(&f->con, &(struct console_port_host){&f->host.backend, NULL}, 1, false,
		&f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->con.dev);
	f->in = &f->d.rings[RECEIVE];
	f->out = &f->d.rings[TRANSMIT];
	f->page = ram_alloc(&f->d.ram, 8192, 4096);
	return f;
}

static struct fixture *setup(void)
{
	struct fixture *f = setup_window(0, 0);

	driver_start(&f->d, 0);
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static void input(struct fixture *f, const char *text)
{
	f->host.input = (const uint8_t *)text;
	f->host.input_len = strlen(text);
}

/* Calls the device as long as something that it wants is there, as a loop around epoll does.
 * Returns how many calls it took. */
static unsigned host_loop(struct fixture *f)
{
	unsigned calls = 0;

	while (calls < 1000 &&
		((f->host.input_wanted && (f->host.input_len > 0 || f->host.input_end)) ||
			(f->host.output_wanted && f->host.output_room > 0))) {
		virtio_backend_ready(&f->con.dev, 0);
		driver_serve(&f->d);
		calls++;
	}
	return calls;
}

static bool output_is(struct fixture *f, const char *text)
{
	return f->host.output_len == strlen(text) &&
	       memcmp(f->host.output, text, strlen(text)) == 0;
}

/* Put text into guest memory and make it available for transmission. */
static void print(struct fixture *f, gpa_t gpa, const char *text)
{
	memcpy(ram_at(&f->d.ram, gpa), text, strlen(text));
	ring_add_one(f->out, gpa, strlen(text), false);
	driver_kick(&f->d, TRANSMIT);
}

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

/* One chain that names the same page many times over. */
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

/* --- reset, stop, failure --------------------------------------------------------------------- */

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

/* --- configuration ---------------------------------------------------------------------------- */

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
	test_stop("the receive queue's stop", RECEIVE, false);
	test_stop("the transmit queue's stop", TRANSMIT, false);
	test_stop("the receive queue's reset", RECEIVE, true);
	test_stop("the transmit queue's reset", TRANSMIT, true);
	test_stop("reset", 2, true);
	test_failed();
	test_size();
	test_queues();
	test_emergency();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
