/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk's driver that waits for what will not come, as --check virtio's hang watch finds out
 * within two seconds. Beside rule kick-missing, the one with two hints.
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk%,queues=2 -- kick-missing
 *   status: 123
 *   says: device 2, block, queue 0: 1 chain is available: the device was not notified, and has waited for a second \(virtio 2\.7\.13\.4\.1, rule kick-missing\), last kicked at .*\((?:main|publish)\+0x
 *   says: queue 1: it was kicked, and the available ring's index at 0x[0-9a-f]{8} is 0: nothing was ever made available, for a second \(virtio 2\.7\.13, hint kick-empty\)
 *   says: device 2, block: InterruptStatus is 0x1: nobody has acknowledged it for a second \(virtio 4\.2\.3\.4\.1, hint ack-missing\)
 *   says: watched, 1 broken, 2 hints$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- ack-late
 *   engine: soft
 *   status: 123
 *   says: device 2, block: the last acknowledgement: this took away a notification: look at the queue after acknowledging \(virtio 4\.2\.3\.4\.1, rule ack-late\)
 *   says: watched, 1 broken$
 */
#include <vole/virtio_blk.h>

#include "case_split.h"

static struct virtq_desc second_table[QUEUE_SIZE] __attribute__((aligned(16)));
static struct available_ring second_available __attribute__((aligned(4)));
static struct used_ring second_used __attribute__((aligned(4)));

static struct virtio_blk_req header;
static uint8_t sector[512], status;

/* Puts a read of sector 0 into the ring. */
static void prepare(uint16_t head)
{
	header.type = cpu_to_le32(VIRTIO_BLK_T_IN);
	fill(head, &header, sizeof header, 0, head + 1);
	fill(head + 1, sector, sizeof sector, VIRTQ_DESC_F_WRITE, head + 2);
	fill(head + 2, &status, 1, VIRTQ_DESC_F_WRITE, 0);
	put(0, head);
}

/* The second request comes before the acknowledgement of the first, and after InterruptStatus was
 * read. On the software CPU it is done by then. */
static void acknowledge_late(void)
{
	get(VIRTIO_MMIO_INTERRUPT_STATUS);
	prepare(3);
	publish(0, 1);
	set(VIRTIO_MMIO_INTERRUPT_ACK, 1);
}

/* A request that nobody kicks for may be found all the same, by a look for an earlier kick or for
 * DRIVER_OK that comes late. Then the next one is forgotten, too. */
static void forget_kick(void)
{
	/* No interrupt comes, as the IOAPIC's pins are masked. */
	__asm__ volatile("sti");
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	do {
		prepare(3);
		__sync_synchronize();
		available.idx++;
		for (unsigned i = 0; i < 100000 && used.idx != available.idx; i++)
			__asm__ volatile("pause");
	} while (used.idx == available.idx);
}

int main(const struct start_info *info)
{
	int error;

	find(info, VIRTIO_ID_BLOCK);
	negotiate(UINT64_C(1) << VIRTIO_BLK_F_MQ);
	enable_queue(0, table, &available, &used);
	if (makes("kick-missing"))
		enable_queue(1, second_table, &second_available, &second_used);
	set(VIRTIO_MMIO_STATUS, 0xf);
	prepare(0);
	publish(0, 1);
	error = wait();
	if (error)
		return error;
	if (makes("ack-late"))
		acknowledge_late();
	else
		forget_kick();
	for (;;)
		continue; /* for an interrupt that will not come */
}
