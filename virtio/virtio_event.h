/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_VIRTIO_EVENT_H
#define VIRTIO_VIRTIO_EVENT_H

/*
 * What happens between a driver and its device, step by step, for whoever watches: registers that
 * are accessed, queues that are served, chains that come and go, interrupts that are sent or not.
 *
 * Nobody watches by default, which costs one predicted branch a step: virtio_watch(). Who watches
 * only looks: virtio_host_ops.event() changes nothing of the device. It is called with the device's
 * lock held, so it may read the device and its queues.
 */

#include <stdint.h>

struct chain;

enum virtio_event_kind {
	/* On the thread of the CPU that makes the access. */
	VIRTIO_EVENT_READ,  /* a register or configuration space was read */
	VIRTIO_EVENT_WRITE, /* it is about to be written, or the write is about to be refused */

	VIRTIO_EVENT_STATUS,      /* Status has changed, from before to value */
	VIRTIO_EVENT_QUEUE_READY, /* value: 1 the queue is ready, 0 it was stopped; before: 1 if it
				   * was so in the machine that was restored */

	/* The state of a saved machine is the device's from here on: what its driver had done
	 * before is not known. Status and the queues that are ready follow. */
	VIRTIO_EVENT_RESTORED,

	/* On the thread that serves the device. */
	VIRTIO_EVENT_SERVE,      /* the device looks at the queue, which is live ... */
	VIRTIO_EVENT_SERVED,     /* ... and has done so, or the queue is not live; value: 1 if
				  * there is more to do */
	VIRTIO_EVENT_CHAIN,      /* it has taken the chain */
	VIRTIO_EVENT_HOST_BEGIN, /* the host begins to work for a request ... */
	VIRTIO_EVENT_HOST_END,   /* ... and has returned */
	VIRTIO_EVENT_USED,       /* it has filled in that the chain is used; value: bytes written */

	/* On any thread. */
	VIRTIO_EVENT_INTERRUPT,    /* it interrupts the driver; value: the VIRTIO_MMIO_INT_ bit */
	VIRTIO_EVENT_NO_INTERRUPT, /* the driver sees what is used, but did not ask for an
				    * interrupt; value: where it said so, as virtq.suppression */
};

#define EVENT_NO_QUEUE (-1)

struct virtio_event {
	enum virtio_event_kind kind;
	int queue; /* EVENT_NO_QUEUE: it is not about a queue */

	uint64_t value, before;

	/* READ and WRITE only. value has the bytes, little-endian, up to the first eight. */
	const char *reg; /* name of the register; NULL: none has this offset, or it is Config */
	uint32_t offset;
	uint32_t selected; /* what DeviceFeaturesSel, DriverFeaturesSel or QueueSel selects,
			       * for registers that depend on them; else 0 */
	unsigned len;      /* bytes */

	/* The access that is handled, also when it makes a queue ready, as virtio_mmio_read() and
	 * virtio_mmio_write() were given it; NULL: none. */
	const void *accessor;

	const struct chain *chain; /* CHAIN and USED only; valid during the call */
};

#endif
