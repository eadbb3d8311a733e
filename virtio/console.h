/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

/*
 * Console device (virtio 5.3): one port, both directions. Input waits in the back end until the
 * driver has a receive buffer; output that the back end cannot take waits in the transmit queue
 * (back-pressure both ways). Offers EMERG_WRITE, and SIZE where the back end has a window.
 */

#include "backend.h"
#include "virtio.h"

struct virtio_console {
	struct virtio_device dev;
	struct console_backend *backend; /* not owned */

	/* Guarded by dev.lock. */
	uint16_t cols, rows;                /* as the driver may know them */
	bool input_ended;                   /* for good */
	bool receiving, sending;            /* input, output is a chain that is being served */
	struct chain input, output;         /* of the receive and of the transmit queue */
	uint64_t sent;                      /* bytes of output that are out */
	bool input_wanted, output_wanted;   /* as the back end was told */
	struct iovec slice[VIRTQ_SIZE_MAX]; /* scratch: what of a chain goes to the back end */
};

/* 0, or -errno as virtio_init(). End with virtio_free(&con->dev). */
int virtio_console_init(struct virtio_console *con, struct console_backend *backend,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx);

#endif
