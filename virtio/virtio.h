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
 * Threads. Registers are accessed on vCPU threads; requests are served on the I/O thread, or on a
 * thread of the device's own. dev->lock guards everything here except interrupt_status and its kin,
 * which are atomic. It is a leaf lock, held while a request is served, but not while the host works
 * for it, which may take long: virtio_host_begin(). A register write that stops a queue or resets
 * the device waits for the host's return; so when it returns, the device has let go of guest memory
 * (virtio 2.4.1, 4.2.2.1).
 *
 * A device that meets a fatal error latches: it sets DEVICE_NEEDS_RESET, notifies the driver of a
 * configuration change if DRIVER_OK was set (2.1.2), reports what was wrong, once, and then leaves
 * the queues alone until the driver resets it.
 */

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_config.h>

#include "chaos.h"
#include "gmem.h"
#include "report.h"
#include "saved.h"
#include "virtio_event.h"
#include "virtq.h"

#define VIRTIO_QUEUES_MAX  18  /* of a device: a console of eight ports (virtio 5.3.2) has most */
#define VIRTIO_CONFIG_MAX  96  /* bytes: block's (virtio 5.2.4) is the largest */
#define VIRTIO_REPORTS_MAX 100 /* faults that a device reports: a guest can cause any number */

/* Largest number of virtio_serve() calls until everything in a queue is served. */
#define VIRTIO_PASSES_MAX (VIRTQ_SIZE_MAX * 4096)

#define VIRTIO_BIT(n) (UINT64_C(1) << (n))

/* VIRTIO_QUEUE_FEATURES are the features that any device can offer, because they concern queues and
 * transport. VIRTIO_QUEUE_DEFAULT are those offered unless virtio_offer() says otherwise. */
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
	uint64_t features; /* of the type, always offered */
	uint64_t optional; /* of the type, that chaos may withhold from drivers */
	uint32_t streams;  /* queues, a bit each, whose used buffers hold a stream for the driver:
			    * their order is the stream's */
	uint64_t hint;     /* that which config_hint belongs to; 0: none */
	uint16_t queue_size_max;
	size_t config_len; /* bytes, up to VIRTIO_CONFIG_MAX */

	/* Returns the number of queues, counted from 0, that exist with the accepted features. It
	 * does not change from FEATURES_OK on. Lock held. NULL: all queues exist. */
	unsigned (*queue_count)(const struct virtio_device *dev);

	/* Serves the buffers that the driver may have made available in this queue, and publishes
	 * them at the end, so that one pass serves at most as many as the queue has entries.
	 * Returns true if some are left because they are too much work for one pass;
	 * VIRTIO_PASSES_MAX passes are enough. Buffers are used in the order in which they were
	 * made available, as IN_ORDER promises (virtio 2.7.9). Lock held, DRIVER_OK set, queue
	 * ready. */
	bool (*notified)(struct virtio_device *dev, unsigned queue);

	/* Handles that a back end, by its number, became ready for what the device wants of it.
	 * Lock held. NULL: the device has no back end that becomes ready. */
	void (*backend_ready)(struct virtio_device *dev, unsigned backend);

	/* Drops all requests in flight and everything negotiated. Lock held. NULL: no state. */
	void (*reset)(struct virtio_device *dev);

	/* Drops the requests of this queue, which was stopped or reset. Lock held. NULL: the
	 * device keeps no requests. */
	void (*queue_stopped)(struct virtio_device *dev, unsigned queue);

	/* Fills the whole configuration space, config_len bytes, with the same values until the
	 * generation changes. Lock held. NULL: config_len is 0. */
	void (*config_read)(struct virtio_device *dev, uint8_t *config);

	/* Updates the device's copy of what the host shows in configuration space, which changed,
	 * for the next config_read(). Lock held. NULL: the device keeps no copy. */
	void (*config_changed)(struct virtio_device *dev);

	/* Handles a driver's write of len bytes (1 to 4) within config_len, in any phase. Lock
	 * held. NULL: all fields are read-only. */
	void (*config_write)(
		struct virtio_device *dev, uint32_t offset, const uint8_t *data, unsigned len);

	/* Returns the chain of this queue that was taken and not used yet, or NULL, and sets
	 * saved->transferred and saved->written. Lock held, queue live. NULL: it holds none. */
	const struct chain *(*held)(
		struct virtio_device *dev, unsigned queue, struct virtio_saved_queue *saved);

	/* Pops that chain again and goes on with it. Returns 0, or -EINVAL if there is none, or
	 * not one with which the device can have come so far. Lock held, queue live. */
	int (*take_held)(
		struct virtio_device *dev, unsigned queue, const struct virtio_saved_queue *saved);

	/* Sets what is the type's own in *saved; and goes on from there, 0 or -EINVAL, before the
	 * queues are restored. Lock held. NULL: nothing is. */
	void (*save)(const struct virtio_device *dev, struct virtio_saved *saved);
	int (*restore)(struct virtio_device *dev, const struct virtio_saved *saved);
};

/* Callbacks to the machine. ctx is the pointer that virtio_init() was given. */
struct virtio_host_ops {
	/* Interrupts the driver, because a bit of interrupt_status was set. Any thread. The lock is
	 * held, so that no interrupt comes after a reset. */
	void (*raise)(void *ctx);

	/* Has virtio_serve(dev, queue) called soon on the thread that serves the device. Any
	 * thread, lock held. */
	void (*kick)(void *ctx, unsigned queue);

	/* Called with true when DRIVER_OK is set, to register the queues' ioeventfds. Returns 0 or
	 * -errno: then the device asks for a reset. If it succeeded, the next reset calls it with
	 * false, while the driver's features are still in place, and ignores the value. Lock
	 * held. */
	int (*live)(void *ctx, bool live);

	/* Called, between both calls of live(), when a queue was stopped or is ready again, or the
	 * driver has set FAILED: other queues than before are virtio_queue_live(). NULL: the
	 * machine has no ioeventfds. Lock held. */
	void (*queues_changed)(void *ctx);

	/* Returns whether the machine is ending: then nobody waits for a host that does not return.
	 * NULL: it never is. Any thread, lock held. */
	bool (*ending)(void *ctx);

	/* Reports a fault of the device or a mistake of its driver to the user, on a line of its
	 * own: report.h. Called at most VIRTIO_REPORTS_MAX + 1 times for faults, and once for each
	 * rule. The report is valid during the call. Any thread. Lock held. */
	void (*report)(void *ctx, const struct virtio_report *report);

	/* Looks at an event, which is valid during the call, without a change to the device. Called
	 * after virtio_watch() only. Any thread, lock held. */
	void (*event)(void *ctx, const struct virtio_event *event);
};

struct virtio_device {
	const struct virtio_ops *ops;
	const struct virtio_host_ops *host;
	void *ctx;
	const struct gmem *gmem;
	uint64_t features;   /* offered; constant */
	bool watched;        /* host->event() is called; constant */
	struct chaos *chaos; /* NULL: none; constant. Not owned */

	/* These are outside the lock. */
	atomic_uint interrupt_status; /* VIRTIO_MMIO_INT_ bits */
	atomic_uint notifications;    /* number of times that a bit was set, modulo 2^32 */
	atomic_uint status_read;      /* InterruptStatus was read when notifications was so many;
				       * valid until the next acknowledgement ... */
	atomic_bool status_is_read;   /* ... if this is set */
	atomic_bool taken_away;       /* the last acknowledgement cleared a bit that was set again
				       * after InterruptStatus had been read */

	pthread_mutex_t lock;
	pthread_cond_t returned;  /* at_host became false */
	bool at_host;             /* the host works for a request: the queues stay as they are */
	uint64_t served_ms;       /* when a queue or request was served last, or begun */
	unsigned stops;           /* register writes that wait for it */
	bool frozen;              /* queues are not served: save.h */
	bool missed;              /* one was to be served meanwhile */
	uint64_t driver_features; /* accepted */
	uint8_t status;
	bool live; /* host->live(true) succeeded, host->live(false) is owed */
	uint32_t config_generation;
	unsigned config_hint; /* has the type change a field of configuration space that drivers may
			       * ignore, when chaos changes this number; 0 without chaos */
	unsigned reports;     /* number of faults reported so far; a reset does not change it */
	uint64_t told;        /* rules (report.h) that the driver broke so far; the same */
	const void *accessor; /* of the access to a register that is handled now; NULL: none */
	unsigned queue_count; /* number of elements of queues; constant. See virtio_queue_count() */
	struct virtq *queues;
};

/*
 * Makes a device that offers ops->features, features, VERSION_1 and VIRTIO_QUEUE_DEFAULT, and has
 * up to queue_count queues (VIRTIO_QUEUES_MAX at most). It owns its lock and its queues. Returns 0,
 * -ENOMEM, or -errno from the lock's creation. Only after 0 the caller calls virtio_free().
 */
int virtio_init(struct virtio_device *dev, const struct virtio_ops *ops, uint64_t features,
	unsigned queue_count, const struct gmem *gmem, const struct virtio_host_ops *host,
	void *ctx);

/* Sets which of VIRTIO_QUEUE_FEATURES the device offers. Called before the first access of a
 * driver. */
void virtio_offer(struct virtio_device *dev, uint64_t features);

/* Has host->event() be called for each event from here on. Called before the first access of a
 * driver. */
void virtio_watch(struct virtio_device *dev);

/* Frees what virtio_init() made. Called when no thread uses the device any more. */
void virtio_free(struct virtio_device *dev);

/* Serves a queue that was kicked. It may be called at any time, for any queue index. Returns true
 * if there may be more to do: the caller calls again after other sources had their turn. On the
 * thread that serves the device. Takes the lock. */
bool virtio_serve(struct virtio_device *dev, unsigned queue);

/* For a thread that looks at a queue for a while, rather than wait for a kick: virtio_silence()
 * asks the driver for no kicks; virtio_poll() serves the queue if its driver has made something
 * available, returns whether it did, and sets *more if there may be more to do, which
 * virtio_serve() does. That also asks for kicks again, before the thread waits. On the thread that
 * serves the device. They take the lock. */
void virtio_silence(struct virtio_device *dev, unsigned queue);
bool virtio_poll(struct virtio_device *dev, unsigned queue, bool *more);

/* Tells the device that a back end, by its number counted from 0, is ready for what the device
 * wants of it. On the thread that serves the device. Takes the lock. */
void virtio_backend_ready(struct virtio_device *dev, unsigned backend);

/* Notifies the driver that the host changed configuration space (virtio 3.2.1). Any thread. Takes
 * the lock. */
void virtio_config_changed(struct virtio_device *dev);

/* The following functions are for device types, which call them with the lock held. Transports call
 * some of them as well. */

/* Returns the number of queues that exist with the features accepted so far; a driver sees no
 * others. Transports call it as well. */
unsigned virtio_queue_count(const struct virtio_device *dev);

/* Returns whether the driver accepted this feature (a bit number). */
bool virtio_has_feature(const struct virtio_device *dev, unsigned feature);

/* Returns the largest size of a queue with the features accepted so far (virtio 4.2.2). */
static inline unsigned virtio_queue_size_max(const struct virtio_device *dev, unsigned queue)
{
	bool packed = virtio_has_feature(dev, VIRTIO_F_RING_PACKED);
	unsigned max = dev->ops->queue_size_max;

	return dev->chaos ? chaos_size_max(&dev->queues[queue], max, packed) : max;
}

/* Returns whether DRIVER_OK is set, the device has not failed, and the queue is ready. */
bool virtio_queue_live(const struct virtio_device *dev, unsigned queue);

/* Calls virtq_pop(), and on a malformed ring fails the device and returns 0. */
int virtio_pop(struct virtio_device *dev, unsigned queue, struct chain *chain);

/* Calls virtq_push(). */
void virtio_push(
	struct virtio_device *dev, unsigned queue, const struct chain *chain, uint32_t len);

/* Calls virtq_publish(), and interrupts the driver if it wants that. */
void virtio_publish(struct virtio_device *dev, unsigned queue);

/* Returns how many of len bytes, 1 or more, the device writes to the buffer that it works on: all
 * of them, unless chaos has it write fewer. */
static inline uint64_t virtio_write_len(struct virtio_device *dev, unsigned queue, uint64_t len)
{
	return __builtin_expect(dev->chaos != NULL, 0) ? chaos_short_len(&dev->queues[queue], len)
						       : len;
}

/* Returns whether chaos has the request fail that the device works on. */
static inline bool virtio_request_fails(const struct virtio_device *dev, unsigned queue)
{
	return __builtin_expect(dev->chaos != NULL, 0) && chaos_request_fails(&dev->queues[queue]);
}

/* Fails the device until the driver resets it. The message names what is wrong, the value and the
 * clause, without newline: "chain from descriptor 3 loops (virtio 2.7.5.2)". The device's name is
 * put before it. */
void virtio_fail(struct virtio_device *dev, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Reports that the driver broke about->rule, unless that was reported before. The caller sets rule,
 * reg, queue and value. The format says what the driver did; the rule's words follow it. Does
 * nothing for RULE_NONE.
 */
void virtio_mistake(struct virtio_device *dev, const struct virtio_report *about,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reports a fault, for virtio_fail(), unless there were VIRTIO_REPORTS_MAX of them. */
void virtio_report_fault(struct virtio_device *dev, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* Reports a mistake about one queue. */
#define virtio_queue_mistake(dev, rule_, queue_, value_, ...)                        \
	virtio_mistake(dev,                                                          \
		&(const struct virtio_report){                                       \
			.rule = (rule_), .queue = (int)(queue_), .value = (value_)}, \
		__VA_ARGS__)

/* Reports that an access of len bytes, at most 8, at offset of configuration space breaks a rule.
 * written is what was written, NULL for a read. */
void virtio_config_mistake(struct virtio_device *dev, enum virtio_rule rule, uint32_t offset,
	const uint8_t *written, unsigned len);

/*
 * Around what the host does for a request, which may take long: the lock is released from
 * virtio_host_begin() to virtio_host_end(), and no queue is stopped. The caller keeps what it has
 * of the queues and of guest memory, and finds Status, configuration and what other registers set
 * changed. virtio_host_end() returns false if somebody waits to stop a queue: then the caller ends
 * its pass soon.
 */
void virtio_host_begin(struct virtio_device *dev);
bool virtio_host_end(struct virtio_device *dev);

/* The following functions tell whoever watches the device of an event, which costs one predicted
 * branch if nobody does. Transports call them as well. */

/* Returns whether somebody watches. An event is made only then, because this is the branch that its
 * cost has to be behind. */
static inline bool virtio_is_watched(const struct virtio_device *dev)
{
	return __builtin_expect(dev->watched, 0);
}

/* Somebody watches. */
static inline void virtio_tell(const struct virtio_device *dev, const struct virtio_event *event)
{
	dev->host->event(dev->ctx, event);
}

/* queue: EVENT_NO_QUEUE: none. */
static inline void virtio_tell_queue(
	const struct virtio_device *dev, enum virtio_event_kind kind, int queue, uint64_t value)
{
	if (virtio_is_watched(dev))
		virtio_tell(dev, &(const struct virtio_event){.kind = kind,
					 .queue = queue,
					 .value = value,
					 .accessor = dev->accessor});
}

static inline void virtio_tell_chain(const struct virtio_device *dev, enum virtio_event_kind kind,
	unsigned queue, const struct chain *chain, uint64_t value)
{
	if (virtio_is_watched(dev))
		virtio_tell(dev,
			&(const struct virtio_event){
				.kind = kind, .queue = (int)queue, .value = value, .chain = chain});
}

/* Tells that Status is not what it was before, if so. */
static inline void virtio_tell_status(const struct virtio_device *dev, uint8_t before)
{
	if (virtio_is_watched(dev) && dev->status != before)
		virtio_tell(dev, &(const struct virtio_event){.kind = VIRTIO_EVENT_STATUS,
					 .queue = EVENT_NO_QUEUE,
					 .value = dev->status,
					 .before = before});
}

/* The following two functions are for serve.c. Lock held. */

/* Sets a bit of InterruptStatus and interrupts the driver, about a queue or EVENT_NO_QUEUE. */
void virtio_interrupt(struct virtio_device *dev, int queue, unsigned bit);

/* Begins a new generation of configuration space (virtio 2.5), of which a live driver is told. */
void virtio_renew_config(struct virtio_device *dev);

/* Waits until the host does not work for a request, for so many ticks of VIRTIO_TICK_MS at most.
 * Returns false if it still does, also because the machine is ending. The lock is released
 * meanwhile, and others may write registers. */
#define VIRTIO_TICK_MS 50
bool virtio_await_host(struct virtio_device *dev, unsigned ticks);

/* The following functions are for transports, which call them with the lock held. They may release
 * it while they wait for the host's return. */

/* Handles a write to Status: 0 resets, any other value adds its bits (virtio 2.1.1, 2.1.2). Like
 * the next two functions, it stops nothing if the machine is ending while the host does not
 * return. */
void virtio_set_status(struct virtio_device *dev, uint32_t value);

/* Handles a write to QueueReady. */
void virtio_set_queue_ready(struct virtio_device *dev, unsigned queue, bool ready);

/* Resets a queue, because the driver wrote 1 to QueueReset (virtio 2.6.1). Afterwards it is in its
 * state after device reset. */
void virtio_reset_queue(struct virtio_device *dev, unsigned queue);

/* Has this queue served soon; ignored if there is no such queue. Device types call it as well. */
void virtio_kick(struct virtio_device *dev, unsigned queue);

/* Returns what InterruptStatus reads as. The lock is not held. */
uint32_t virtio_read_interrupt_status(struct virtio_device *dev);

/* Handles a write to InterruptACK: the driver has handled these events. The lock is not held; it is
 * taken if other events are left. */
void virtio_ack_interrupt(struct virtio_device *dev, uint32_t bits);

#endif
