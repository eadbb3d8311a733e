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

#include "console.h"

/* A chain at a time: what is due, as long as the driver has buffers. Only where virtq_listen()
 * follows for the control receive queue; others kick it. */
void console_control_send(struct virtio_console *con);

/* All that the driver has said: at most a queue's worth. */
void console_control_receive(struct virtio_console *con);

/* Have this event told of this port, if the driver is to know of it. */
void console_control_tell(struct console_port *port, unsigned event);

/* Nothing is added, nothing due. */
void console_control_reset(struct virtio_console *con);

#endif
