/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CONSOLE_CONTROL_H
#define VIRTIO_CONSOLE_CONTROL_H

/*
 * The control queues of a console (virtio 5.3.6.2), by which device and driver tell each other of
 * ports:
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
 * A message that is due to the driver is kept as one bit of the port. If the driver has no buffer,
 * it gets the message later, with the state of that time. All functions are called with the
 * device's lock held, by console.c alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"

#define VIRTIO_CONSOLE_PORTS_MAX 8
#define VIRTIO_CONSOLE_NAME_MAX  64 /* bytes of a port's name */

/* The state of a port that the messages are about. console.c sets the first four fields, which
 * describe the host's side, and calls console_control_tell() when they change. */
struct console_control_port {
	const char *name;    /* not owned; NULL: it is a console */
	uint16_t cols, rows; /* size of its window; both 0: there is no window */
	bool connected;      /* the host's side is open */
	bool added;          /* the driver was told of the port ... */
	bool ready;          /* ... and said that it can use it ... */
	bool opened;         /* ... and that somebody does */
	unsigned pending;    /* messages due to the driver: bit n is event n */
};

struct console_control {
	struct virtio_device *dev; /* the console; not owned */
	unsigned port_count;
	struct console_control_port ports[VIRTIO_CONSOLE_PORTS_MAX];
};

/* Sends the pending messages while the driver has buffers, one message in each chain. Called only
 * where virtq_listen() follows for the control receive queue; others kick that queue instead. */
void console_control_send(struct console_control *control);

/* Handles the messages in the control transmit queue: at most as many as the queue's size. */
void console_control_receive(struct console_control *control);

/* Marks the message of this event as pending, if the driver knows of the port. */
void console_control_tell(struct console_control_port *port, unsigned event);

/* Sets the state after device reset: no port is added, no message is pending. */
void console_control_reset(struct console_control *control);

/* Sets the ports in *saved; and goes on from there, with the host's side as the driver knows it.
 * Returns 0, or -EINVAL for events that the port does not have. */
void console_control_save(const struct console_control *control, struct virtio_saved *saved);
int console_control_restore(struct console_control *control, const struct virtio_saved *saved);

#endif
