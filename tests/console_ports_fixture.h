/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_CONSOLE_PORTS_FIXTURE_H
#define TESTS_CONSOLE_PORTS_FIXTURE_H

/* A console of several ports and its driver, with what they tell each other as text. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "console.h"
#include "driver.h"
#include "ring_forms.h"
#include "tap.h"

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
static inline struct fixture *setup_named(const char *const names[PORTS])
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

static inline bool start(struct fixture *f, uint64_t features)
{
	f->offered = f->taken = 0;
	return driver_start(&f->d, features);
}

static inline struct fixture *setup(void)
{
	struct fixture *f = setup_named(NULL);

	start(f, MULTIPORT);
	return f;
}

static inline void teardown(struct fixture *f)
{
	driver_free(&f->d);
	free(f);
}

static inline gpa_t message_buffer(const struct fixture *f, unsigned number)
{
	return f->in + (gpa_t)ROOM * (number % DRIVER_QUEUE_SIZE);
}

/* Buffers of len bytes for messages from the device. */
static inline void offer(struct fixture *f, unsigned count, uint32_t len)
{
	while (count-- > 0) {
		gpa_t buffer = message_buffer(f, f->offered++);

		memset(ram_at(&f->d.ram, buffer), 0, ROOM);
		ring_add_one(&f->d.rings[FROM], buffer, len, true);
	}
	driver_kick(&f->d, FROM);
}

/* len bytes of a message to the device. */
static inline void tell_some(
	struct fixture *f, uint32_t id, uint16_t event, uint16_t value, uint32_t len)
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

static inline void tell(struct fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	tell_some(f, id, event, value, sizeof(struct virtio_console_control));
}

static inline size_t name_text(char *text, size_t size, const char *name, size_t len)
{
	const char *more = strnlen(name, len) < len ? " and a NUL" : "";

	return snprintf(text, size, " [%.*s%s]", (int)len, name, more);
}

/* All that the device has said since, as text: "id event value, ...", a name or a
 * size in brackets. */
static inline const char *said(struct fixture *f)
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

static inline void says(struct fixture *f, const char *expected, const char *name)
{
	const char *text = said(f);

	ok(strcmp(text, expected) == 0, "%s: \"%s\"", name, text);
}

/* As a driver does that means well, with buffers for all that comes. */
static inline void bring_up_ports(struct fixture *f)
{
	offer(f, 16, ROOM);
	tell(f, 0, READY, 1);
	for (unsigned i = 0; i < PORTS; i++)
		tell(f, i, USABLE, 1);
	for (unsigned i = 0; i < PORTS; i++)
		tell(f, i, OPEN, 1);
	said(f);
}

static inline void print(struct fixture *f, unsigned port, gpa_t gpa, const char *text)
{
	memcpy(ram_at(&f->d.ram, gpa), text, strlen(text));
	ring_add_one(&f->d.rings[VIRTIO_CONSOLE_PORT_TRANSMIT(port)], gpa, strlen(text), false);
	driver_kick(&f->d, VIRTIO_CONSOLE_PORT_TRANSMIT(port));
}

#endif
