/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_CONSOLE_H
#define VOLE_VIRTIO_CONSOLE_H

/* Console device, device id 3 (virtio 5.3). Receive and transmit are as seen from the driver. */

#define VIRTIO_CONSOLE_F_SIZE        0 /* cols and rows are valid */
#define VIRTIO_CONSOLE_F_MULTIPORT   1 /* more than one port; control queues */
#define VIRTIO_CONSOLE_F_EMERG_WRITE 2 /* emerg_wr works, negotiated or not */

/* Queues (virtio 5.3.2): of port 0; with MULTIPORT, of the device, and of port n. */
#define VIRTIO_CONSOLE_QUEUE_RECEIVE          0
#define VIRTIO_CONSOLE_QUEUE_TRANSMIT         1
#define VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE  2
#define VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT 3

/* Queues of port n: 0 and 1 of port 0, 4 and 5 of port 1, and so on. */
#define VIRTIO_CONSOLE_PORT_RECEIVE(n)  (2 * (n) + 2 - 2 * !(n))
#define VIRTIO_CONSOLE_PORT_TRANSMIT(n) (2 * (n) + 3 - 2 * !(n))

/* virtio_console_control.event (virtio 5.3.6.2) */
#define VIRTIO_CONSOLE_DEVICE_READY  0 /* from the driver: it knows the device; 1: and can use it */
#define VIRTIO_CONSOLE_DEVICE_ADD    1 /* to the driver: there is such a port */
#define VIRTIO_CONSOLE_DEVICE_REMOVE 2 /* to the driver: it is gone */
#define VIRTIO_CONSOLE_PORT_READY    3 /* from the driver: answer to DEVICE_ADD; 1: can be used */
#define VIRTIO_CONSOLE_CONSOLE_PORT  4 /* to the driver: the port is for a console */
#define VIRTIO_CONSOLE_RESIZE        5 /* to the driver: the console's size */
#define VIRTIO_CONSOLE_PORT_OPEN     6 /* either: 1: the sender's side is open; 0: closed */
#define VIRTIO_CONSOLE_PORT_NAME     7 /* to the driver: the port's name */

#ifndef __ASSEMBLER__

#include <stddef.h>

#include <vole/language.h>
#include <vole/le.h>

struct virtio_console_config {
	le16 cols;
	le16 rows;
	le32 max_nr_ports;
	le32 emerg_wr;
};

VOLE_STATIC_ASSERT(sizeof(struct virtio_console_config) == 12, "virtio 5.3.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_console_config, max_nr_ports) == 4, "virtio 5.3.4");
VOLE_STATIC_ASSERT(offsetof(struct virtio_console_config, emerg_wr) == 8, "virtio 5.3.4");

/* What goes through the control queues (virtio 5.3.6.2). PORT_NAME is followed by the name, without
 * a terminator; RESIZE by the new size. */
struct virtio_console_control {
	le32 id; /* of the port */
	le16 event;
	le16 value;
};

VOLE_STATIC_ASSERT(sizeof(struct virtio_console_control) == 8, "virtio 5.3.6.2");
VOLE_STATIC_ASSERT(offsetof(struct virtio_console_control, event) == 4, "virtio 5.3.6.2");
VOLE_STATIC_ASSERT(offsetof(struct virtio_console_control, value) == 6, "virtio 5.3.6.2");

struct virtio_console_resize {
	le16 cols;
	le16 rows;
};

VOLE_STATIC_ASSERT(sizeof(struct virtio_console_resize) == 4, "virtio 5.3.6.2");
VOLE_STATIC_ASSERT(offsetof(struct virtio_console_resize, rows) == 2, "virtio 5.3.6.2");

#endif /* __ASSEMBLER__ */
#endif
