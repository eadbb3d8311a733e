/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_VIRTIO_H
#define VIRTIO_VIRTIO_H

/*
 * A virtio device, apart from its transport and its type (virtio 2): status, features, queues,
 * interrupt status and configuration space.
 *
 *	transport (mmio.c)  -->  virtio_...()  -->  ops of the type (console.c, rng.c, block.c)
 *	                              |
 *	                              +-->  host ops: interrupts and kicks, filled by vmm/ or a test
 *
 * Threads. Registers are accessed on vCPU threads; requests are served on the I/O thread. dev->lock
 * guards everything here except interrupt_status, which is atomic. It is a leaf lock and is held
 * while a request is served; so when a register write that stops a queue or resets the device
 * returns, the device has let go of guest memory (virtio 2.4.1, 4.2.2.1).
 *
 * A device that meets a fatal error latches: it sets DEVICE_NEEDS_RESET, notifies the driver of a
 * configuration change if DRIVER_OK was set (2.1.2), reports what was wrong, once, and then leaves
 * the queues alone until the driver resets it.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_config.h>

#include "gmem.h"
#include "virtq.h"

#define VIRTIO_QUEUES_MAX  18  /* of a device: a console of eight ports (virtio 5.3.2) has most */
#define VIRTIO_CONFIG_MAX  96  /* bytes: block's (virtio 5.2.4) is the largest */
#define VIRTIO_REPORTS_MAX 100 /* faults that a device reports: a guest can cause any number */

/* How often virtio_serve() may have to be called for a queue until all is served that is in it. */
#define VIRTIO_PASSES_MAX (VIRTQ_SIZE_MAX * 4096)

#define VIRTIO_BIT(n) (UINT64_C(1) << (n))

/* Features that any device can have, since they concern queues and transport; and which of them are
 * offered unless virtio_offer() says otherwise. */
#define VIRTIO_QUEUE_DEFAULT                                                   \
	(VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | \
		VIRTIO_BIT(VIRTIO_F_RING_RESET))
#define VIRTIO_QUEUE_FEATURES                                                                      \
	(VIRTIO_QUEUE_DEFAULT | VIRTIO_BIT(VIRTIO_F_RING_PACKED) | VIRTIO_BIT(VIRTIO_F_IN_ORDER) | \
		VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))

struct virtio_device;

/* A device type: data first, then what it does. Constant, one per type. */
struct virtio_ops {
	const char *name;
	uint32_t id;
	uint64_t features; /* that the type itself offers always */
	uint16_t queue_size_max;
	size_t config_len; /* bytes, up to VIRTIO_CONFIG_MAX */

	/* How many of the device's queues there are with the features that the driver accepted, the
	 * first ones: the same ones from FEATURES_OK on. Lock held. NULL: all. */
	unsigned (*queue_count)(const struct virtio_device *dev);

	/* The driver may have made buffers available in this queue: serve them, and publish at
	 * the end, which bounds the pass to a queue's worth; VIRTIO_PASSES_MAX passes are enough
	 * for that. They go back in the order in which they came, which is what IN_ORDER
	 * promises (virtio 2.7.9). True if some are left, because they are too much work for one
	 * pass. Lock held, DRIVER_OK set, queue ready. */
	bool (*notified)(struct virtio_device *dev, unsigned queue);

	/* A back end, of several by its number, became ready for what the device wants of it. Lock
	 * held. NULL: none. */
	void (*backend_ready)(struct virtio_device *dev, unsigned backend);

	/* Forget all requests in flight, all that was negotiated. Lock held. NULL: no state. */
	void (*reset)(struct virtio_device *dev);

	/* This queue was stopped or reset: forget its requests. Lock held. NULL: none. */
	void (*queue_stopped)(struct virtio_device *dev, unsigned queue);

	/* Fill the whole configuration space, config_len bytes: the same ones until the generation
	 * changes. Lock held. NULL: config_len is 0. */
	void (*config_read)(struct virtio_device *dev, uint8_t *config);

	/* What the host shows there changed: the next config_read() may see it. Lock held. NULL:
	 * nothing is kept of it. */
	void (*config_changed)(struct virtio_device *dev);

	/* The driver wrote len bytes (1 to 4) that lie within config_len, in any phase. Lock held.
	 * NULL: all read-only. */
	void (*config_write)(
		struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len);
};

/* The surroundings. ctx is what virtio_init() was given. */
struct virtio_host_ops {
	/* A bit of interrupt_status is set: interrupt the driver. Any thread, lock held: no
	 * interrupt comes after a reset. */
	void (*raise)(void *ctx);

	/* Have virtio_serve(dev, queue) called soon, on the I/O thread. Any thread, lock held. */
	void (*kick)(void *ctx, unsigned queue);

	/* DRIVER_OK was set (true): ioeventfds can come. 0, or -errno: the device cannot work and
	 * asks for a reset. The reset that follows a true that succeeded calls it with false, with
	 * the driver's features still in place, and the value is ignored. Lock held. */
	int (*live)(void *ctx, bool live);

	/* Tell the user, on a line of its own; at most VIRTIO_REPORTS_MAX + 1 times. Lock held. */
	void (*report)(void *ctx, const char *message);
};

struct virtio_device {
	const struct virtio_ops *ops;
	const struct virtio_host_ops *host;
	void *ctx;
	const struct gmem *gmem;
	uint64_t features; /* offered; constant */

	atomic_uint interrupt_status; /* VIRTIO_MMIO_INT_ bits; the one field outside the lock */

	pthread_mutex_t lock;
	uint64_t driver_features; /* accepted */
	uint8_t status;
	bool live; /* host->live(true) succeeded, host->live(false) is owed */
	uint32_t config_generation;
	unsigned reports;     /* faults said so far, whatever was reset since */
	unsigned queue_count; /* at most; constant. See virtio_queue_count() */
	struct virtq *queues;
};

/*
 * Make a device that offers ops->features, features, VERSION_1 and VIRTIO_QUEUE_DEFAULT, and has up
 * to queue_count queues (VIRTIO_QUEUES_MAX at most). Nothing is owned but lock and queues. 0, or
 * -ENOMEM, or -errno from the lock's creation; virtio_free() is due only after 0.
 */
int virtio_init(struct virtio_device *dev, const struct virtio_ops *ops, uint64_t features,
	unsigned queue_count, const struct gmem *gmem, const struct virtio_host_ops *host,
	void *ctx);

/* Of VIRTIO_QUEUE_FEATURES, offer these and no others. Before the first access of a driver. */
void virtio_offer(struct virtio_device *dev, uint64_t features);

/* Only when no thread uses the device any more. */
void virtio_free(struct virtio_device *dev);

/* I/O thread: a kick came for this queue. Harmless at any time, for any queue index. True if there
 * may be more to do: call again after other sources had their turn. Takes the lock. */
bool virtio_serve(struct virtio_device *dev, unsigned queue);

/* I/O thread: a back end is ready for what the device wants of it; which one, if it has several,
 * counted from 0. Takes the lock. */
void virtio_backend_ready(struct virtio_device *dev, unsigned backend);

/* Any thread: configuration space changed by the host's doing; notifies the driver (virtio 3.2.1).
 * Takes the lock. */
void virtio_config_changed(struct virtio_device *dev);

/* For device types, lock held. */

/* Queues that there are, as things stand: a driver sees no others. Also for transports. */
unsigned virtio_queue_count(const struct virtio_device *dev);

/* The driver accepted this feature (a bit number). */
bool virtio_has_feature(const struct virtio_device *dev, unsigned feature);

/* DRIVER_OK is set, the device did not fail, and the queue is ready. */
bool virtio_queue_live(const struct virtio_device *dev, unsigned queue);

/* virtq_pop() that fails the device on a malformed ring and then returns 0. */
int virtio_pop(struct virtio_device *dev, unsigned queue, struct chain *chain);

/* virtq_publish(), then interrupt the driver if it wants that. */
void virtio_publish(struct virtio_device *dev, unsigned queue);

/* Latch the device; the message is what, value, clause, without newline: "chain from descriptor 3
 * loops (virtio 2.7.5.2)". The device's name is put before it. */
void virtio_fail(struct virtio_device *dev, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For transports, lock held. */

/* Status was written: 0 resets, otherwise bits are added (virtio 2.1.1, 2.1.2). */
void virtio_set_status(struct virtio_device *dev, uint32_t value);

/* QueueReady was written. */
void virtio_set_queue_ready(struct virtio_device *dev, unsigned queue, bool ready);

/* QueueReset was written 1 (virtio 2.6.1): the queue is as it is after device reset. */
void virtio_reset_queue(struct virtio_device *dev, unsigned queue);

/* Have this queue served soon; nothing if there is no such queue. Also for device types. */
void virtio_kick(struct virtio_device *dev, unsigned queue);

/* InterruptACK was written: these events are handled. Lock not held: taken if others are left. */
void virtio_ack_interrupt(struct virtio_device *dev, uint32_t bits);

#endif
