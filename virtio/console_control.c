/* SPDX-License-Identifier: BSD-2-Clause */
#include "console_control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <vole/virtio_console.h>

#define RECEIVE  VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE
#define TRANSMIT VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT

/* A message to the driver, of the longest kind. */
struct message {
	struct virtio_console_control head;
	uint8_t more[VIRTIO_CONSOLE_NAME_MAX];
};

static bool is_console(const struct console_control_port *port)
{
	return !port->name;
}

void console_control_tell(struct console_control_port *port, unsigned event)
{
	if (port->ready)
		port->pending |= 1u << event;
}

void console_control_reset(struct console_control *control)
{
	for (unsigned i = 0; i < control->port_count; i++) {
		struct console_control_port *port = &control->ports[i];

		port->added = port->ready = port->opened = false;
		port->pending = 0;
	}
}

/* --- to the driver ---------------------------------------------------------------------------- */

/* Fills the message of this event. Returns its length; a buffer of less than *least bytes cannot
 * hold a meaningful part of it. */
static size_t fill_message(const struct console_control *control,
	const struct console_control_port *port, unsigned event, struct message *message,
	size_t *least)
{
	struct virtio_console_resize size = {cpu_to_le16(port->cols), cpu_to_le16(port->rows)};
	size_t more = 0;

	*message = (struct message){
		.head.id = cpu_to_le32((uint32_t)(port - control->ports)),
		.head.event = cpu_to_le16((uint16_t)event),
		/* Of the others nothing is said; 1 is what drivers have come to see. */
		.head.value = cpu_to_le16(event == VIRTIO_CONSOLE_PORT_OPEN ? port->connected : 1),
	};
	*least = sizeof message->head;
	if (event == VIRTIO_CONSOLE_RESIZE) {
		more = sizeof size;
		memcpy(message->more, &size, more);
		*least += more;
	} else if (event == VIRTIO_CONSOLE_PORT_NAME) {
		more = strlen(port->name);
		memcpy(message->more, port->name, more);
	}
	return sizeof message->head + more;
}

/* The first message that is due to a port. False if the driver has no buffer. */
static bool send_message(struct console_control *control, struct console_control_port *port)
{
	unsigned event = (unsigned)__builtin_ctz(port->pending);
	struct message message;
	struct chain chain;
	size_t len, least;

	if (!virtio_pop(control->dev, RECEIVE, &chain))
		return false;
	len = fill_message(control, port, event, &message, &least);
	/* A buffer that is too short goes back empty, and the next one is tried. */
	if (chain.writable_len < least) {
		virtio_queue_mistake(control->dev, RULE_CONTROL_BUFFER, RECEIVE, chain.writable_len,
			"control receive buffer of %" PRIu64 " byte%s,", chain.writable_len,
			PLURAL(chain.writable_len));
		virtio_push(control->dev, RECEIVE, &chain, 0);
		return true;
	}
	len = chain_write(&chain, 0, &message, len);
	virtio_push(control->dev, RECEIVE, &chain, (uint32_t)len);
	port->pending &= ~(1u << event);
	port->added |= event == VIRTIO_CONSOLE_DEVICE_ADD;
	return true;
}

void console_control_send(struct console_control *control)
{
	bool buffers = virtio_queue_live(control->dev, RECEIVE);

	for (unsigned i = 0; i < control->port_count && buffers; i++)
		while (buffers && control->ports[i].pending)
			buffers = send_message(control, &control->ports[i]);
	virtio_publish(control->dev, RECEIVE);
}

/* --- from the driver -------------------------------------------------------------------------- */

/* The id is of no port (virtio 5.3.6.2). A port is added once, whatever the driver
 * says how often. */
static void device_ready(struct console_control *control, bool usable)
{
	for (unsigned i = 0; i < control->port_count; i++) {
		struct console_control_port *port = &control->ports[i];

		if (!usable)
			port->ready = port->opened = false;
		port->pending = usable ? port->pending : 0;
		if (usable && !port->added)
			port->pending |= 1u << VIRTIO_CONSOLE_DEVICE_ADD;
	}
}

static void port_ready(struct console_control_port *port, bool usable)
{
	bool was_ready = port->ready;

	port->ready = usable;
	if (!usable) {
		port->opened = false;
		port->pending = 0;
	}
	if (!usable || was_ready)
		return;
	console_control_tell(
		port, is_console(port) ? VIRTIO_CONSOLE_CONSOLE_PORT : VIRTIO_CONSOLE_PORT_NAME);
	if (is_console(port) && port->cols != 0 && port->rows != 0)
		console_control_tell(port, VIRTIO_CONSOLE_RESIZE);
	if (port->connected)
		console_control_tell(port, VIRTIO_CONSOLE_PORT_OPEN);
}

static void port_opened(
	struct console_control *control, struct console_control_port *port, bool opened)
{
	port->opened = opened;
	/* Input that has waited for it, or that is not to be waited for any more. */
	virtio_kick(control->dev, VIRTIO_CONSOLE_PORT_RECEIVE((unsigned)(port - control->ports)));
}

#define mistake(control, rule, value, ...) \
	virtio_queue_mistake((control)->dev, rule, TRANSMIT, value, __VA_ARGS__)

/* Handles a message about a port. One that comes too early is ignored; one that ends what did not
 * begin does no harm. */
static void handle_port_message(struct console_control *control, struct console_control_port *port,
	unsigned event, bool yes)
{
	unsigned id = (unsigned)(port - control->ports);

	if (event == VIRTIO_CONSOLE_PORT_READY) {
		if (port->added)
			port_ready(port, yes);
		else if (yes)
			mistake(control, RULE_CONTROL_ADDED, id, "PORT_READY for port %u:", id);
	} else {
		if (port->ready)
			port_opened(control, port, yes);
		else if (yes)
			mistake(control, RULE_CONTROL_READY, id, "PORT_OPEN for port %u:", id);
	}
}

/* Handles a message of the driver, which may have any content. One without a meaning is reported
 * and ignored. */
static void handle_message(
	struct console_control *control, const struct virtio_console_control *message)
{
	uint32_t id = le32_to_cpu(message->id);
	unsigned event = le16_to_cpu(message->event);
	bool yes = le16_to_cpu(message->value) == 1;

	if (event == VIRTIO_CONSOLE_DEVICE_READY)
		device_ready(control, yes);
	else if (event != VIRTIO_CONSOLE_PORT_READY && event != VIRTIO_CONSOLE_PORT_OPEN)
		mistake(control, RULE_CONTROL_EVENT, event, "control message with event %u,",
			event);
	else if (id >= control->port_count)
		mistake(control, RULE_CONTROL_PORT, id, "control message for port %" PRIu32 ":",
			id);
	else
		handle_port_message(control, &control->ports[id], event, yes);
}

void console_control_receive(struct console_control *control)
{
	struct virtio_console_control message;
	struct chain chain;

	while (virtio_pop(control->dev, TRANSMIT, &chain)) {
		if (chain_read(&chain, 0, &message, sizeof message) == sizeof message)
			handle_message(control, &message);
		else
			mistake(control, RULE_CONTROL_LENGTH, chain.readable_len,
				"control message of %" PRIu64 " byte%s:", chain.readable_len,
				PLURAL(chain.readable_len));
		virtio_push(control->dev, TRANSMIT, &chain, 0);
	}
	virtio_publish(control->dev, TRANSMIT);
	virtio_kick(control->dev, RECEIVE);
}

/* --- saving and restoring --------------------------------------------------------------------- */

void console_control_save(const struct console_control *control, struct virtio_saved *saved)
{
	for (unsigned i = 0; i < control->port_count; i++) {
		const struct console_control_port *port = &control->ports[i];

		saved->ports[i] = (struct virtio_saved_port){
			.added = port->added,
			.ready = port->ready,
			.opened = port->opened,
			.pending = port->pending,
			.cols = port->cols,
			.rows = port->rows,
			.connected = port->connected,
		};
	}
}

/* Events of which the driver can be told, as bits. */
static uint32_t events_of(const struct console_control_port *port)
{
	return 1u << VIRTIO_CONSOLE_DEVICE_ADD | 1u << VIRTIO_CONSOLE_RESIZE |
	       1u << VIRTIO_CONSOLE_PORT_OPEN |
	       1u << (is_console(port) ? VIRTIO_CONSOLE_CONSOLE_PORT : VIRTIO_CONSOLE_PORT_NAME);
}

int console_control_restore(struct console_control *control, const struct virtio_saved *saved)
{
	for (unsigned i = 0; i < control->port_count; i++) {
		struct console_control_port *port = &control->ports[i];
		const struct virtio_saved_port *from = &saved->ports[i];

		if (from->pending & ~events_of(port))
			return -EINVAL;
		port->added = from->added;
		port->ready = from->ready;
		port->opened = from->opened;
		port->pending = from->pending;
		port->cols = from->cols;
		port->rows = from->rows;
		port->connected = from->connected;
	}
	return 0;
}
