/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <vole/virtio_console.h>

#include "container.h"

#define CONTROL_RECEIVE  VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE
#define CONTROL_TRANSMIT VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT

/* Most bytes of one call of the back end: a chain can have 4 GiB, and other devices wait
 * meanwhile. */
#define SLICE_MAX 65536

/* Slices of output after which other devices have their turn. */
#define PASS_SLICES 64

static struct virtio_console *console_of(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_console, dev);
}

static bool has_control(const struct virtio_console *con)
{
	return virtio_has_feature(&con->dev, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Sets the events that the back end watches, if they changed: the call may cost a system call. */
static void port_want(struct console_port *port, bool input, bool output)
{
	struct console_backend *backend = port->backend;

	if (input == port->input_wanted && output == port->output_wanted)
		return;
	port->input_wanted = input;
	port->output_wanted = output;
	backend->ops->want(backend, input, output);
}

/* --- receive -------------------------------------------------------------------------------------
 *
 * A chain is taken before input is: without a buffer, input stays in the back end. A chain that
 * waits for input is held in port->input.
 */

/* Returns whether input may go to the driver. With MULTIPORT it waits until the driver opened the
 * port. */
static bool takes_input(const struct virtio_console *con, const struct console_port *port)
{
	return !port->input_ended && (port->control->opened || !has_control(con));
}

/* Reads input into the chain in port->input and pushes it. Returns false if there is no input
 * now. */
static bool receive_chain(struct virtio_console *con, struct console_port *port)
{
	struct console_backend *backend = port->backend;
	const struct chain *chain = &port->input;
	uint64_t len = virtio_write_len(&con->dev, port->receive, SLICE_MAX);
	unsigned count = chain_writable_slice(chain, 0, len, con->slice);
	ssize_t got = 0;

	/* A chain without room goes back as it is: reading nothing would look like the end. */
	if (count > 0) {
		got = backend->ops->read(backend, con->slice, count);
		if (got == -EAGAIN)
			return false;
		if (got <= 0) {
			port->input_ended = true;
			return false;
		}
	} else if (chain->readable_len > 0) {
		virtio_queue_mistake(&con->dev, RULE_CONSOLE_RECEIVE, port->receive,
			chain->readable_len, "receive buffer of %" PRIu64 " byte%s,",
			chain->readable_len, PLURAL(chain->readable_len));
	}
	virtio_push(&con->dev, port->receive, chain, got);
	port->receiving = false;
	return true;
}

/* Reads input into as many chains as there are. */
static void port_receive(struct virtio_console *con, struct console_port *port)
{
	struct virtio_device *dev = &con->dev;

	while (takes_input(con, port)) {
		if (!port->receiving)
			port->receiving = virtio_pop(dev, port->receive, &port->input);
		if (!port->receiving || !receive_chain(con, port))
			break;
	}
	virtio_publish(dev, port->receive);
	port_want(port, port->receiving && takes_input(con, port), port->output_wanted);
}

/* --- transmit ------------------------------------------------------------------------------------
 *
 * A chain that the back end did not take whole is held in port->output. Those behind it stay in the
 * queue, so a driver that prints faster than the host reads runs out of buffers and has to wait.
 */

/* Writes a part of the chain in port->output, and pushes the chain after its last byte. Returns
 * false if the back end takes none now. */
static bool send_chain(struct virtio_console *con, struct console_port *port)
{
	struct console_backend *backend = port->backend;
	const struct chain *chain = &port->output;
	unsigned count = chain_readable_slice(chain, port->sent, SLICE_MAX, con->slice);
	ssize_t taken = 0;

	if (count > 0) {
		taken = backend->ops->write(backend, con->slice, count);
		if (taken == -EAGAIN)
			return false;
	} else if (chain->writable_len > 0) {
		virtio_queue_mistake(&con->dev, RULE_CONSOLE_TRANSMIT, port->transmit,
			chain->writable_len, "transmit buffer of %" PRIu64 " byte%s,",
			chain->writable_len, PLURAL(chain->writable_len));
	}
	/* What a host's error ate is lost: the driver is not to blame and cannot be told. */
	port->sent = taken > 0 ? port->sent + taken : chain->readable_len;
	if (port->sent == chain->readable_len) {
		virtio_push(&con->dev, port->transmit, chain, 0);
		port->sending = false;
	}
	return true;
}

/* Writes the chains that there are, up to a limited number of slices. Returns true if there are
 * more. */
static bool port_transmit(struct virtio_console *con, struct console_port *port)
{
	struct virtio_device *dev = &con->dev;
	unsigned slices = PASS_SLICES;
	bool blocked = false;

	while (slices > 0) {
		if (!port->sending) {
			port->sending = virtio_pop(dev, port->transmit, &port->output);
			port->sent = 0;
		}
		if (!port->sending)
			break;
		blocked = !send_chain(con, port);
		if (blocked)
			break;
		slices--;
	}
	virtio_publish(dev, port->transmit);
	port_want(port, port->input_wanted, blocked);
	return slices == 0;
}

/* --- operations ------------------------------------------------------------------------------- */

/* Returns the port that a queue belongs to, NULL for the control queues. */
static struct console_port *port_of(struct virtio_console *con, unsigned queue)
{
	if (queue == CONTROL_RECEIVE || queue == CONTROL_TRANSMIT)
		return NULL;
	return &con->ports[queue > CONTROL_TRANSMIT ? queue / 2 - 1 : 0];
}

static unsigned console_queue_count(const struct virtio_device *dev)
{
	const struct virtio_console *con = console_of((struct virtio_device *)dev);

	return has_control(con) ? dev->queue_count : CONTROL_RECEIVE;
}

static bool console_notified(struct virtio_device *dev, unsigned queue)
{
	struct virtio_console *con = console_of(dev);
	struct console_port *port = port_of(con, queue);

	if (queue == CONTROL_RECEIVE)
		console_control_send(&con->control);
	else if (queue == CONTROL_TRANSMIT)
		console_control_receive(&con->control);
	else if (queue == port->transmit)
		return port_transmit(con, port);
	else
		port_receive(con, port);
	return false;
}

static void console_queue_stopped(struct virtio_device *dev, unsigned queue)
{
	struct console_port *port = port_of(console_of(dev), queue);

	if (!port)
		return;
	if (queue == port->receive) {
		port->receiving = false;
		port_want(port, false, port->output_wanted);
	} else {
		port->sending = false;
		port_want(port, port->input_wanted, false);
	}
}

/* That input has ended is the host's affair, and stays so. */
static void console_reset(struct virtio_device *dev)
{
	for (unsigned i = 0; i < dev->queue_count; i++)
		console_queue_stopped(dev, i);
	console_control_reset(&console_of(dev)->control);
}

static void console_backend_ready(struct virtio_device *dev, unsigned index)
{
	struct virtio_console *con = console_of(dev);
	struct console_port *port = &con->ports[index];
	bool connected = port->backend->ops->connected(port->backend);

	if (connected != port->control->connected) {
		port->control->connected = connected;
		console_control_tell(port->control, VIRTIO_CONSOLE_PORT_OPEN);
		console_control_send(&con->control);
	}

	/* A device that failed waits for nothing: else a level-triggered back end would spin. */
	if (!virtio_queue_live(dev, port->receive))
		console_queue_stopped(dev, port->receive);
	else if (port->input_wanted)
		port_receive(con, port);

	if (!virtio_queue_live(dev, port->transmit))
		console_queue_stopped(dev, port->transmit);
	else if (port->output_wanted && port_transmit(con, port))
		virtio_kick(dev, port->transmit);
}

static void port_look_at_size(struct console_port *port)
{
	struct console_control_port *control = port->control;
	uint16_t cols, rows;

	port->backend->ops->size(port->backend, &cols, &rows);
	if (cols == control->cols && rows == control->rows)
		return;
	control->cols = cols;
	control->rows = rows;
	if (!control->name)
		console_control_tell(control, VIRTIO_CONSOLE_RESIZE);
}

/* Not when it is read: a driver that reads cols and rows, one after the other, must be able to tell
 * by the generation that they do not belong together (virtio 4.2.2.1). */
static void console_config_changed(struct virtio_device *dev)
{
	struct virtio_console *con = console_of(dev);

	for (unsigned i = 0; i < con->control.port_count; i++)
		port_look_at_size(&con->ports[i]);
	virtio_kick(dev, CONTROL_RECEIVE);
}

/* Fields of features that are not offered read 0, and so does emerg_wr (virtio 5.3.4). */
static void console_config_read(struct virtio_device *dev, uint8_t *bytes)
{
	const struct virtio_console *con = console_of(dev);
	struct virtio_console_config config = {0};

	if (dev->features & VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE)) {
		config.cols = cpu_to_le16(con->control.ports[0].cols);
		config.rows = cpu_to_le16(con->control.ports[0].rows);
	}
	if (dev->features & VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT))
		config.max_nr_ports = cpu_to_le32(con->control.port_count);
	memcpy(bytes, &config, sizeof config);
}

/* The emergency write: one character, at any time, of a driver that may have set up nothing
 * (virtio 5.3.5.1), to port 0. If the host does not take it at once, it is lost. */
static void console_config_write(
	struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len)
{
	struct console_backend *backend = console_of(dev)->ports[0].backend;
	uint8_t character = data[0]; /* the low byte */
	struct iovec iov = {&character, 1};

	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		backend->ops->write(backend, &iov, 1);
	else
		virtio_config_mistake(dev, RULE_CONFIG_READ_ONLY, offset, data, len);
}

/* --- saving and restoring --------------------------------------------------------------------- */

static const struct chain *console_held(
	struct virtio_device *dev, unsigned queue, struct virtio_saved_queue *saved)
{
	const struct console_port *port = port_of(console_of(dev), queue);

	if (!port)
		return NULL;
	if (queue == port->receive)
		return port->receiving ? &port->input : NULL;
	saved->transferred = port->sent;
	return port->sending ? &port->output : NULL;
}

static int console_take_held(
	struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved)
{
	struct virtio_console *con = console_of(dev);
	struct console_port *port = port_of(con, queue);

	if (!port)
		return -EINVAL;
	if (queue == port->receive) {
		port->receiving = virtio_pop(dev, queue, &port->input);
		port_want(port, port->receiving && takes_input(con, port), port->output_wanted);
		return port->receiving ? 0 : -EINVAL;
	}
	port->sending = virtio_pop(dev, queue, &port->output);
	if (!port->sending || saved->transferred > port->output.readable_len)
		return -EINVAL;
	port->sent = saved->transferred;
	port_want(port, port->input_wanted, true);
	return 0;
}

static void console_save(const struct virtio_device *dev, struct virtio_saved *saved)
{
	const struct virtio_console *con = container_of(dev, const struct virtio_console, dev);

	console_control_save(&con->control, saved);
}

static int console_restore(struct virtio_device *dev, const struct virtio_saved *saved)
{
	return console_control_restore(&console_of(dev)->control, saved);
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.features = VIRTIO_BIT(VIRTIO_CONSOLE_F_EMERG_WRITE),
	.optional = VIRTIO_BIT(VIRTIO_CONSOLE_F_EMERG_WRITE) | VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE),
	.streams = 0x55555555, /* receive queues (virtio 5.3.2) */
	.queue_size_max = 64,
	.queue_count = console_queue_count,
	.config_len = sizeof(struct virtio_console_config),
	.notified = console_notified,
	.backend_ready = console_backend_ready,
	.reset = console_reset,
	.queue_stopped = console_queue_stopped,
	.config_read = console_config_read,
	.config_changed = console_config_changed,
	.config_write = console_config_write,
	.held = console_held,
	.take_held = console_take_held,
	.save = console_save,
	.restore = console_restore,
};

static void port_init(
	struct virtio_console *con, const struct console_port_host *host, unsigned index)
{
	struct console_backend *backend = host->backend;
	struct console_control_port *control = &con->control.ports[index];

	*control = (struct console_control_port){
		.name = host->name, .connected = backend->ops->connected(backend)};
	backend->ops->size(backend, &control->cols, &control->rows);
	con->ports[index] = (struct console_port){
		.backend = backend,
		.control = control,
		.receive = VIRTIO_CONSOLE_PORT_RECEIVE(index),
		.transmit = VIRTIO_CONSOLE_PORT_TRANSMIT(index),
	};
}

int virtio_console_init(struct virtio_console *con, const struct console_port_host *ports,
	unsigned port_count, bool multiport, const struct gmem *gmem,
	const struct virtio_host_ops *host, void *ctx)
{
	unsigned queue_count = multiport ? 2 + 2 * port_count : CONTROL_RECEIVE;
	uint64_t features = 0;

	assert(port_count <= (multiport ? VIRTIO_CONSOLE_PORTS_MAX : 1));
	con->control.dev = &con->dev;
	con->control.port_count = port_count;
	for (unsigned i = 0; i < port_count; i++)
		port_init(con, &ports[i], i);
	if (con->control.ports[0].cols != 0 && con->control.ports[0].rows != 0)
		features |= VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE);
	if (multiport)
		features |= VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT);
	return virtio_init(&con->dev, &console_ops, features, queue_count, gmem, host, ctx);
}

bool virtio_console_is_outdated(struct virtio_console *con, unsigned port)
{
	struct console_backend *backend = con->ports[port].backend;
	const struct console_control_port *told = con->ports[port].control;
	uint16_t cols, rows;
	bool outdated;

	pthread_mutex_lock(&con->dev.lock);
	backend->ops->size(backend, &cols, &rows);
	outdated = cols != told->cols || rows != told->rows ||
		   backend->ops->connected(backend) != told->connected;
	pthread_mutex_unlock(&con->dev.lock);
	return outdated;
}
