/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that sets up queues made of nonsense: sizes, addresses and areas that cannot be. Each
 * attack on each device, split and packed. Then hostile.h has its proof. Prints the number of
 * attacks. Exit status 0.
 */

#include "hostile-registers.h"
#include "memory.h"

static const struct start_info *boot;
static const char rom[4096] __attribute__((aligned(4096))) = "...";

static uint32_t ram_end(void)
{
	const struct memory_map_entry *last = &info_memory(boot)[boot->mem_size - 1];

	return last->base + last->size;
}

/* Stop the first queue, change one register of it, start it again. */
static void set_queue(unsigned offset, uint32_t value)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	mmio_write(dev, offset, value);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "HARD-01 %s: register 0x%x is 0x%x",
		victim->name, offset, value);
}

static void size_0(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_SIZE, 0);
}

static void size_too_large(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	set_queue(VIRTIO_MMIO_QUEUE_SIZE, mmio_read(dev, VIRTIO_MMIO_QUEUE_SIZE_MAX) + 1);
}

static void size_of_17_bits(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_SIZE, 65536 + 4);
}

static void size_of_32_bits(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_SIZE, UINT32_C(1) << 31);
}

/* No power of two; of a packed queue it may be any (virtio 2.8). */
static void size_3(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_SIZE, is_packed(dev) ? 0 : 3);
}

static void desc_not_aligned(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)vq->desc + 8);
}

static void driver_not_aligned(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)vq->driver + 1);
}

static void device_not_aligned(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)vq->device + 2);
}

static void desc_nowhere(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DESC_LOW, NOWHERE);
}

static void desc_in_device(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DESC_LOW, dev->base);
}

static void desc_over_end(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DESC_LOW, ram_end() - 16);
}

static void desc_far_away(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DESC_HIGH, 1);
}

static void desc_wraps(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DESC_HIGH, UINT32_MAX);
	set_queue(VIRTIO_MMIO_QUEUE_DESC_LOW, UINT32_MAX - 31);
}

static void driver_in_device(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DRIVER_LOW, dev->base);
}

static void driver_far_away(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DRIVER_HIGH, UINT32_MAX);
}

static void device_in_device(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DEVICE_LOW, boot->apic_base);
}

static void device_over_end(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DEVICE_LOW, ram_end());
}

static void device_read_only(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)rom);
}

static void device_at_null(void)
{
	set_queue(VIRTIO_MMIO_QUEUE_DEVICE_LOW, 0);
}

/* The device's area is at the descriptors: what it writes there, it reads as a descriptor. */
static void areas_overlap(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)vq->desc);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)vq->desc);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	for (unsigned i = 0; i < 10; i++)
		mmio_kick(dev, 0, 0);
}

static void reset_after_failure(void)
{
	size_0();
	check(has_failed(dev), "%s fails", victim->name);
	for (unsigned i = 0; i < 3; i++) {
		mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_DRIVER_OK);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	}
	mmio_reset(dev);
	check(mmio_read(dev, VIRTIO_MMIO_STATUS) == 0, "BASE-DEV-04 %s is reset", victim->name);
}

static const struct attack attacks[] = {
	{"HARD-01 size 0", LIVE, FAILS, size_0},
	{"HARD-01 size too large", LIVE, FAILS, size_too_large},
	{"HARD-01 size of 17 bits", LIVE, FAILS, size_of_17_bits},
	{"HARD-01 size of 32 bits", LIVE, FAILS, size_of_32_bits},
	{"HARD-01 size 3", LIVE, FAILS, size_3},
	{"HARD-01 descriptors not aligned", LIVE, FAILS, desc_not_aligned},
	{"HARD-01 driver's area not aligned", LIVE, FAILS, driver_not_aligned},
	{"HARD-01 device's area not aligned", LIVE, FAILS, device_not_aligned},
	{"HARD-01 descriptors nowhere", LIVE, FAILS, desc_nowhere},
	{"HARD-01 descriptors in the device", LIVE, FAILS, desc_in_device},
	{"HARD-01 descriptors over the end", LIVE, FAILS, desc_over_end},
	{"HARD-01 descriptors far away", LIVE, FAILS, desc_far_away},
	{"HARD-02 descriptors wrap", LIVE, FAILS, desc_wraps},
	{"HARD-01 driver's area in the device", LIVE, FAILS, driver_in_device},
	{"HARD-02 driver's area far away", LIVE, FAILS, driver_far_away},
	{"HARD-01 device's area in the APIC", LIVE, FAILS, device_in_device},
	{"HARD-01 device's area over the end", LIVE, FAILS, device_over_end},
	{"HARD-01 device's area read-only", LIVE, FAILS, device_read_only},
	{"HARD-01 device's area at null", LIVE, FAILS, device_at_null},
	{"areas overlap", LIVE, ANYTHING, areas_overlap},
	{"reset after a failure", LIVE, ANYTHING, reset_after_failure},
};

int main(const struct start_info *info)
{
	boot = info;
	return attack_all(info, attacks, sizeof(attacks) / sizeof(attacks[0]));
}
