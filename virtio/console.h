/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

/*
 * Console device (virtio 5.3): ports, each with a back end of its own and both directions. Input
 * waits in the back end until the driver has a receive buffer; output that the back end cannot take
 * waits in the transmit queue: back-pressure both ways, on each port by itself. Offers EMERG_WRITE,
 * and SIZE where port 0 has a window.
 *
 * With MULTIPORT, device and driver tell each other of ports through two more queues, which are
 * console_control.c's; without it there is port 0 and no telling.
 */

#include "backend.h"
#include "console_control.h"
#include "virtio.h"

/* The host's side of a port. Neither pointer is owned. */
struct console_port_host {
	struct console_backend *backend;
	const char
		*name; /* at most VIRTIO_CONSOLE_NAME_MAX bytes. NULL: none, and it is a console */
};

struct console_port {
	struct console_backend *backend;      /* not owned */
	struct console_control_port *control; /* its part of console.control */
	unsigned receive, transmit;           /* its queues */

	/* Guarded by dev.lock. */
	bool input_ended;                 /* the back end reported the end of input */
	bool receiving, sending;          /* input is valid, output is valid */
	struct chain input, output;       /* being served, from the receive and transmit queue */
	uint64_t sent;                    /* bytes of output that the back end took */
	bool input_wanted, output_wanted; /* as the back end was told */
};

struct virtio_console {
	struct virtio_device dev;
	struct console_port ports[VIRTIO_CONSOLE_PORTS_MAX];

	/* Guarded by dev.lock. */
	struct console_control control;
	struct iovec slice[VIRTQ_SIZE_MAX]; /* scratch: segments for one call of the back end */
};

/*
 * Makes a console with port_count ports: 1 to VIRTIO_CONSOLE_PORTS_MAX, or 1 without multiport. The
 * number of a back end, for virtio_backend_ready(), is that of its port. Returns 0, or -errno as
 * virtio_init(). The caller ends it with virtio_free(&con->dev).
 */
int virtio_console_init(struct virtio_console *con, const struct console_port_host *ports,
	unsigned port_count, bool multiport, const struct gmem *gmem,
	const struct virtio_host_ops *host, void *ctx);

/* Returns whether the host's side of a port is not as the driver was told, which can be so after
 * virtio_restore() with another back end: the size of its window, or that it is open. Then the
 * caller calls virtio_backend_ready() and virtio_config_changed(). Takes the lock. */
bool virtio_console_is_outdated(struct virtio_console *con, unsigned port);

#endif
