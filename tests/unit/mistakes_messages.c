/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's mistakes in buffers and control messages: each rule of virtio/report.h about them is
 * broken, and reported with the device, what the driver did, and the clause. */
#include "../mistakes_fixture.h"

/* A buffer of len bytes that is used. */
static void serve(struct fixture *f, unsigned queue, uint32_t len, bool writable)
{
	struct used used;

	ring_add_one(&f->d.rings[queue], f->out, len, writable);
	driver_kick(&f->d, queue);
	ok(ring_take(&f->d.rings[queue], &used), "the buffer comes back");
}

static void test_buffers(void)
{
	struct fixture *f = live_rng();

	serve(f, 0, 1, false);
	told(f, RULE_RNG_BUFFER,
		"rng: buffer of 1 byte without device-writable bytes (virtio 5.4.6.1)");
	done(f, 1);

	f = live_console();
	serve(f, 1, 8, true);
	told(f, RULE_CONSOLE_TRANSMIT,
		"console: transmit buffer of 8 bytes, of which none is device-readable (virtio "
		"5.3.6.1)");
	done(f, 1);
}

/* A message of the driver, or its first bytes. */
static void tell(struct fixture *f, uint32_t id, uint16_t event, uint32_t len)
{
	const struct virtio_console_control message = {
		cpu_to_le32(id), cpu_to_le16(event), cpu_to_le16(1)};

	memcpy(ram_at(&f->d.ram, f->out), &message, sizeof message);
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT, len, false);
}

static void test_messages(void)
{
	struct fixture *f = live_console();

	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 8);
	told(f, RULE_CONTROL_ADDED,
		"console: PORT_READY for port 0: there was no DEVICE_ADD for this port (virtio "
		"5.3.6.2)");
	tell(f, UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 8);
	is(f->d.host.mistakes, 1, "5.3.6.2 the id of DEVICE_READY has no meaning");
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE, 4, true);
	told(f, RULE_CONTROL_BUFFER,
		"console: control receive buffer of 4 bytes, too short for a control message "
		"(virtio 5.3.6.2)");
	serve(f, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE, 64, true);
	tell(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 8);
	told(f, RULE_CONTROL_READY,
		"console: PORT_OPEN for port 0: there was no PORT_READY for this port (virtio "
		"5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 7);
	told(f, RULE_CONTROL_LENGTH,
		"console: control message of 7 bytes: a control message has 8 (virtio 5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_DEVICE_ADD, 8);
	told(f, RULE_CONTROL_EVENT,
		"console: control message with event 1, not one that drivers send (virtio "
		"5.3.6.2)");
	tell(f, 1, VIRTIO_CONSOLE_PORT_READY, 8);
	told(f, RULE_CONTROL_PORT,
		"console: control message for port 1: there is no such port (virtio 5.3.6.2)");
	tell(f, 0, VIRTIO_CONSOLE_PORT_READY, 8);
	tell(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 8);
	is(f->d.host.mistakes, 6, "what comes in order is right");
	serve(f, 0, 8, false);
	told(f, RULE_CONSOLE_RECEIVE,
		"console: receive buffer of 8 bytes, of which none is device-writable (virtio "
		"5.3.6.1)");
	done(f, 7);
}

int main(void)
{
	test_buffers();
	test_messages();
	all_broken(RULE_RNG_BUFFER, RULE_COUNT - 1);
	return tap_done();
}
