/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of the block device asks for one sector and polls for it. A word on the command line
 * names the mistake that it makes. Its exit status is that of the request, or 9 if it gets none.
 *   run: --timeout 20 --disk %disk% -- none
 *   status: 0
 *   says nothing
 *
 *   run: --timeout 20 --disk %disk% -- early-notify
 *   status: 0
 *   says: device 2, block: QueueNotify 0: dropped, because DRIVER_OK is not set in Status \(virtio 3\.1\.1\), .*\(notify\+0x
 *
 *   run: --timeout 20 --disk %disk% -- no-status
 *   status: 9
 *   says: device 2, block: request of 528 bytes without a status byte \(virtio 5\.2\.6\)$
 *
 *   run: --timeout 20 --disk %disk% -- part-sector
 *   status: 1
 *   says: device 2, block: read of 100 bytes: the length is not a multiple of 512 \(virtio 5\.2\.6\.1\)$
 *
 *   run: --timeout 20 --disk %disk% -- beyond-end
 *   status: 1
 *   says: device 2, block: read of 1 sector at sector 2048 of 2048: beyond the end of the disk \(virtio 5\.2\.6\.1\)$
 *
 *   run: --timeout 20 --disk %disk% -- write-into-writable
 *   status: 1
 *   says: device 2, block: write with 512 bytes of device-writable data \(virtio 5\.2\.6\)$
 *
 *   run: --timeout 20 --disk %disk% -- read-into-readable
 *   status: 1
 *   says: device 2, block: read with 512 bytes of device-readable data \(virtio 5\.2\.6\)$
 *
 *   run: --timeout 20 --disk %disk% -- header-last
 *   status: 9
 *   says: device 2, block: queue 0: device-readable descriptor after a device-writable one \(virtio 2\.7\.4\.2\)$
 *
 *   run: --timeout 20 --disk %disk% -- loop
 *   status: 9
 *   says: device 2, block: queue 0: chain from descriptor 0 loops \(virtio 2\.7\.5\.2\)$
 *
 *   run: --timeout 20 --disk %disk% -- index-jumps
 *   status: 9
 *   says: device 2, block: queue 0: available index jumps from 0 to 100 with queue size 8 \(virtio 2\.7\.13\)$
 *
 *   run: --timeout 20 --disk %disk% -- buffer-outside
 *   status: 9
 *   says: device 2, block: queue 0: buffer at 0xdeadb000, 512 bytes, is not in writable RAM \(virtio 2\.7\.5\)$
 *
 *   run: --timeout 20 --disk %disk% -- buffer-in-code
 *   status: 9
 *   says: device 2, block: queue 0: buffer at 0x[0-9a-f]+, 512 bytes, is not in writable RAM \(virtio 2\.7\.5\)$
 */
#include <vole/virtio_blk.h>
#include <vole/virtio_mmio.h>

#include "case_virtio.h"

#define BLOCK     2
#define NO_ANSWER 9 /* no status of the specification */
#define READABLE  0 /* by the device */

static struct virtq_desc table[QUEUE_SIZE] __attribute__((aligned(16)));
static struct available_ring available __attribute__((aligned(2)));
static struct used_ring used __attribute__((aligned(4)));
static struct virtio_blk_req header;
static uint8_t sector[512];
static volatile uint8_t status = NO_ANSWER;

static uint32_t device; /* address of its registers */

APART static void notify(void)
{
	write32(device + VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

static void set_up(void)
{
	write32(device + VIRTIO_MMIO_STATUS, 0);
	write32(device + VIRTIO_MMIO_STATUS, 1);
	write32(device + VIRTIO_MMIO_STATUS, 3);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES, 1);
	write32(device + VIRTIO_MMIO_STATUS, 0xb);
	write32(device + VIRTIO_MMIO_QUEUE_SEL, 0);
	write32(device + VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
	write32(device + VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)table);
	write32(device + VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)&available);
	write32(device + VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)&used);
	write32(device + VIRTIO_MMIO_QUEUE_READY, 1);
}

static void describe(unsigned index, const volatile void *bytes, uint32_t len, uint16_t flags)
{
	table[index] = (struct virtq_desc){cpu_to_le64((uint32_t)bytes), cpu_to_le32(len),
		cpu_to_le16(flags), cpu_to_le16((uint16_t)(index + 1))};
}

/* A request has a header, data, and a byte for its status. */
static void make_request(void)
{
	uint16_t type = makes("write-into-writable") ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
	uint16_t next = makes("no-status") ? 0 : VIRTQ_DESC_F_NEXT;
	uint16_t write = makes("read-into-readable") ? READABLE : VIRTQ_DESC_F_WRITE;

	header = (struct virtio_blk_req){
		.type = cpu_to_le32(type), .sector = cpu_to_le64(makes("beyond-end") ? 2048 : 0)};
	describe(0, &header, sizeof header, READABLE | VIRTQ_DESC_F_NEXT);
	describe(1, sector, makes("part-sector") ? 100 : sizeof sector, write | next);
	describe(2, &status, 1, VIRTQ_DESC_F_WRITE);
	if (makes("header-last")) {
		describe(0, sector, sizeof sector, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT);
		describe(1, &header, sizeof header, READABLE | VIRTQ_DESC_F_NEXT);
	}
	if (makes("loop"))
		table[1].next = cpu_to_le16(1);
	if (makes("buffer-outside"))
		table[1].addr = cpu_to_le64(0xdeadb000);
	if (makes("buffer-in-code"))
		table[1].addr = cpu_to_le64((uint32_t)main);
	available.ring[0] = 0;
	__sync_synchronize();
	available.idx = makes("index-jumps") ? 100 : 1;
	__sync_synchronize();
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entries = (const void *)info->dev_entries;

	command_line = (const char *)info->cmdline;
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (read32(entries[i].base_addr + VIRTIO_MMIO_DEVICE_ID) == BLOCK)
			device = entries[i].base_addr;
	set_up();
	if (makes("early-notify")) {
		make_request();
		notify();
		write32(device + VIRTIO_MMIO_STATUS, 0xf);
	} else {
		write32(device + VIRTIO_MMIO_STATUS, 0xf);
		make_request();
		notify();
	}
	while (used.idx == 0 && read32(device + VIRTIO_MMIO_STATUS) == 0xf)
		continue;
	return status;
}
