/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include "error.h"
#include "irq.h"
#include "printf.h"
#include "string.h"
#include "x86.h"

/* The buffer belongs to the device until there is input for it. */
static int offer_buffer(struct console_port *port, struct console_buffer *buffer)
{
	struct virtq_buffer writable = {buffer->data, sizeof(buffer->data)};

	return virtq_add(&port->receive, &writable, 0, 1, buffer);
}

/* Buffers may be made available before DRIVER_OK, but the device may be kicked only afterwards
 * (virtio 3.1.1). */
static int port_init(struct console *con, unsigned number)
{
	struct console_port *port = &con->ports[number];
	int error = virtq_setup(&port->receive, &con->dev, VIRTIO_CONSOLE_PORT_RECEIVE(number));

	if (!error)
		error = virtq_setup(
			&port->transmit, &con->dev, VIRTIO_CONSOLE_PORT_TRANSMIT(number));
	if (error)
		return error;
	port->current = NULL;
	port->next = port->len = 0;
	port->present = port->is_console = port->connected = false;
	port->cols = port->rows = 0;
	port->name[0] = '\0';
	for (unsigned i = 0; i < CONSOLE_RECEIVE_BUFFERS; i++)
		offer_buffer(port, &port->buffers[i]);
	return 0;
}

/* Without MULTIPORT nobody tells: port 0 is there, and that is all (virtio 5.3.5). */
static void assume_one_port(struct console *con)
{
	con->ports[0].present = con->ports[0].is_console = con->ports[0].connected = true;
}

int console_init(struct console *con, const struct device_map_entry *entry)
{
	uint64_t wanted = VIRTQ_FEATURES | FEATURE(VIRTIO_CONSOLE_F_SIZE) |
			  FEATURE(VIRTIO_CONSOLE_F_MULTIPORT);
	int error = mmio_begin(&con->dev, entry, VIRTIO_ID_CONSOLE, wanted);
	bool several;

	if (error)
		return error;
	con->port_count = 1;
	several = mmio_has_feature(&con->dev, VIRTIO_CONSOLE_F_MULTIPORT);
	if (several) {
		con->port_count = mmio_config32(
			&con->dev, offsetof(struct virtio_console_config, max_nr_ports));
		if (con->port_count > CONSOLE_PORTS_MAX)
			con->port_count = CONSOLE_PORTS_MAX;
		error = console_control_init(con);
	}
	for (unsigned i = 0; !error && i < con->port_count; i++)
		error = port_init(con, i);
	if (!error)
		error = mmio_ready(&con->dev);
	for (unsigned i = 0; !error && i < con->port_count; i++)
		virtq_kick(&con->ports[i].receive);
	if (!error && several)
		error = console_control_begin(con);
	if (!several)
		assume_one_port(con);
	return error;
}

void console_size(const struct console *con, unsigned *cols, unsigned *rows)
{
	uint32_t generation;

	*cols = *rows = 0;
	if (!mmio_has_feature(&con->dev, VIRTIO_CONSOLE_F_SIZE))
		return;
	do {
		generation = mmio_config_generation(&con->dev);
		*cols = mmio_config16(&con->dev, offsetof(struct virtio_console_config, cols));
		*rows = mmio_config16(&con->dev, offsetof(struct virtio_console_config, rows));
	} while (generation != mmio_config_generation(&con->dev));
}

int console_port_write(struct console_port *port, const void *data, size_t len)
{
	struct virtq_buffer readable = {(void *)data, len};
	uint32_t written;

	if (!len)
		return 0;
	/* The device reads straight from the caller's memory, so to wait is not a matter of taste:
	 * the memory is the device's until the request comes back. */
	return virtq_exchange(&port->transmit, &readable, 1, 0, &written);
}

int console_write(struct console *con, const void *data, size_t len)
{
	return console_port_write(&con->ports[0], data, len);
}

void console_print(void *ctx, const char *text, size_t len)
{
	/* With a console that has failed, there is still the debug port. */
	if (console_write(ctx, text, len))
		debug_write(NULL, text, len);
}

/* Ask for interrupts from the control queue and the first ports. True if one of them has
 * something. */
static bool look(struct console *con, unsigned ports)
{
	bool several = mmio_has_feature(&con->dev, VIRTIO_CONSOLE_F_MULTIPORT);
	bool pending = several && virtq_interrupts_on(&con->control_receive);

	for (unsigned i = 0; i < ports; i++)
		pending |= virtq_interrupts_on(&con->ports[i].receive);
	return pending;
}

/* What nobody takes from the other ports must not end the wait, each time anew. */
static int wait_for_first(struct console *con, unsigned ports)
{
	uint32_t eflags = interrupts_off();
	bool pending = look(con, ports);

	/* An interrupt that came since the last time may have been about anything, a new size
	 * too. */
	while (!pending && atomic_load(&con->dev.interrupts) == con->interrupts &&
		!atomic_load(&con->dev.failed)) {
		irq_wait();
		pending = look(con, ports);
	}
	con->interrupts = atomic_load(&con->dev.interrupts);
	interrupts_restore(eflags);
	return atomic_load(&con->dev.failed) ? -EIO : 0;
}

int console_wait(struct console *con)
{
	return wait_for_first(con, con->port_count);
}

int console_port_read(struct console_port *port, void *data, size_t len)
{
	size_t left;

	while (port->next >= port->len) {
		/* All of it read: back to the device, for more. */
		if (port->current) {
			offer_buffer(port, port->current);
			virtq_kick(&port->receive);
		}
		port->next = port->len = 0;
		port->current = virtq_take(&port->receive, &port->len);
		if (!port->current)
			return atomic_load(&port->receive.dev->failed) ? -EIO : 0;
	}
	left = port->len - port->next;
	if (len > left)
		len = left;
	memcpy(data, port->current->data + port->next, len);
	port->next += len;
	return (int)len;
}

int console_read_byte(struct console *con)
{
	uint8_t byte;
	int got;

	while ((got = console_port_read(&con->ports[0], &byte, 1)) == 0) {
		int error = console_update(con);

		if (!error)
			error = wait_for_first(con, 1);
		if (error)
			return error;
	}
	return got < 0 ? got : byte;
}
