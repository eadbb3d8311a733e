/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of the entropy device sets it up, asks for 16 bytes and polls for them while its queue
 * is live. A word on the command line names the mistake that it makes.
 *   run: --timeout 20 -- none
 *   status: 0
 *   says nothing
 *
 *   run: --timeout 20 -- no-version-1
 *   status: 1
 *   says: device 1, rng: FEATURES_OK refused: VERSION_1 was not accepted \(virtio 6\.2\), .*at 0x[0-9a-f]{8} \(negotiate\+0x[0-9a-f]+\)
 *   says: QueueSize 8: dropped, because FEATURES_OK is not set in Status \(virtio 3\.1\.1\), .*\(place_queue\+0x
 *   says: DRIVER_OK refused: FEATURES_OK is not set \(virtio 3\.1\.1\), .*\(main\+0x
 *
 *   run: --timeout 20 -- feature-not-offered
 *   status: 1
 *   says: FEATURES_OK refused: feature bit 5 was accepted, but is not offered \(virtio 2\.2\.1\), .*\(negotiate\+0x
 *
 *   run: --timeout 20 -- queue-before-features
 *   status: 1
 *   says: QueueSize 8: dropped, because FEATURES_OK is not set in Status \(virtio 3\.1\.1\), .*\(place_queue\+0x
 *   says: QueueNotify 0: dropped, because QueueReady of the queue is 0 \(virtio 4\.2\.3\.2\), .*\(main\+0x
 *
 *   run: --timeout 20 -- no-features-ok
 *   status: 1
 *   says: QueueSize 8: dropped, because FEATURES_OK is not set in Status \(virtio 3\.1\.1\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- legacy
 *   status: 1
 *   says: write of 0x1000 \(4 bytes\) to GuestPageSize: a register of the legacy interface, .* \(virtio 4\.2\.2\.2\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- byte-wide
 *   status: 1
 *   says: write of 0xb \(1 byte\) to Status: registers take aligned accesses of 4 bytes \(virtio 4\.2\.2\.2\), .*\(negotiate\+0x
 *
 *   run: --timeout 20 -- size-6
 *   status: 1
 *   says: queue 0: queue size 6 is not a power of two from 1 to 64 \(virtio 2\.7\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- table-outside
 *   status: 1
 *   says: queue 0: descriptor table at 0x40000000, 128 bytes, is not in RAM \(virtio 2\.7\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- table-misaligned
 *   status: 1
 *   says: queue 0: descriptor table at 0x[0-9a-f]+ is not aligned to 16 \(virtio 2\.7\.1\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- used-ring-in-code
 *   status: 1
 *   says: queue 0: used ring at 0x[0-9a-f]+, 70 bytes, is not in writable RAM \(virtio 2\.7\), .*\(place_queue\+0x
 *
 *   run: --timeout 20 -- not-ready
 *   status: 1
 *   says: QueueNotify 0: dropped, because QueueReady of the queue is 0 \(virtio 4\.2\.3\.2\), .*\(main\+0x
 *   says not: FEATURES_OK
 *
 *   run: --timeout 20 -- no-driver-ok
 *   status: 1
 *   says: QueueNotify 0: dropped, because DRIVER_OK is not set in Status \(virtio 3\.1\.1\), .*\(main\+0x
 *
 *   run: --timeout 20 -- failed
 *   status: 1
 *   says: QueueNotify 0: dropped, because after FAILED the device must be reset \(virtio 2\.1\.1\), .*\(main\+0x
 *
 *   run: --timeout 20 -- stopped
 *   status: 1
 *   says: QueueNotify 0: dropped, because QueueReady of the queue is 0 \(virtio 4\.2\.3\.2\), .*\(main\+0x
 *
 *   run: --timeout 20 -- stopped-for-a-while
 *   status: 0
 *   says nothing
 *
 *   run: --timeout 20 -- queue-1
 *   status: 0
 *   says: QueueNotify 1: no such queue \(virtio 4\.2\.3\.3\), .*\(main\+0x
 *
 *   run: --timeout 20 -- clear-status
 *   status: 0
 *   says: Status 0x4 without 0xb, which is set already, .* \(virtio 2\.1\.1\), .*\(main\+0x
 */
#include <vole/virtio_mmio.h>

#include "case_virtio.h"

#define ENTROPY 4

static struct virtq_desc table[QUEUE_SIZE] __attribute__((aligned(16)));
static struct available_ring available __attribute__((aligned(2)));
static struct used_ring used __attribute__((aligned(4)));
static uint8_t buffer[16];

static uint32_t device; /* address of its registers */

#define PLACE APART static

PLACE void place_queue(void)
{
	uint32_t desc = (uint32_t)table, ring = (uint32_t)&used;

	if (makes("legacy")) {
		write32(device + 0x028, 4096); /* GuestPageSize */
		write32(device + 0x040, desc / 4096);
		return;
	}
	if (makes("table-outside"))
		desc = 0x40000000;
	if (makes("table-misaligned"))
		desc += 8;
	if (makes("used-ring-in-code"))
		ring = (uint32_t)main & ~3u;
	write32(device + VIRTIO_MMIO_QUEUE_SEL, 0);
	write32(device + VIRTIO_MMIO_QUEUE_SIZE, makes("size-6") ? 6 : QUEUE_SIZE);
	write32(device + VIRTIO_MMIO_QUEUE_DESC_LOW, desc);
	write32(device + VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	write32(device + VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)&available);
	write32(device + VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	write32(device + VIRTIO_MMIO_QUEUE_DEVICE_LOW, ring);
	write32(device + VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);
	if (!makes("not-ready"))
		write32(device + VIRTIO_MMIO_QUEUE_READY, 1);
}

PLACE void negotiate(void)
{
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES, makes("no-version-1") ? 0 : 1);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	if (makes("feature-not-offered"))
		write32(device + VIRTIO_MMIO_DRIVER_FEATURES, 1 << 5);
	if (makes("byte-wide"))
		*(volatile uint8_t *)(device + VIRTIO_MMIO_STATUS) = 0xb;
	else if (!makes("no-features-ok"))
		write32(device + VIRTIO_MMIO_STATUS, 0xb);
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entries = (const void *)info->dev_entries;

	command_line = (const char *)info->cmdline;
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (read32(entries[i].base_addr + VIRTIO_MMIO_DEVICE_ID) == ENTROPY)
			device = entries[i].base_addr;

	write32(device + VIRTIO_MMIO_STATUS, 0);
	write32(device + VIRTIO_MMIO_STATUS, 1);
	write32(device + VIRTIO_MMIO_STATUS, 3);
	if (makes("queue-before-features"))
		place_queue();
	negotiate();
	if (!makes("queue-before-features"))
		place_queue();
	if (makes("clear-status"))
		write32(device + VIRTIO_MMIO_STATUS, 4);
	else if (!makes("no-driver-ok"))
		write32(device + VIRTIO_MMIO_STATUS, 0xf);

	/* Before there is a buffer, which the device may find at DRIVER_OK, without a kick. */
	if (makes("failed"))
		write32(device + VIRTIO_MMIO_STATUS, 0x8f);
	if (makes("stopped") || makes("stopped-for-a-while"))
		write32(device + VIRTIO_MMIO_QUEUE_READY, 0);
	if (makes("stopped-for-a-while"))
		write32(device + VIRTIO_MMIO_QUEUE_READY, 1);

	table[0] = (struct virtq_desc){cpu_to_le64((uint32_t)buffer), cpu_to_le32(sizeof buffer),
		cpu_to_le16(VIRTQ_DESC_F_WRITE), cpu_to_le16(0)};
	available.ring[0] = 0;
	__sync_synchronize();
	available.idx = 1;
	__sync_synchronize();
	if (makes("queue-1"))
		write32(device + VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	write32(device + VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	while (used.idx == 0)
		if (read32(device + VIRTIO_MMIO_STATUS) != 0xf ||
			!read32(device + VIRTIO_MMIO_QUEUE_READY))
			return 1; /* no answer will come */
	return 0;
}
