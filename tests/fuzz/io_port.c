/* SPDX-License-Identifier: BSD-2-Clause */
/* The console and its clients: what each client sends, the guest reads once, in the order in which
 * they came; and a client that reads gets what is printed, without a gap. */
#include "io.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/chardev_open.h"

#define RECEIVE_SLOT 64
#define PRINT_SLOT   16384
#define PRINT_PERIOD 251

static void port_ready(void *ctx)
{
	virtio_backend_ready(&((struct io_port *)ctx)->console.dev, 0);
}

static void broken(void *ctx, int error)
{
	(void)ctx;
	(void)error;
	assert(!"output of a socket is never broken for good");
}

static char *path_of(struct io_port *port)
{
	return port->address + 5;
}

void io_port_open(struct io_world *world)
{
	struct io_port *port = &world->port;
	struct console_port_host host = {&port->chardev.backend, NULL};

	memcpy(port->address, "unix:", 5);
	io_path(path_of(port), "console");
	assert(chardev_open(&port->chardev, "console", "console", port->address, &world->loop) ==
		0);
	port->chardev.ready = port_ready;
	port->chardev.broken = broken;
	port->chardev.ctx = port;
	io_guest_begin(&port->guest);
	virtio_console_init(&port->console, &host, 1, false, &port->guest.driver.ram.gmem,
		&driver_host_ops, &port->guest.driver.host);
	io_guest_attach(world, &port->guest, &port->console.dev);
	assert(driver_bring_up(&port->guest.driver, 0));
	io_lane_init(&port->receive, &port->guest, 0, RECEIVE_SLOT);
	io_lane_init(&port->transmit, &port->guest, 1, PRINT_SLOT);
}

void io_port_offer(struct io_world *world)
{
	uint32_t len = 1 + take(&world->in, 1) % RECEIVE_SLOT;

	if (!io_lane_full(&world->port.receive))
		io_lane_offer_one(&world->port.receive, len, true);
}

static void print(struct io_port *port, uint32_t len)
{
	uint8_t *bytes = io_lane_bytes(&port->transmit, port->transmit.offered);

	if (io_lane_full(&port->transmit))
		return;
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(port->printed++ % PRINT_PERIOD);
	io_lane_offer_one(&port->transmit, len, false);
}

void io_port_print(struct io_world *world)
{
	print(&world->port, 1 + take(&world->in, 2) % PRINT_SLOT);
}

/* --- clients ---------------------------------------------------------------------------------- */

static uint8_t sent_byte(unsigned client, unsigned pos)
{
	return (uint8_t)(client * 37 + pos);
}

static struct io_client *connect_client(struct io_port *port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct io_client *client = &port->clients[port->client_count];

	assert(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of(port));
	if (port->client_count == IO_CLIENTS_MAX ||
		connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(fd); /* the queue is full */
		return NULL;
	}
	*client = (struct io_client){.fd = fd};
	port->client_count++;
	return client;
}

static void client_send(struct io_port *port, unsigned number, unsigned count)
{
	struct io_client *client = &port->clients[number];
	uint8_t bytes[128];
	ssize_t len;

	for (unsigned i = 0; i < count; i++)
		bytes[i] = sent_byte(number, client->sent + i);
	len = send(client->fd, bytes, count, MSG_NOSIGNAL);
	client->sent += len > 0 ? (unsigned)len : 0;
}

/* Reads up to count bytes; what a client gets has no gap from one byte to the next. */
static size_t client_read(struct io_client *client, size_t count)
{
	static uint8_t bytes[65536];
	ssize_t len = recv(client->fd, bytes, count < sizeof bytes ? count : sizeof bytes, 0);

	for (ssize_t i = 1; i < len; i++)
		assert(bytes[i] == (bytes[i - 1] + 1) % PRINT_PERIOD);
	return len > 0 ? (size_t)len : 0;
}

static void client_close(struct io_client *client)
{
	close(client->fd);
	client->fd = -1;
}

void io_port_client(struct io_world *world)
{
	struct io_port *port = &world->port;
	unsigned how = take(&world->in, 1), number = take(&world->in, 1) % IO_CLIENTS_MAX;
	struct io_client *client = &port->clients[number];

	if (how % 8 < 2)
		connect_client(port);
	else if (number >= port->client_count || client->fd < 0)
		return;
	else if (how % 8 < 4)
		client_send(port, number, how / 2);
	else if (how % 8 == 4)
		client_read(client, how * 64);
	else if (how % 8 == 5 && !client->is_shut)
		client->is_shut = shutdown(client->fd, how & 8 ? SHUT_RD : SHUT_WR) == 0;
	else
		client_close(client);
}

/* --- what must hold --------------------------------------------------------------------------- */

/* Goes on to the next client whose bytes can come: those before it have left, and all that they
 * sent was read. */
static void next_reader(struct io_port *port)
{
	while (port->reader < port->client_count && port->clients[port->reader].fd < 0 &&
		port->pos == port->clients[port->reader].sent) {
		port->reader++;
		port->pos = 0;
	}
}

void io_port_collect(struct io_world *world)
{
	struct io_port *port = &world->port;
	unsigned number;
	uint32_t len;

	while (io_lane_take(&port->receive, &number, &len)) {
		const uint8_t *bytes = io_lane_bytes(&port->receive, number);

		assert(len > 0 && len <= port->receive.len[number % IO_SLOTS]);
		for (uint32_t i = 0; i < len; i++) {
			next_reader(port);
			assert(port->reader < port->client_count);
			assert(port->pos < port->clients[port->reader].sent);
			assert(bytes[i] == sent_byte(port->reader, port->pos++));
		}
	}
	while (io_lane_take(&port->transmit, &number, &len))
		assert(len == 0);
}

void io_port_check(struct io_world *world)
{
	struct io_port *port = &world->port;
	const int room = 1; /* the least that the host gives, so that output has to wait */

	if (port->guest.kick_count == 0)
		return; /* closed */
	if (port->chardev.out >= 0)
		setsockopt(port->chardev.out, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	next_reader(port);
	assert(!driver_failed(&port->guest.driver));
	/* A client that waits is taken once the one before it has left. */
	if (port->chardev.out < 0 && !port->chardev.listener.failed)
		assert(port->reader == port->client_count);
	/* Nor does input wait while the guest has room for it. */
	if (port->chardev.in >= 0 && port->receive.used != port->receive.offered)
		assert(port->reader == port->client_count ||
			port->pos == port->clients[port->reader].sent);
	/* Without anybody to read it, output does not wait. */
	if (port->chardev.out < 0)
		assert(port->transmit.used == port->transmit.offered);
}

/* Returns whether one has left with unread words before it was taken: whether it is turned away
 * then cannot be seen. */
static bool has_left_waiting(const struct io_port *port)
{
	for (unsigned i = port->reader + 1; i < port->client_count; i++)
		if (port->clients[i].fd < 0 && port->clients[i].sent > 0)
			return true;
	return false;
}

/* A client that was accepted, and for which there was no second descriptor, is turned away, which
 * is said: nothing of it will come. */
static void find_turned_away(struct io_port *port)
{
	for (unsigned i = port->reader; i < port->client_count; i++) {
		struct io_client *client = &port->clients[i];
		struct pollfd end = {.fd = client->fd};

		if (client->fd < 0 || poll(&end, 1, 0) <= 0 || !(end.revents & POLLHUP))
			continue;
		assert(i != port->reader || port->pos == 0);
		client_close(client);
		client->sent = 0;
	}
	next_reader(port);
}

/* There are no descriptors for the clients that come meanwhile; they come back afterwards. */
void io_port_run_out(struct io_world *world)
{
	struct rlimit before, now;
	int next;

	io_rest(world);
	if (has_left_waiting(&world->port))
		return;
	next = fcntl(0, F_DUPFD_CLOEXEC, 0);
	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	now = (struct rlimit){(rlim_t)next, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &now);
	io_rest(world);
	setrlimit(RLIMIT_NOFILE, &before);
	find_turned_away(&world->port);
	io_hurry(&world->port.chardev.listener.pause);
	io_rest(world);
}

/* Gives the guest room until it has read all that was sent. */
static void feed(struct io_world *world)
{
	struct io_port *port = &world->port;
	unsigned before;

	do {
		before = port->receive.used;
		while (!io_lane_full(&port->receive))
			io_lane_offer_one(&port->receive, RECEIVE_SLOT, true);
		io_hurry(&port->chardev.listener.pause);
		io_rest(world);
	} while (port->receive.used != before);
}

/* All clients leave; the next one is served. */
void io_port_close(struct io_world *world)
{
	struct io_port *port = &world->port;
	struct io_client *last;
	unsigned count;
	size_t got = 0;

	for (unsigned i = 0; i < port->client_count; i++)
		if (port->clients[i].fd >= 0)
			client_close(&port->clients[i]);
	feed(world);
	assert(port->reader == port->client_count && port->chardev.out < 0);
	port->reader = port->client_count = 0;
	last = connect_client(port);
	assert(last);
	client_send(port, 0, 5);
	feed(world);
	assert(port->reader == 0 && port->pos == 5);
	print(port, PRINT_SLOT);
	do {
		io_rest(world);
		count = (unsigned)client_read(last, PRINT_SLOT);
		got += count;
	} while (count > 0);
	assert(got == PRINT_SLOT);
	client_close(last);
	io_rest(world);
	assert(port->chardev.out < 0);
	chardev_close(&port->chardev);
	assert(access(path_of(port), F_OK) < 0);
	io_guest_end(&port->guest);
}
