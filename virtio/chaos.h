/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_CHAOS_H
#define VIRTIO_CHAOS_H

/*
 * Chaos: a device that keeps to the specification and behaves as unlike other devices as that
 * permits, so that a driver which assumes more than it was promised fails here. A seed decides, and
 * with it the device's number and the queue: about each request by its number in the queue, and
 * about interrupts, kicks and configuration by the number of the decision. So the same seed gives
 * the same decisions. Each seed switches on about half of this list for a device:
 *
 *	behaviour			permitted by (virtio)
 *	chains are used in any order	2.7.8, 2.8.6; but not with IN_ORDER (2.7.9), nor if
 *					they hold a stream for the driver (5.3.6)
 *	chains are used late, in bursts	2.7.8, 2.8.6: no bound is set
 *	one used element for several	2.7.9, 2.8.8; only with IN_ORDER
 *	chains are taken late		2.7.6, 2.8.5: no bound is set
 *	interrupts late, merged		2.7.7.2, 2.8.10: one must come, no bound is set
 *	interrupts not asked for, for	2.7.7.1: drivers handle spurious ones; but 4.2.2.1:
 *	chains that were used		no bit shows an event that did not take place
 *	kicks asked for late		2.7.10, 2.8.10: meanwhile the device looks by itself
 *	kicks asked for needlessly	2.7.10, 2.8.10: suppression is a hint
 *	small and odd sizes of queues	2.7, 2.8, 4.2.2
 *	fewer features, or more		2.2; VERSION_1 is always offered
 *	short entropy, short input	5.4.6.2, 5.3.6.1
 *	a hint in configuration space	3.2: the device can change each field; 4.2.2: only
 *	changes, with an interrupt	then the generation is a new one
 *	errors: requests fail		5.2.6.2: IOERR, and UNSUPP for GET_ID
 *	reset: DEVICE_NEEDS_RESET	2.1.2
 *
 * "Late" is measured in calls of virtio_serve() for the queue, not in time: as long as something is
 * late, virtio_serve() asks to be called again. So nothing here depends on a clock, and all that is
 * late comes after a bounded number of calls.
 *
 * A queue's behaviour is a format that wraps the format of its ring (ring.h), so without chaos
 * queues cost what they did. The functions are called with the device's lock held unless they say
 * otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chain.h"

struct chaos;
struct virtq;

/* The choice of the user. */
struct chaos_choice {
	bool on;
	uint64_t seed;
	bool errors, reset; /* requests may fail; devices may ask for a reset */
};

/*
 * Makes the chaos of a device, whose number in the machine is given, and of its queues, which refer
 * to it from then on. streams are those of virtio_ops. The caller sets virtio_device.chaos, and
 * calls chaos_free() once no thread uses the device any more. Called before the first access of a
 * driver. Returns NULL if there is no memory.
 */
struct chaos *chaos_open(const struct chaos_choice *choice, unsigned number, struct virtq *queues,
	unsigned queue_count, uint32_t streams);
void chaos_free(struct chaos *chaos);

/* Returns feature bits by the seed: those that the device offers, as far as it has them and may
 * choose. Any thread. */
uint64_t chaos_features(const struct chaos *chaos);

/* The following functions are about a queue whose virtq->chaos is not NULL. */

/* Returns the largest size of the queue, at most the usual one, which is a power of two: a power of
 * two for a split virtqueue, and for a packed one that or more. Any thread. */
unsigned chaos_size_max(const struct virtq *vq, unsigned usual, bool packed);

/* The following functions are for virtq.c. */

/* Makes a queue behave so, which has just become ready with these features accepted. */
void chaos_begin(struct virtq *vq, uint64_t features);

/* Returns whether something in the queue is late, so that it must be served again. */
bool chaos_is_busy(const struct virtq *vq);

/* The following functions are for virtio.h and virtio.c. */

enum chaos_event {
	CHAOS_NOTHING,
	CHAOS_CONFIG, /* the hint in configuration space changes */
	CHAOS_RESET,  /* the device fails */
};

/* A chain that was used. */
struct chain_used {
	struct chain chain;
	uint32_t len; /* bytes that were written */
};

/* Returns the chain that the last virtq_publish() gave back to the driver as number i, counted from
 * 0, or NULL. Its segments are valid until the next virtq_push(). */
const struct chain_used *chaos_given(const struct virtq *vq, unsigned i);

/* Counts a call of virtio_serve() for a queue that is live. Returns what else the device does.
 * has_hint: it offers the field of configuration space that is a hint. */
enum chaos_event chaos_surprise(struct virtq *vq, bool has_hint);

/* Returns how many of len bytes, 1 or more, are written to the buffer of the request that the
 * device works on. */
uint64_t chaos_short_len(const struct virtq *vq, uint64_t len);

/* Returns whether the request that the device works on fails. */
bool chaos_request_fails(const struct virtq *vq);

#endif
