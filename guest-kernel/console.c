/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include <vole/virtio_console.h>

#include "error.h"
#include "printf.h"

/* The buffer belongs to the device until there is input for it. */
static int offer_buffer(struct console *con, struct console_buffer *buffer)
{
	struct virtq_buffer writable = {buffer->data, sizeof(buffer->data)};

	return virtq_add(&con->receive, &writable, 0, 1, buffer);
}

int console_init(struct console *con, const struct device_map_entry *entry)
{
	int error = mmio_begin(&con->dev, entry, VIRTIO_ID_CONSOLE, FEATURE(VIRTIO_CONSOLE_F_SIZE));

	if (!error)
		error = mmio_queue(&con->dev, VIRTIO_CONSOLE_QUEUE_RECEIVE, &con->receive);
	if (!error)
		error = mmio_queue(&con->dev, VIRTIO_CONSOLE_QUEUE_TRANSMIT, &con->transmit);
	if (error)
		return error;

	/* Buffers may be made available before DRIVER_OK, but the device may be kicked only
	 * afterwards (virtio 3.1.1). */
	con->current = NULL;
	con->next = con->len = 0;
	for (unsigned i = 0; i < CONSOLE_RECEIVE_BUFFERS; i++)
		offer_buffer(con, &con->buffers[i]);
	error = mmio_ready(&con->dev);
	if (!error)
		virtq_kick(&con->receive);
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

int console_write(struct console *con, const void *data, size_t len)
{
	struct virtq_buffer readable = {(void *)data, len};
	uint32_t written;
	int error;

	if (!len)
		return 0;
	/* The device reads straight from the caller's memory, so the wait is not a matter of taste:
	 * the memory is the device's until the request comes back. */
	error = virtq_add(&con->transmit, &readable, 1, 0, con);
	if (error)
		return error;
	virtq_kick(&con->transmit);
	error = virtq_wait(&con->transmit);
	if (!error && !virtq_take(&con->transmit, &written))
		error = -EIO;
	return error;
}

void console_print(void *ctx, const char *text, size_t len)
{
	/* With a console that has failed, there is still the debug port. */
	if (console_write(ctx, text, len))
		debug_write(NULL, text, len);
}

int console_read_byte(struct console *con)
{
	while (con->next >= con->len) {
		/* All of it read: back to the device, for more. */
		if (con->current) {
			offer_buffer(con, con->current);
			virtq_kick(&con->receive);
		}
		con->next = con->len = 0;
		con->current = virtq_take(&con->receive, &con->len);
		if (!con->current && virtq_wait(&con->receive))
			return -EIO;
	}
	return con->current->data[con->next++];
}
