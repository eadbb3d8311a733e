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
	bool input_ended;
	bool sending;                      /* chain is being sent */
	struct chain chain;                /* of the transmit queue */
	uint64_t sent;                     /* bytes of it that are out */
	struct iovec rest[VIRTQ_SIZE_MAX]; /* scratch: what of it is left */
};

/* 0, or -errno as virtio_init(). End with virtio_free(&con->dev). */
int virtio_console_init(struct virtio_console *con, struct console_backend *backend,
	const struct gmem *gmem, const struct virtio_host_ops *host, void *ctx);

#endif
