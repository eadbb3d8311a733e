/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_VIRTIO_CONSOLE_H
#define VOLE_VIRTIO_CONSOLE_H

/* Console device, device id 3 (virtio 5.3). Receive and transmit are as seen from the driver. */

#include <stddef.h>

#include <vole/le.h>

#define VIRTIO_CONSOLE_F_SIZE        0 /* cols and rows are valid */
#define VIRTIO_CONSOLE_F_MULTIPORT   1
#define VIRTIO_CONSOLE_F_EMERG_WRITE 2 /* emerg_wr works, negotiated or not */

#define VIRTIO_CONSOLE_QUEUE_RECEIVE  0
#define VIRTIO_CONSOLE_QUEUE_TRANSMIT 1

struct virtio_console_config {
	le16 cols;
	le16 rows;
	le32 max_nr_ports;
	le32 emerg_wr;
};

_Static_assert(sizeof(struct virtio_console_config) == 12, "virtio 5.3.4");
_Static_assert(offsetof(struct virtio_console_config, max_nr_ports) == 4, "virtio 5.3.4");
_Static_assert(offsetof(struct virtio_console_config, emerg_wr) == 8, "virtio 5.3.4");

#endif
