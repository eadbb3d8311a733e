/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_MMIO_H
#define GUEST_MMIO_H

/*
 * The MMIO transport of virtio, driver side (virtio 4.2): how a driver finds out what a device is,
 * agrees with it on features, gives it queues, kicks it and hears from it. The registers are listed
 * in vole/virtio_mmio.h; the device's side of the same conversation is virtio/mmio.c.
 *
 * A driver's way through it, in the order that virtio 3.1.1 prescribes:
 *
 *	mmio_probe()			what is it? (any number of times, before anything else)
 *	mmio_begin()			reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK
 *	virtq_setup()			for each queue (virtq.h)
 *	mmio_ready()			DRIVER_OK: the device is live
 *	mmio_kick(), interrupts		requests go, answers come
 *	mmio_reset()			the device lets go of everything
 *
 * Functions that can fail print what is wrong and return a negative number of error.h. A device is
 * for one CPU at a time: there is no lock in here.
 */

#ifndef __cplusplus
#include <stdatomic.h>
#endif
#include <stdbool.h>
#include <stdint.h>

#include <vole/language.h>
#include <vole/start_info.h>
#include <vole/virtio_config.h>

#define FEATURE(bit) (UINT64_C(1) << (bit))

struct mmio {
	uint32_t base;     /* of the device's window */
	unsigned irq;      /* pin of the IOAPIC */
	uint64_t declined; /* by who wants to do without, set before mmio_begin() */
	uint64_t features; /* agreed on */

	/* Written by the interrupt handler. */
	VOLE_ATOMIC(unsigned) interrupts; /* so far */
	VOLE_ATOMIC(unsigned) changes; /* of configuration space that the device told of, so far */
	VOLE_ATOMIC(bool) failed; /* the device asks for a reset, it will not go on by itself */
};

/* The id of the device in this window, VIRTIO_ID_NONE if there is none that this transport can
 * drive. Changes nothing. */
uint32_t mmio_probe(const struct device_map_entry *entry);

/*
 * Start over with the device: reset it, and agree on the features that it offers and the driver
 * wants, except for those in dev->declined; VERSION_1, NOTIFICATION_DATA and RING_RESET are always
 * wanted, and VIRTQ_FEATURES is for drivers that use virtq.h. Afterwards dev->features has the
 * result. 0, or -ENODEV if the device's id is not id, or -ENOTSUP if the device does not accept the
 * features.
 */
int mmio_begin(
	struct mmio *dev, const struct device_map_entry *entry, uint32_t id, uint64_t wanted);

/* The steps of virtio 4.2.3.2 that virtq_setup() is made of. Select queue number index, which must
 * not be in use, and store the largest size that the device accepts in *size_max. After
 * mmio_begin(). 0, or -ENODEV if there is no such queue or it is in use. */
int mmio_queue_select(struct mmio *dev, unsigned index, uint32_t *size_max);

/* Where a queue is in memory, which has to be all zero, and stays while the device uses it. */
struct mmio_queue {
	uint32_t size; /* entries */
	const void *desc, *driver, *device;
};

/* Give the device the queue that mmio_queue_select() has selected. 0, or -ENODEV if the device does
 * not accept it. */
int mmio_queue_enable(struct mmio *dev, unsigned index, const struct mmio_queue *queue);

/* Have the device let go of one queue, of its buffers and of what it did with it (virtio 2.6.1);
 * the others go on. virtq_setup() makes it anew. After mmio_begin(). 0, or -ENOTSUP (not said) if
 * the device cannot: RING_RESET is wanted always, but may not be offered. */
int mmio_queue_reset(struct mmio *dev, unsigned index);

/* Route the interrupt and set DRIVER_OK. 0, or -EBUSY, -EINVAL as irq_route(). */
int mmio_ready(struct mmio *dev);

/* Tell the device that there may be something new in a queue; with NOTIFICATION_DATA also where in
 * the ring the next new thing will be, in the form of virtio 2.9. After mmio_ready(). */
void mmio_kick(struct mmio *dev, unsigned index, uint16_t next);

/* Stop the device. When it returns, the device uses neither queues nor buffers any more and does
 * not interrupt; to go on, mmio_begin(). */
void mmio_reset(struct mmio *dev);

/* Give up on the device: it is told so (FAILED). */
void mmio_give_up(struct mmio *dev);

bool mmio_has_feature(const struct mmio *dev, unsigned bit);

/*
 * Fields of the device's configuration space, each in its own width; one of 64 bits is two of 32
 * (virtio 4.2.2.2). Fields that belong together are to be read between two equal values of the
 * generation (virtio 2.5.1):
 *
 *	do {
 *		generation = mmio_config_generation(dev);
 *		...
 *	} while (generation != mmio_config_generation(dev));
 */
uint32_t mmio_config_generation(const struct mmio *dev);
uint8_t mmio_config8(const struct mmio *dev, unsigned offset);
uint16_t mmio_config16(const struct mmio *dev, unsigned offset);
uint32_t mmio_config32(const struct mmio *dev, unsigned offset);
void mmio_write_config8(struct mmio *dev, unsigned offset, uint8_t value);

/* The registers themselves, for those who want to do something else. */
uint32_t mmio_read(const struct mmio *dev, unsigned offset);
void mmio_write(struct mmio *dev, unsigned offset, uint32_t value);

#endif
