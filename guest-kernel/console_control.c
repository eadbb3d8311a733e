/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"
#include "string.h"

static bool has_control(const struct console *con)
{
	return mmio_has_feature(&con->dev, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* The buffer belongs to the device until there is a message for it. */
static void offer_buffer(struct console *con, struct console_message *message)
{
	struct virtq_buffer writable = {message, sizeof(*message)};

	virtq_add(&con->control_receive, &writable, 0, 1, message);
}

/* Send a message of the driver's, and wait until the device has it. */
static int tell(struct console *con, uint32_t id, unsigned event, unsigned value)
{
	struct virtio_console_control message = {
		cpu_to_le32(id), cpu_to_le16(event), cpu_to_le16(value)};
	struct virtq_buffer readable = {&message, sizeof(message)};
	uint32_t written;

	return virtq_exchange(&con->control_transmit, &readable, 1, 0, &written);
}

int console_control_init(struct console *con)
{
	int error =
		virtq_setup(&con->control_receive, &con->dev, VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE);

	if (!error)
		error = virtq_setup(
			&con->control_transmit, &con->dev, VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT);
	if (error)
		return error;
	for (unsigned i = 0; i < CONSOLE_MESSAGES; i++)
		offer_buffer(con, &con->messages[i]);
	return 0;
}

int console_control_begin(struct console *con)
{
	virtq_kick(&con->control_receive);
	return tell(con, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
}

int console_open(struct console *con, struct console_port *port, bool open)
{
	if (!has_control(con))
		return 0;
	return tell(con, (uint32_t)(port - con->ports), VIRTIO_CONSOLE_PORT_OPEN, open);
}

static void take_size(struct console_port *port, const struct console_message *message)
{
	struct virtio_console_resize size;

	memcpy(&size, message->more, sizeof(size));
	port->cols = le16_to_cpu(size.cols);
	port->rows = le16_to_cpu(size.rows);
}

static void take_name(struct console_port *port, const struct console_message *message, size_t len)
{
	memcpy(port->name, message->more, len);
	port->name[len] = '\0';
}

/* A message of len bytes. Of a port that we have no room for nothing is answered, so it stays
 * unused. */
static int handle_message(struct console *con, const struct console_message *message, uint32_t len)
{
	uint32_t id = le32_to_cpu(message->head.id);
	struct console_port *port;
	size_t more;

	if (len < sizeof(message->head) || len > sizeof(*message) || id >= con->port_count)
		return 0;
	more = len - sizeof(message->head);
	port = &con->ports[id];
	switch (le16_to_cpu(message->head.event)) {
	case VIRTIO_CONSOLE_DEVICE_ADD:
		port->present = true;
		return tell(con, id, VIRTIO_CONSOLE_PORT_READY, 1);
	case VIRTIO_CONSOLE_DEVICE_REMOVE:
		port->present = port->connected = false;
		break;
	case VIRTIO_CONSOLE_CONSOLE_PORT:
		/* To be answered by opening it (virtio 5.3.6.2.2). */
		port->is_console = true;
		return console_open(con, port, true);
	case VIRTIO_CONSOLE_RESIZE:
		if (more >= sizeof(struct virtio_console_resize))
			take_size(port, message);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		port->connected = le16_to_cpu(message->head.value) == 1;
		break;
	case VIRTIO_CONSOLE_PORT_NAME:
		take_name(port, message, more);
		break;
	}
	return 0;
}

int console_update(struct console *con)
{
	struct console_message *message;
	uint32_t len;
	int error = 0;

	if (!has_control(con))
		return 0;
	while (!error && (message = virtq_take(&con->control_receive, &len)) != NULL) {
		error = handle_message(con, message, len);
		offer_buffer(con, message);
		virtq_kick(&con->control_receive);
	}
	return error;
}

struct console_port *console_find(struct console *con, const char *name)
{
	for (unsigned i = 0; i < con->port_count; i++)
		if (con->ports[i].present && strcmp(con->ports[i].name, name) == 0)
			return &con->ports[i];
	return NULL;
}
