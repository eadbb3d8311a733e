/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of virtio's block device in one file: no library, no interrupts, no features, one
 * request at a time. It prints what sector 0 of a disk says, and copies that to the last sector.
 *
 *	cc -m32 -O2 -ffreestanding -mgeneral-regs-only -fno-pic -nostdlib -static \
 *		-Iinclude -Wl,-Ttext-segment=0x100000,-e,main -o disk.elf disk.c
 *	truncate -s 1M disk.img
 *	vole run --disk disk.img disk.elf
 *
 * Numbers in parentheses are clauses of the virtio specification, version 1.3.
 */

#include <stdatomic.h>

#include <vole/ports.h>
#include <vole/start_info.h>
#include <vole/virtio_blk.h>
#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>
#include <vole/virtio_ring.h>

#define QUEUE_SIZE 4 /* descriptors: a power of two (2.7), and a request takes three */

/* The queue: three areas that driver and device share while the device is live (2.7). They must be
 * zero at the start, as static memory is. Here paging is off, so a pointer is the physical address
 * that the device needs. */
static struct virtq_desc desc[QUEUE_SIZE] __attribute__((aligned(VIRTQ_DESC_ALIGN)));
static struct {
	le16 flags;
	le16_atomic idx; /* requests that the driver has made available, modulo 65536 */
	le16 ring[QUEUE_SIZE];
	le16 used_event; /* unused without EVENT_IDX, but always there */
} avail __attribute__((aligned(VIRTQ_AVAIL_ALIGN)));
static struct {
	le16 flags;
	le16_atomic idx; /* requests that the device is done with, modulo 65536 */
	struct virtq_used_elem ring[QUEUE_SIZE];
	le16 avail_event;
} used __attribute__((aligned(VIRTQ_USED_ALIGN)));

static uint32_t window; /* address of the device's registers; 0: none yet */

/* A register is accessed by one load or store of 32 bits (4.2.2.2), which volatile promises. */
static uint32_t get(uint32_t offset)
{
	return *(volatile uint32_t *)(window + offset);
}

static void set(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(window + offset) = value;
}

static void print(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)VOLE_PORT_DEBUG));
}

/* Gives up: tells the device so (2.1), and ends the machine with exit status 1. */
static _Noreturn void fail(const char *why)
{
	print(why);
	if (window)
		set(VIRTIO_MMIO_STATUS, get(VIRTIO_MMIO_STATUS) | VIRTIO_STATUS_FAILED);
	for (;;)
		__asm__ volatile("outl %0, %1" : : "a"(1), "Nd"((uint16_t)VOLE_PORT_EXIT));
}

/* Takes the first disk. What kind of device is in a window, only the window tells (4.2.2). */
static void find_disk(const struct start_info *info)
{
	const struct device_map_entry *devices = (const void *)info->dev_entries;

	for (uint32_t i = 0; i < info->dev_size; i++) {
		window = devices[i].base_addr;
		if (get(VIRTIO_MMIO_MAGIC_VALUE) == VIRTIO_MMIO_MAGIC &&
			get(VIRTIO_MMIO_VERSION) == VIRTIO_MMIO_VERSION_VALUE &&
			get(VIRTIO_MMIO_DEVICE_ID) == VIRTIO_ID_BLOCK)
			return;
	}
	window = 0;
	fail("There is no disk: --disk FILE adds one.\n");
}

/* Gives the device its queue, in the order of 4.2.3.2. */
static void set_up_queue(void)
{
	set(VIRTIO_MMIO_QUEUE_SEL, 0);
	if (get(VIRTIO_MMIO_QUEUE_READY))
		fail("Queue 0 is in use.\n");
	if (get(VIRTIO_MMIO_QUEUE_SIZE_MAX) < QUEUE_SIZE)
		fail("Queue 0 is too small, or not there.\n");
	set(VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)desc);
	set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)&avail);
	set(VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)&used);
	set(VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	if (!get(VIRTIO_MMIO_QUEUE_READY))
		fail("The device refuses queue 0.\n");
	avail.flags = cpu_to_le16(VIRTQ_AVAIL_F_NO_INTERRUPT); /* we look by ourselves */
}

/* Brings the device up, in the order of 3.1.1. Bits of Status are added, never cleared. */
static void start_disk(void)
{
	uint32_t status = 0;

	/* 1. Reset: done when Status reads 0 (4.2.2.2). */
	set(VIRTIO_MMIO_STATUS, status);
	while (get(VIRTIO_MMIO_STATUS))
		;

	/* 2, 3. The device was noticed, and there is a driver for it. */
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_ACKNOWLEDGE);
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_DRIVER);

	/* 4. Features, 64 bits in two words: accept VERSION_1, without which there is only the
	 * legacy interface (6.1), and nothing else. */
	set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, VIRTIO_F_VERSION_1 / 32);
	if (!(get(VIRTIO_MMIO_DEVICE_FEATURES) & 1u << VIRTIO_F_VERSION_1 % 32))
		fail("The device does not offer VERSION_1.\n");
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_F_VERSION_1 / 32);
	set(VIRTIO_MMIO_DRIVER_FEATURES, 1u << VIRTIO_F_VERSION_1 % 32);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set(VIRTIO_MMIO_DRIVER_FEATURES, 0);

	/* 5, 6. The choice is made. A device that does not agree leaves the bit off. */
	set(VIRTIO_MMIO_STATUS, status |= VIRTIO_STATUS_FEATURES_OK);
	if (!(get(VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_FEATURES_OK))
		fail("The device refuses the features.\n");

	/* 7, 8. The queue; and with the last bit the device is live. */
	set_up_queue();
	set(VIRTIO_MMIO_STATUS, status | VIRTIO_STATUS_DRIVER_OK);
}

/* Returns the size of the disk in sectors. The field has 64 bits, so it takes two loads, and the
 * device may change it between them (2.5.1). */
static uint64_t capacity(void)
{
	uint32_t generation, low, high;

	do {
		generation = get(VIRTIO_MMIO_CONFIG_GENERATION);
		low = get(VIRTIO_MMIO_CONFIG);
		high = get(VIRTIO_MMIO_CONFIG + 4);
	} while (generation != get(VIRTIO_MMIO_CONFIG_GENERATION));
	return (uint64_t)high << 32 | low;
}

static void describe(uint16_t i, const volatile void *data, uint32_t len, uint16_t flags)
{
	desc[i].addr = cpu_to_le64((uint32_t)data);
	desc[i].len = cpu_to_le32(len);
	desc[i].flags = cpu_to_le16(flags);
	desc[i].next = cpu_to_le16(i + 1);
}

/* Reads a sector of the disk to data (VIRTIO_BLK_T_IN) or writes it from there (..._OUT). */
static void transfer(uint32_t type, uint64_t sector, void *data)
{
	static uint16_t count; /* requests so far */
	uint32_t data_written = type == VIRTIO_BLK_T_IN ? VIRTIO_BLK_SECTOR_SIZE : 0;
	struct virtio_blk_req header = {.type = cpu_to_le32(type), .sector = cpu_to_le64(sector)};
	volatile uint8_t status = 0xff; /* none that a device writes */
	struct virtq_used_elem *done = &used.ring[count % QUEUE_SIZE];

	/* A chain of three buffers: first what the device reads, then what it writes (2.7.4.2). All
	 * three belong to the device until it says that it is done. */
	describe(0, &header, sizeof header, VIRTQ_DESC_F_NEXT);
	describe(1, data, VIRTIO_BLK_SECTOR_SIZE,
		VIRTQ_DESC_F_NEXT | (data_written ? VIRTQ_DESC_F_WRITE : 0));
	describe(2, &status, sizeof status, VIRTQ_DESC_F_WRITE);

	/* Make descriptor 0, the chain's head, available: idx comes last, behind a release barrier,
	 * so that the device sees all of the above (2.7.13). Then tell the device. */
	avail.ring[count % QUEUE_SIZE] = cpu_to_le16(0);
	atomic_store_explicit(&avail.idx.raw, cpu_to_le16(++count).raw, memory_order_release);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);

	/* Wait. The acquire barrier has us see all that the device wrote before idx (2.7.14). */
	while (atomic_load_explicit(&used.idx.raw, memory_order_acquire) != cpu_to_le16(count).raw)
		if (get(VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DEVICE_NEEDS_RESET)
			fail("The device has failed.\n");
	if (le32_to_cpu(done->id) != 0)
		fail("The device is done with what was not asked of it.\n");
	if (status != VIRTIO_BLK_S_OK || le32_to_cpu(done->len) != data_written + sizeof status)
		fail("The disk could not do that.\n");
}

int main(const struct start_info *info);

int main(const struct start_info *info)
{
	static char first[VIRTIO_BLK_SECTOR_SIZE + 1], last[VIRTIO_BLK_SECTOR_SIZE];
	uint64_t sectors;

	find_disk(info);
	start_disk();
	sectors = capacity();
	if (!sectors)
		fail("The disk is empty.\n");
	transfer(VIRTIO_BLK_T_IN, 0, first);
	print(first);
	/* Without FLUSH, what is written is stable when the request is done (5.2.6.2). */
	transfer(VIRTIO_BLK_T_OUT, sectors - 1, first);
	transfer(VIRTIO_BLK_T_IN, sectors - 1, last);
	for (unsigned i = 0; i < VIRTIO_BLK_SECTOR_SIZE; i++)
		if (first[i] != last[i])
			fail("The last sector is not what was written.\n");
	print("The last sector says so, too.\n");
	set(VIRTIO_MMIO_STATUS, 0); /* the device lets go of our memory */
	return 0;
}
