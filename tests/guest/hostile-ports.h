/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_HOSTILE_PORTS_H
#define TESTS_GUEST_HOSTILE_PORTS_H

/* The conversation about the ports of a console: port 0 is the console, port 1 has a name. */

#include "hostile.h"

#define PORTS    2
#define LAST     1
#define NAME_LEN 64
#define HEAD     sizeof(struct virtio_console_control)
#define POISON   0xa5
#define READY    VIRTIO_CONSOLE_PORT_READY
#define OPEN     VIRTIO_CONSOLE_PORT_OPEN
#define NAME     VIRTIO_CONSOLE_PORT_NAME

static struct target *const victim = &targets[CONSOLE];
static struct mmio *const dev = &console.dev;
static struct virtq *const receive = &console.control_receive;
static struct virtq *const transmit = &console.control_transmit;

/* Buffers for the control transmit queue, which the device takes without writing to them. */
static inline void say(const struct virtq_buffer *buffers, unsigned readable, unsigned writable)
{
	uint32_t written = 1;

	check(virtq_exchange(transmit, buffers, readable, writable, &written) == 0 && written == 0,
		"CON-DEV-07 a message is taken, and nothing written");
}

static inline void say_bytes(const void *bytes, uint32_t len)
{
	struct virtq_buffer buffer = {(void *)bytes, len};

	say(&buffer, 1, 0);
}

static inline struct virtio_console_control message_of(uint32_t id, unsigned event, unsigned value)
{
	return (struct virtio_console_control){
		cpu_to_le32(id), cpu_to_le16(event), cpu_to_le16(value)};
}

static inline void tell(uint32_t id, unsigned event, unsigned value)
{
	struct virtio_console_control message = message_of(id, event, value);

	say_bytes(&message, sizeof(message));
}

/* The last message of the device. */
static struct console_message heard;

/* Receives the next message in a buffer of room bytes. Returns the used length. */
static inline uint32_t hear(uint32_t room)
{
	struct virtq_buffer buffer = {&heard, room};
	uint32_t len = UINT32_MAX;

	memset(&heard, POISON, sizeof(heard));
	check(virtq_exchange(receive, &buffer, 0, 1, &len) == 0, "the device says something");
	return len;
}

/* Receives a message, which is of this port and whole. Returns its event. */
static inline unsigned hear_of(uint32_t id)
{
	uint32_t len = hear(sizeof(heard));
	unsigned event = le16_to_cpu(heard.head.event);

	check(le32_to_cpu(heard.head.id) == id && le16_to_cpu(heard.head.value) == 1 &&
			len == HEAD + (event == NAME ? NAME_LEN : 0),
		"CON-DEV-07 said: port %u, event %u, value %u, in %u bytes; not port %u",
		le32_to_cpu(heard.head.id), event, le16_to_cpu(heard.head.value), len, id);
	return event;
}

/* Receives the messages of a port that has become ready. */
static inline void expect_port(uint32_t id)
{
	unsigned first = hear_of(id), second;

	if (id == LAST) {
		check(first == NAME, "CON-DEV-10 the name of port %u, not event %u", id, first);
		return;
	}
	second = hear_of(id);
	check((first == VIRTIO_CONSOLE_CONSOLE_PORT && second == OPEN) ||
			(first == OPEN && second == VIRTIO_CONSOLE_CONSOLE_PORT),
		"CON-DEV-07 port %u is an open console, not events %u, %u", id, first, second);
}

#endif
