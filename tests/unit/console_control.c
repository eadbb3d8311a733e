/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of several ports: what it and its driver tell each other of them, and that each is a
 * console by itself. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "../driver.h"
#include "../ring_forms.h"
#include "../tap.h"

#define MULTIPORT VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT)
#define FROM      VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE
#define TO        VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT
#define CONFIG    VIRTIO_MMIO_CONFIG

#define READY  VIRTIO_CONSOLE_DEVICE_READY
#define ADD    VIRTIO_CONSOLE_DEVICE_ADD
#define REMOVE VIRTIO_CONSOLE_DEVICE_REMOVE
#define USABLE VIRTIO_CONSOLE_PORT_READY
#define OPEN   VIRTIO_CONSOLE_PORT_OPEN
#define NAME   VIRTIO_CONSOLE_PORT_NAME

/* Bytes of a buffer for messages. */
#define ROOM 128

/* Port 0 is a console with a window, the others are named; nobody is at the last one. */
#define PORTS 3

struct fixture {
	struct driver d;
	struct fake_console hosts[PORTS];
	struct virtio_console con;
	gpa_t in, out, page;     /* for messages from the device, to it; for text */
	unsigned offered, taken; /* buffers for messages, which are used in turn */
};

/* With these names; NULL: usual ones. */
static struct fixture *setup_named(const char *const names[PORTS])
{
	static const char *const usual[PORTS] = {NULL, "a", "second"};
	struct fixture *f = calloc(1, sizeof *f);
	struct console_port_host ports[PORTS];

	driver_init(&f->d);
	for (unsigned i = 0; i < PORTS; i++) {
		fake_console_init(&f->hosts[i], i == 0 ? 80 : 0, i == 0 ? 25 : 0);
		ports[i] = (struct console_port_host){
			&f->hosts[i].backend, names ? names[i] : usual[i]};
	}
	f->hosts[PORTS - 1].away = true;
	virtio_console_init(
		&f->con, ports, PORTS, true, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	driver_attach(&f->d, &f->con.dev);
	f->in = ram_alloc(&f->d.ram, ROOM * DRIVER_QUEUE_SIZE, 8);
	f->out = ram_alloc(&f->d.ram, 64, 8);
	f->page = ram_alloc(&f->d.ram, 4096, 4096);
	return f;
}

static bool start(struct fixture *f, uint64_t features)
{
	f->offered = f->taken = 0;
	return driver_start(&f->d, features);
}

static struct fixture *setup(void)
{
	struct fixture *f = setup_named(NULL);

	start(f, MULTIPORT);
	return f;
}

static void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static gpa_t message_buffer(const struct fixture *f, unsigned number)
{
	return f->in + (gpa_t)ROOM * (number % DRIVER_QUEUE_SIZE);
}

/* Buffers of len bytes for messages from the device. */
static void offer(struct fixture *f, unsigned count, uint32_t len)
{
	while (count-- > 0) {
		gpa_t buffer = message_buffer(f, f->offered++);

		memset(ram_at(&f->d.ram, buffer), 0, ROOM);
		ring_add_one(&f->d.rings[FROM], buffer, len, true);
	}
	driver_kick(&f->d, FROM);
}

/* len bytes of a message to the device. */
static void tell_some(struct fixture *f, uint32_t id, uint16_t event, uint16_t value, uint32_t len)
{
	struct virtio_console_control message = {
		cpu_to_le32(id), cpu_to_le16(event), cpu_to_le16(value)};
	struct used used;

	memcpy(ram_at(&f->d.ram, f->out), &message, sizeof message);
	ring_add_one(&f->d.rings[TO], f->out, len, false);
	driver_kick(&f->d, TO);
	while (ring_take(&f->d.rings[TO], &used))
		;
}

static void tell(struct fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	tell_some(f, id, event, value, sizeof(struct virtio_console_control));
}

static size_t name_text(char *text, size_t size, const char *name, size_t len)
{
	const char *more = strnlen(name, len) < len ? " and a NUL" : "";

	return snprintf(text, size, " [%.*s%s]", (int)len, name, more);
}

/* All that the device has said since, as text: "id event value, ...", a name or a
 * size in brackets. */
static const char *said(struct fixture *f)
{
	static char text[1024];
	size_t at = 0;
	struct used used;

	for (unsigned i = 0; ring_take(&f->d.rings[FROM], &used); i++) {
		const uint8_t *bytes = ram_at(&f->d.ram, message_buffer(f, f->taken++));
		struct virtio_console_control head;

		memcpy(&head, bytes, sizeof head);
		at += snprintf(text + at, sizeof text - at, "%s%u %u %u", i ? ", " : "",
			le32_to_cpu(head.id), le16_to_cpu(head.event), le16_to_cpu(head.value));
		if (used.len < sizeof head)
			at += snprintf(text + at, sizeof text - at, " short %u", used.len);
		else if (le16_to_cpu(head.event) == VIRTIO_CONSOLE_RESIZE && used.len == 12)
			at += snprintf(text + at, sizeof text - at, " [%ux%u]",
				bytes[8] | bytes[9] << 8, bytes[10] | bytes[11] << 8);
		else if (used.len > sizeof head || le16_to_cpu(head.event) == NAME)
			at += name_text(text + at, sizeof text - at,
				(const char *)bytes + sizeof head, used.len - sizeof head);
	}
	return at ? text : "";
}

static void says(struct fixture *f, const char *expected, const char *name)
{
	const char *text = said(f);

	ok(strcmp(text, expected) == 0, "%s: \"%s\"", name, text);
}

/* As a driver does that means well, with buffers for all that comes. */
static void bring_up_ports(struct fixture *f)
{
	offer(f, 16, ROOM);
	tell(f, 0, READY, 1);
	for (unsigned i = 0; i < PORTS; i++)
		tell(f, i, USABLE, 1);
	for (unsigned i = 0; i < PORTS; i++)
		tell(f, i, OPEN, 1);
	said(f);
}

static void print(struct fixture *f, unsigned port, gpa_t gpa, const char *text)
{
	memcpy(ram_at(&f->d.ram, gpa), text, strlen(text));
	ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_TRANSMIT(port)], gpa, strlen(text), false);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_TRANSMIT(port));
}

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

/* --- control messages ------------------------------------------------------------------------- */

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
	test_offered();
	test_queues();
	test_single();
	test_handshake();
	test_again();
	test_unusable();
	test_no_buffers();
	test_short_buffers();
	test_nonsense();
	test_clients();
	test_resize();
	test_opened();
	test_independent();
	test_reset();
	test_control_reset();
	test_emergency();
	test_failed();
}

int main(void)
{
	for_each_ring_form(test_all);
	return tap_done();
}
