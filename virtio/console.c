/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include <errno.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "container.h"

#define RECEIVE  VIRTIO_CONSOLE_QUEUE_RECEIVE
#define TRANSMIT VIRTIO_CONSOLE_QUEUE_TRANSMIT

/* Bytes that go through the back end at once: a chain can name 4 GiB, and others wait meanwhile. */
#define SLICE_MAX 65536

/* Slices of output after which other devices have their turn. */
#define PASS_SLICES 64

static struct virtio_console *console_of(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_console, dev);
}

/* Tell the back end what is waited for, if that changed: it may cost a system call. */
static void console_want(struct virtio_console *con, bool input, bool output)
{
	if (input == con->input_wanted && output == con->output_wanted)
		return;
	con->input_wanted = input;
	con->output_wanted = output;
	con->backend->ops->want(con->backend, input, output);
}

/* --- receive -------------------------------------------------------------------------------------
 *
 * A chain is taken before input is: without a buffer, input stays in the back end. A chain that
 * waits for input is held in con->input.
 */

/* Input into the chain held, which is done with then. False if there is none now. */
static bool receive_chain(struct virtio_console *con)
{
	const struct chain *chain = &con->input;
	unsigned count =
		iov_slice(chain->writable, chain->writable_count, 0, SLICE_MAX, con->slice);
	ssize_t got = 0;

	/* A chain without room goes back as it is: reading nothing would look like the end. */
	if (count > 0) {
		got = con->backend->ops->read(con->backend, con->slice, count);
		if (got == -EAGAIN)
			return false;
		if (got <= 0) {
			con->input_ended = true;
			return false;
		}
	}
	virtq_push(&con->dev.queues[RECEIVE], chain, got);
	con->receiving = false;
	return true;
}

/* Input into as many chains as there are. */
static void console_receive(struct virtio_console *con)
{
	struct virtio_device *dev = &con->dev;

	while (!con->input_ended) {
		if (!con->receiving)
			con->receiving = virtio_pop(dev, RECEIVE, &con->input);
		if (!con->receiving || !receive_chain(con))
			break;
	}
	virtio_publish(dev, RECEIVE);
	console_want(con, con->receiving && !con->input_ended, con->output_wanted);
}

/* --- transmit ------------------------------------------------------------------------------------
 *
 * A chain that the back end did not take whole is held in con->output. Those behind it stay in the
 * queue, so a driver that prints faster than the host reads runs out of buffers and has to wait.
 */

/* Some of the chain held goes out; with its last byte it is done with. False if none can go now. */
static bool send_chain(struct virtio_console *con)
{
	const struct chain *chain = &con->output;
	unsigned count =
		iov_slice(chain->readable, chain->readable_count, con->sent, SLICE_MAX, con->slice);
	ssize_t taken = 0;

	if (count > 0) {
		taken = con->backend->ops->write(con->backend, con->slice, count);
		if (taken == -EAGAIN)
			return false;
	}
	/* What a host's error ate is lost: the driver is not to blame and cannot be told. */
	con->sent = taken > 0 ? con->sent + taken : chain->readable_len;
	if (con->sent == chain->readable_len) {
		virtq_push(&con->dev.queues[TRANSMIT], chain, 0);
		con->sending = false;
	}
	return true;
}

/* Output of as many chains as there are, but a limited number of slices. True if there is more. */
static bool console_transmit(struct virtio_console *con)
{
	struct virtio_device *dev = &con->dev;
	unsigned slices = PASS_SLICES;
	bool blocked = false;

	while (slices > 0) {
		if (!con->sending) {
			con->sending = virtio_pop(dev, TRANSMIT, &con->output);
			con->sent = 0;
		}
		if (!con->sending)
			break;
		blocked = !send_chain(con);
		if (blocked)
			break;
		slices--;
	}
	virtio_publish(dev, TRANSMIT);
	console_want(con, con->input_wanted, blocked);
	return slices == 0;
}

/* --- operations ------------------------------------------------------------------------------- */

static bool console_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_console *con = console_of(dev);

	if (queue == TRANSMIT)
		return console_transmit(con);
	console_receive(con);
	return false;
}

static void console_queue_stopped(struct virtio_device *dev, unsigned queue)
{
	struct virtio_console *con = console_of(dev);

	if (queue == RECEIVE) {
		con->receiving = false;
		console_want(con, false, con->output_wanted);
	} else {
		con->sending = false;
		console_want(con, con->input_wanted, false);
	}
}

/* That input has ended is the host's affair, and stays so. */
static void console_reset(struct virtio_device *dev)
{
	console_queue_stopped(dev, RECEIVE);
	console_queue_stopped(dev, TRANSMIT);
}

static void console_backend_ready(struct virtio_device *dev)
{
	struct virtio_console *con = console_of(dev);

	/* A device that failed waits for nothing: else a level-triggered back end would spin. */
	if (!virtio_queue_live(dev, RECEIVE))
		console_queue_stopped(dev, RECEIVE);
	else if (con->input_wanted)
		console_receive(con);

	if (!virtio_queue_live(dev, TRANSMIT))
		console_queue_stopped(dev, TRANSMIT);
	else if (con->output_wanted && console_transmit(con))
		virtio_kick(dev, TRANSMIT);
}

/* Not when it is read: a driver that reads cols and rows, one after the other, must be able to tell
 * by the generation that they do not belong together (virtio 4.2.2.1). */
static void console_config_changed(struct virtio_device *dev)
{
	struct virtio_console *con = console_of(dev);

	con->backend->ops->size(con->backend, &con->cols, &con->rows);
}

/* Fields of features that are not offered read 0, and so does emerg_wr (virtio 5.3.4). */
static void console_config_read(struct virtio_device *dev, uint8_t *bytes)
{
	const struct virtio_console *con = console_of(dev);
	struct virtio_console_config config = {0};

	if (dev->features & VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE)) {
		config.cols = cpu_to_le16(con->cols);
		config.rows = cpu_to_le16(con->rows);
	}
	memcpy(bytes, &config, sizeof config);
}

/* The emergency write: one character, at any time, of a driver that may have set up nothing
 * (virtio 5.3.5.1). If the host does not take it at once, it is lost. */
static void console_config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	struct virtio_console *con = console_of(dev);
	uint8_t character = data[0]; /* the low byte */
	struct iovec iov = {&character, 1};

	(void)len;
	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		con->backend->ops->write(con->backend, &iov, 1);
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.features = VIRTIO_BIT(VIRTIO_CONSOLE_F_EMERG_WRITE),
	.queue_size_max = 64,
	.config_len = sizeof(struct virtio_console_config),
	.notified = console_notified,
	.backend_ready = console_backend_ready,
	.reset = console_reset,
	.queue_stopped = console_queue_stopped,
	.config_read = console_config_read,
	.config_changed = console_config_changed,
	.config_write = console_config_write,
};

int virtio_console_init(struct virtio_console *con, struct console_backend *backend,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx)
{
	uint64_t features = 0;

	*con = (struct virtio_console){.backend = backend};
	backend->ops->size(backend, &con->cols, &con->rows);
	if (con->cols != 0 && con->rows != 0)
		features |= VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE);
	return virtio_init(&con->dev, &console_ops, features, 2, gmem, host, ctx);
}
