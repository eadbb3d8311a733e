/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CONSOLE_CONTROL_H
#define VIRTIO_CONSOLE_CONTROL_H

/*
 * What a console and its driver tell each other of ports (virtio 5.3.6.2):
 *
 *	driver				device
 *	DEVICE_READY 1
 *					DEVICE_ADD, for each port
 *	PORT_READY 1, for each port
 *					CONSOLE_PORT, or PORT_NAME; RESIZE if it has a window;
 *					PORT_OPEN 1 if somebody is at the host's side
 *	PORT_OPEN 1, when it is used
 *					PORT_OPEN 0 and 1, RESIZE, as things change
 *
 * What is due to the driver is a bit of the port, not a message: a driver that has no buffer for it
 * gets it later, with the state of that time, and nothing has to be kept. All functions: the
 * device's lock held; they are for console.c alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"

#define VIRTIO_CONSOLE_PORTS_MAX 8
#define VIRTIO_CONSOLE_NAME_MAX  64 /* bytes of a port's name */

/* What device and driver tell each other of a port. The first four are the host's, set by
 * console.c, which calls console_control_tell() when they change. */
struct console_control_port {
	const char *name;    /* not owned; NULL: it is a console */
	uint16_t cols, rows; /* of its window; both 0: there is none */
	bool connected;      /* the host's side is open */
	bool added;          /* the driver was told of the port ... */
	bool ready;          /* ... and said that it can use it ... */
	bool opened;         /* ... and that somebody does */
	unsigned pending;    /* messages to the driver that are due: a bit for each event */
};

struct console_control {
	struct virtio_device *dev; /* the console; not owned */
	unsigned port_count;
	struct console_control_port ports[VIRTIO_CONSOLE_PORTS_MAX];
};

/* A chain at a time: what is due, as long as the driver has buffers. Only where virtq_listen()
 * follows for the control receive queue; others kick it. */
void console_control_send(struct console_control *control);

/* All that the driver has said: at most a queue's worth. */
void console_control_receive(struct console_control *control);

/* Have this event told of this port, if the driver is to know of it. */
void console_control_tell(struct console_control_port *port, unsigned event);

/* Nothing is added, nothing due. */
void console_control_reset(struct console_control *control);

#endif
