/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CASE_SPLIT_H
#define CASE_SPLIT_H

/* A right driver of a device with a split queue, as little as there can be: the kernels whose name
 * begins with "check" make one mistake each with it. The queue is polled. */

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#include "case_virtio.h"

static struct virtq_desc table[QUEUE_SIZE] __attribute__((aligned(16)));
static struct available_ring available __attribute__((aligned(4)));
static struct used_ring used __attribute__((aligned(4)));

static uint32_t device; /* address of its registers */

static inline void set(uint32_t offset, uint32_t value)
{
	write32(device + offset, value);
}

static inline uint32_t get(uint32_t offset)
{
	return read32(device + offset);
}

/* Finds the device with this id. */
static inline void find(const struct start_info *info, uint32_t id)
{
	const struct device_map_entry *entries = (const void *)info->dev_entries;

	command_line = (const char *)info->cmdline;
	for (uint32_t i = 0; i < info->dev_size; i++) {
		device = entries[i].base_addr;
		if (get(VIRTIO_MMIO_MAGIC_VALUE) == VIRTIO_MMIO_MAGIC &&
			get(VIRTIO_MMIO_VERSION) == VIRTIO_MMIO_VERSION_VALUE &&
			get(VIRTIO_MMIO_DEVICE_ID) == id)
			return;
	}
}

/* Sets DRIVER, and FEATURES_OK with these features beside VERSION_1. */
static inline void negotiate(uint64_t features)
{
	features |= UINT64_C(1) << VIRTIO_F_VERSION_1;
	set(VIRTIO_MMIO_STATUS, 0);
	set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
		set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		set(VIRTIO_MMIO_DRIVER_FEATURES,
			get(VIRTIO_MMIO_DEVICE_FEATURES) & (uint32_t)(features >> 32 * word));
	}
	set(VIRTIO_MMIO_STATUS, 0xb);
	get(VIRTIO_MMIO_STATUS);
}

/* Makes a queue ready, whose areas these are. */
static inline void enable_queue(uint32_t queue, const void *desc, const void *driver, void *ring)
{
	set(VIRTIO_MMIO_QUEUE_SEL, queue);
	get(VIRTIO_MMIO_QUEUE_READY);
	get(VIRTIO_MMIO_QUEUE_SIZE_MAX);
	set(VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)desc);
	set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)driver);
	set(VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)ring);
	set(VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
}

/* Fills a descriptor; next 0: it is the last of its chain. */
static inline void fill(unsigned i, const void *buffer, uint32_t len, uint16_t flags, uint16_t next)
{
	table[i] = (struct virtq_desc){cpu_to_le64((uint32_t)buffer), cpu_to_le32(len),
		cpu_to_le16(flags | (next ? VIRTQ_DESC_F_NEXT : 0)), cpu_to_le16(next)};
}

/* Puts a head into the ring, at a distance from the index. */
static inline void put(uint16_t distance, uint16_t head)
{
	available.ring[(available.idx + distance) % QUEUE_SIZE] = head;
}

/* Makes so many heads available, and kicks. */
static inline void publish(uint32_t queue, uint16_t count)
{
	__sync_synchronize();
	available.idx += count;
	__sync_synchronize();
	set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

/* Waits until the device has given back as many chains as it was given, or fails. */
static inline int wait(void)
{
	while (used.idx != available.idx)
		if (get(VIRTIO_MMIO_STATUS) != 0xf)
			return 1;
	return 0;
}

#endif
