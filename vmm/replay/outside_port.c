/* SPDX-License-Identifier: BSD-2-Clause */
/* The outside's ports: input from a journal or a back end, and output that is never refused. */
#include "replay/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"

static struct outside_port *port_of(struct console_backend *backend)
{
	return container_of(backend, struct outside_port, backend);
}

/* Has the back end watch for what could go on. */
void outside_port_update(struct outside_port *port)
{
	const struct outside *outside = port->outside;
	bool input = !outside->is_past && !outside->has_stopped && port->is_wanted &&
		     port->input_len == 0 && !port->has_ended;

	port->host->ops->want(port->host, input, port->output_len > 0);
}

/* --- what the device calls -------------------------------------------------------------------- */

static ssize_t port_read(struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct outside_port *port = port_of(backend);
	size_t done = 0;

	for (unsigned i = 0; i < count && done < port->input_len; i++) {
		size_t part = port->input_len - done;

		part = part < iov[i].iov_len ? part : iov[i].iov_len;
		memcpy(iov[i].iov_base, port->input + done, part);
		done += part;
	}
	port->input_len -= (uint32_t)done;
	memmove(port->input, port->input + done, port->input_len);
	outside_port_update(port);
	if (done > 0)
		return (ssize_t)done;
	return port->has_ended ? port->end : -EAGAIN;
}

/* Keeps bytes for the host, unless it had them before. Returns 0 or -ENOMEM. */
static int keep(struct outside_port *port, const uint8_t *bytes, size_t len)
{
	uint64_t before = port->sent;
	size_t old;

	port->sent += len;
	if (port->sent <= port->delivered)
		return 0;
	old = port->delivered > before ? (size_t)(port->delivered - before) : 0;
	if (port->output_len + len - old > port->output_capacity) {
		size_t capacity = 2 * (port->output_len + len);
		uint8_t *output = realloc(port->output, capacity);

		if (!output)
			return -ENOMEM;
		port->output = output;
		port->output_capacity = capacity;
	}
	memcpy(port->output + port->output_len, bytes + old, len - old);
	port->output_len += len - old;
	port->delivered = port->sent;
	return 0;
}

void outside_port_flush(struct outside_port *port)
{
	size_t done = 0;

	if (port->output_len == 0)
		return;
	while (done < port->output_len) {
		struct iovec iov = {port->output + done, port->output_len - done};
		ssize_t ret = port->host->ops->write(port->host, &iov, 1);

		if (ret == -EAGAIN)
			break;
		/* Output that the host refuses with an error is lost. */
		done = ret > 0 ? done + (size_t)ret : port->output_len;
	}
	port->output_len -= done;
	memmove(port->output, port->output + done, port->output_len);
}

/* Takes all of it. */
static ssize_t port_write(struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	struct outside_port *port = port_of(backend);
	size_t len = 0;

	for (unsigned i = 0; i < count; i++) {
		if (keep(port, iov[i].iov_base, iov[i].iov_len) < 0)
			return -ENOMEM;
		len += iov[i].iov_len;
	}
	outside_port_flush(port);
	if (port->output_len > 0)
		outside_port_update(port);
	return (ssize_t)len;
}

/* The device never waits to send. */
static void port_want(struct console_backend *backend, bool input, bool output)
{
	struct outside_port *port = port_of(backend);

	(void)output;
	port->is_wanted = input;
	outside_port_update(port);
}

static bool port_connected(struct console_backend *backend)
{
	return port_of(backend)->connected;
}

static void port_size(struct console_backend *backend, uint16_t *cols, uint16_t *rows)
{
	*cols = port_of(backend)->cols;
	*rows = port_of(backend)->rows;
}

static const struct console_backend_ops port_ops = {
	.read = port_read,
	.write = port_write,
	.want = port_want,
	.connected = port_connected,
	.size = port_size,
};

/* --- what is outside -------------------------------------------------------------------------- */

int64_t outside_port_state(const struct outside_port *port)
{
	return (int64_t)port->connected | (int64_t)port->cols << 8 | (int64_t)port->rows << 24;
}

void outside_port_set_state(struct outside_port *port, int64_t state)
{
	port->connected = state & 1;
	port->cols = (uint16_t)(state >> 8);
	port->rows = (uint16_t)(state >> 24);
}

/* The state as the host has it now. */
static void look(struct outside_port *port)
{
	port->connected = port->host->ops->connected(port->host);
	port->host->ops->size(port->host, &port->cols, &port->rows);
}

static void note_state(struct outside_port *port)
{
	outside_note(port->outside, (struct journal_entry){.kind = JOURNAL_PORT,
					    .number = port->number,
					    .value = outside_port_state(port)});
}

/* Takes input that the device wants. Returns whether there was any, or its end. */
static bool take_input(struct outside_port *port)
{
	struct iovec iov = {port->input, sizeof port->input};
	struct journal_entry entry = {.kind = JOURNAL_INPUT, .number = port->number};
	ssize_t ret;

	if (!port->is_wanted || port->input_len > 0 || port->has_ended)
		return false;
	ret = port->host->ops->read(port->host, &iov, 1);
	if (ret == -EAGAIN)
		return false;
	if (ret > 0) {
		port->input_len = entry.len = (uint32_t)ret;
		entry.data = port->input;
	} else {
		entry.kind = JOURNAL_INPUT_END;
		port->has_ended = true;
		port->end = entry.value = ret;
	}
	outside_note(port->outside, entry);
	return true;
}

void outside_port_take(struct outside_port *port)
{
	struct outside *outside = port->outside;
	int64_t before = outside_port_state(port);
	uint16_t cols = port->cols, rows = port->rows;
	bool has_changed;

	port->is_ready = false;
	look(port);
	has_changed = before != outside_port_state(port);
	if (has_changed)
		note_state(port);
	if (cols != port->cols || rows != port->rows)
		outside->ops->window(outside->ctx, port->number);
	if (has_changed)
		outside->ops->input(outside->ctx, port->number);
	if (take_input(port))
		outside->ops->input(outside->ctx, port->number);
	outside_port_update(port);
}

struct console_backend *outside_add_port(
	struct outside *outside, unsigned number, struct console_backend *host)
{
	struct outside_port *port = &outside->ports[number];
	struct journal_entry entry;

	*port = (struct outside_port){
		.backend = {&port_ops}, .host = host, .outside = outside, .number = number};
	if (!outside->is_past) {
		look(port);
		note_state(port);
	} else if (outside_expect(outside, JOURNAL_PORT, number, &entry)) {
		outside_port_set_state(port, entry.value);
	}
	return &port->backend;
}
