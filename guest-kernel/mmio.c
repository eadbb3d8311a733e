/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmio.h"

#include <vole/virtio_mmio.h>

#include "error.h"
#include "irq.h"
#include "printf.h"
#include "x86.h"

/* Wanted of every device. */
#define TRANSPORT_FEATURES                                                   \
	(FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_NOTIFICATION_DATA) | \
		FEATURE(VIRTIO_F_RING_RESET))

uint32_t mmio_read(const struct mmio *dev, unsigned offset)
{
	return read32(dev->base + offset);
}

void mmio_write(struct mmio *dev, unsigned offset, uint32_t value)
{
	write32(dev->base + offset, value);
}

uint32_t mmio_probe(const struct device_map_entry *entry)
{
	struct mmio dev = {.base = entry->base_addr};

	/* Magic and version before all else (virtio 4.2.3.1.1). Version 1 is another layout, that
	 * of before the standard. */
	if (mmio_read(&dev, VIRTIO_MMIO_MAGIC_VALUE) != VIRTIO_MMIO_MAGIC ||
		mmio_read(&dev, VIRTIO_MMIO_VERSION) != VIRTIO_MMIO_VERSION_VALUE)
		return VIRTIO_ID_NONE;

	/* Id 0 is an empty place: nothing but these three registers may be touched. */
	return mmio_read(&dev, VIRTIO_MMIO_DEVICE_ID);
}

void mmio_reset(struct mmio *dev)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, 0);

	/* Done when it reads 0 (virtio 2.4.2). Until then the device may still be writing into
	 * buffers, and to use them for something else would be an interesting bug. */
	while (mmio_read(dev, VIRTIO_MMIO_STATUS))
		cpu_relax();
}

/* Status bits are added, never taken away (virtio 2.1.1). */
static void add_status(struct mmio *dev, uint32_t bit)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, mmio_read(dev, VIRTIO_MMIO_STATUS) | bit);
}

void mmio_give_up(struct mmio *dev)
{
	add_status(dev, VIRTIO_STATUS_FAILED);
}

/* 64 bits of features come through a window of 32. */
static uint64_t offered_features(struct mmio *dev)
{
	uint64_t features;

	mmio_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)mmio_read(dev, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	mmio_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return features | mmio_read(dev, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void accept_features(struct mmio *dev, uint64_t features)
{
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
}

int mmio_begin(struct mmio *dev, const struct device_map_entry *entry, uint32_t id, uint64_t wanted)
{
	uint32_t found = mmio_probe(entry);

	if (found != id) {
		printf("virtio at %08x: device id %u, expected %u\n", entry->base_addr, found, id);
		return -ENODEV;
	}
	dev->base = entry->base_addr;
	dev->irq = entry->interrupt_num;

	/* 3.1.1, step 1: reset. Nobody knows who used the device before. */
	mmio_reset(dev);
	atomic_store(&dev->failed, false);

	/* Steps 2 and 3: we have seen the device, and we know how to drive it. */
	add_status(dev, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(dev, VIRTIO_STATUS_DRIVER);

	/* Step 4: what it offers and we understand. To take what is wanted, rather than to strike
	 * out what is not, leaves out what was invented after this was written (2.2.1). */
	wanted |= TRANSPORT_FEATURES;
	dev->features = offered_features(dev) & wanted & ~dev->declined;
	if (!mmio_has_feature(dev, VIRTIO_F_VERSION_1)) {
		printf("virtio at %08x: VERSION_1 is not offered\n", dev->base);
		mmio_give_up(dev);
		return -ENOTSUP;
	}
	accept_features(dev, dev->features);

	/* Steps 5 and 6: the choice is final, unless the device takes the bit back: then it cannot
	 * work with just these features. */
	add_status(dev, VIRTIO_STATUS_FEATURES_OK);
	if (!(mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_FEATURES_OK)) {
		printf("virtio at %08x: features 0x%llx are refused\n", dev->base, dev->features);
		mmio_give_up(dev);
		return -ENOTSUP;
	}

	/* Step 7, the queues, and step 8, DRIVER_OK, are the driver's next. */
	return 0;
}

/* Why a queue cannot be had. */
static int queue_error(struct mmio *dev, unsigned index, const char *reason)
{
	printf("virtio at %08x: queue %u %s\n", dev->base, index, reason);
	mmio_give_up(dev);
	return -ENODEV;
}

int mmio_queue_select(struct mmio *dev, unsigned index, uint32_t *size_max)
{
	/* All QUEUE_ registers are now about this queue. */
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, index);
	if (mmio_read(dev, VIRTIO_MMIO_QUEUE_READY))
		return queue_error(dev, index, "is in use");
	*size_max = mmio_read(dev, VIRTIO_MMIO_QUEUE_SIZE_MAX);
	if (!*size_max)
		return queue_error(dev, index, "does not exist");
	return 0;
}

int mmio_queue_enable(struct mmio *dev, unsigned index, const struct mmio_queue *queue)
{
	/* Addresses are 64 bits wide, also to a driver that has only 32. */
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, queue->size);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)queue->desc);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)queue->driver);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)queue->device);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);

	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	if (!mmio_read(dev, VIRTIO_MMIO_QUEUE_READY))
		return queue_error(dev, index, "is refused");
	return 0;
}

int mmio_queue_reset(struct mmio *dev, unsigned index)
{
	if (!mmio_has_feature(dev, VIRTIO_F_RING_RESET))
		return -ENOTSUP;
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, index);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 1);

	/* As with the device's reset: done when it reads 0 (virtio 4.2.2.2). */
	while (mmio_read(dev, VIRTIO_MMIO_QUEUE_RESET))
		cpu_relax();
	return 0;
}

/*
 * The device has raised its pin. What happened is not looked at here: who waits for an answer looks
 * into the used ring when this interrupt has ended the wait (irq_wait()).
 *
 * Acknowledge first, look then. The other way round, the acknowledgement could wipe out the notice
 * of an answer that came just after the look, and nobody would look again.
 */
static void interrupt(void *ctx)
{
	struct mmio *dev = ctx;
	uint32_t reasons = mmio_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS);

	mmio_write(dev, VIRTIO_MMIO_INTERRUPT_ACK,
		reasons & (VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG));
	if (reasons & VIRTIO_MMIO_INT_CONFIG) {
		atomic_fetch_add(&dev->changes, 1);
		if (mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
			atomic_store(&dev->failed, true);
	}
	atomic_fetch_add(&dev->interrupts, 1);
}

int mmio_ready(struct mmio *dev)
{
	/* Before the device can raise its first interrupt: an edge at a masked pin is lost. */
	int error = irq_route(dev->irq, interrupt, dev);

	if (error) {
		printf("virtio at %08x: no way for interrupt %u\n", dev->base, dev->irq);
		mmio_give_up(dev);
		return error;
	}
	add_status(dev, VIRTIO_STATUS_DRIVER_OK);
	return 0;
}

void mmio_kick(struct mmio *dev, unsigned index, uint16_t next)
{
	if (mmio_has_feature(dev, VIRTIO_F_NOTIFICATION_DATA))
		index |= (unsigned)next << 16;
	mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

bool mmio_has_feature(const struct mmio *dev, unsigned bit)
{
	return dev->features >> bit & 1;
}

uint32_t mmio_config_generation(const struct mmio *dev)
{
	return mmio_read(dev, VIRTIO_MMIO_CONFIG_GENERATION);
}

uint8_t mmio_config8(const struct mmio *dev, unsigned offset)
{
	return read8(dev->base + VIRTIO_MMIO_CONFIG + offset);
}

uint16_t mmio_config16(const struct mmio *dev, unsigned offset)
{
	return read16(dev->base + VIRTIO_MMIO_CONFIG + offset);
}

uint32_t mmio_config32(const struct mmio *dev, unsigned offset)
{
	return read32(dev->base + VIRTIO_MMIO_CONFIG + offset);
}

void mmio_write_config8(struct mmio *dev, unsigned offset, uint8_t value)
{
	write8(dev->base + VIRTIO_MMIO_CONFIG + offset, value);
}
