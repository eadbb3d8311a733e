/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of a disk sets it up and reads a sector. The device bears each of the mistakes that a
 * word on the command line names; the referee does not.
 *   run: --timeout 20 --check virtio -d %disk% -- none
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *   says not: \(virtio
 *
 *   run: --timeout 20 --check virtio -d %disk% -- identify
 *   status: 0
 *   says: device 2, block: Status 0x1: MagicValue, Version and DeviceID were not read before \(virtio 4\.2\.3\.1\.1, rule identify\), CPU 0 at 0x[0-9a-f]{8} \(negotiate_here\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- reset-first
 *   status: 0
 *   says: device 2, block: Status 0x1: the device was not reset before \(virtio 3\.1\.1, rule reset-first\), CPU 0 at .*\(negotiate_here\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- status-order
 *   status: 0
 *   says: Status 0x2: an earlier step is missing \(virtio 3\.1\.1, rule status-order\), .*\(negotiate_here\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- features-select
 *   status: 0
 *   says: DeviceFeatures was read: its selector was not written since the reset \(virtio 4\.2\.2\.2, rule features-select\), .*\(negotiate_here\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- features-read
 *   status: 0
 *   says: features 0x1 of word 1: accepted without having read what is offered \(virtio 3\.1\.1, rule features-read\), .*\(negotiate_here\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- features-read-back
 *   status: 0
 *   says: QueueSel 0: Status was not read since FEATURES_OK was written \(virtio 3\.1\.1, rule features-read-back\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- features-read-back
 *   status: 123
 *   says: rule features-read-back
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- config-generation
 *   status: 0
 *   says: a field of 64 bits was read in two halves, at 0x[0-9a-f]{8} \(capacity\+0x[0-9a-f]+\): ConfigGeneration was not read before and after \(virtio 2\.5\.1, rule config-generation\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- config-width
 *   status: 0
 *   says: read of 1 byte at 0x14 of configuration space, where a field of 4 is: not the width of the field \(virtio 4\.2\.2\.2, rule config-width\), .*\(capacity\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- config-field
 *   status: 0
 *   says: read of 2 bytes at 0x10 of configuration space: the feature that this field belongs to is not offered \(virtio 2\.5\.1, rule config-field\), .*\(capacity\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-size-max
 *   status: 0
 *   says: device 2, block, queue 0: QueueReady 1: QueueSizeMax was not read before \(virtio 4\.2\.3\.2, rule queue-size-max\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-in-use
 *   status: 0
 *   says: QueueReady 1: QueueReady was not read before \(virtio 4\.2\.3\.2, rule queue-in-use\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-address
 *   status: 0
 *   says: QueueReady 1: not all halves of its three addresses were written before \(virtio 4\.2\.3\.2, rule queue-address\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-areas
 *   status: 1
 *   says: queue 0: [a-z ]+ at 0x[0-9a-f]+, used ring of queue 0 at 0x[0-9a-f]+: areas of queues overlap \(virtio 2\.6, rule queue-areas\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-zero
 *   status: 1
 *   says: QueueReady 1, where the used ring's index is 5 and its flags are 0: the memory was not zeroed before \(virtio 4\.2\.3\.2, rule queue-zero\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-late
 *   status: 0
 *   says: QueueReady 1 after DRIVER_OK: queues are set up before DRIVER_OK \(virtio 3\.1\.1, rule queue-late\), .*\(place_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-stop
 *   status: 0
 *   says: QueueSize 0x8: QueueReady was not read since 0 was written to it \(virtio 4\.2\.2\.2, rule queue-stop\), .*\(stop_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- queue-reset
 *   status: 0
 *   says: QueueSize 0x8: QueueReset was not read since 1 was written to it \(virtio 4\.2\.2\.2, rule queue-reset\), .*\(stop_queue\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- ack-unread
 *   status: 0
 *   says: InterruptACK 0x1: InterruptStatus was not read since the last acknowledgement \(virtio 4\.2\.3\.4\.1, rule ack-unread\), .*\(acknowledge\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- ack-unseen
 *   status: 0
 *   says: InterruptACK 0x3 with 0x2: InterruptStatus did not show this .* \(virtio 4\.2\.3\.4\.1, rule ack-unseen\), .*\(acknowledge\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- not-ready
 *   status: 1
 *   says: QueueNotify 0: dropped, because QueueReady of the queue is 0 \(virtio 4\.2\.3\.2\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- not-ready
 *   status: 123
 *   says: QueueNotify 0: dropped
 *   says: watched, 1 broken$
 */
#include <vole/virtio_blk.h>

#include "case_split.h"

static struct virtio_blk_req header;
static uint8_t sector[512], status;

APART static void negotiate_here(void)
{
	uint32_t word;

	if (!makes("reset-first"))
		set(VIRTIO_MMIO_STATUS, 0);
	if (makes("status-order"))
		set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_DRIVER);
	else
		set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	set(VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (word = makes("features-read"); word < 2; word++) {
		if (!makes("features-select"))
			set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, !word);
		get(VIRTIO_MMIO_DEVICE_FEATURES);
		if (makes("features-select"))
			set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, !word);
	}
	if (makes("features-select"))
		get(VIRTIO_MMIO_DEVICE_FEATURES);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	/* VERSION_1, and RING_RESET for the mistake that needs it. */
	set(VIRTIO_MMIO_DRIVER_FEATURES, makes("queue-reset") ? 0x101 : 1);
	set(VIRTIO_MMIO_STATUS, 0xb);
	if (!makes("features-read-back"))
		get(VIRTIO_MMIO_STATUS);
}

APART static void capacity(void)
{
	uint32_t before;

	if (makes("config-width"))
		*(volatile uint8_t *)(device + VIRTIO_MMIO_CONFIG + 20);
	if (makes("config-field"))
		*(volatile uint16_t *)(device + VIRTIO_MMIO_CONFIG + 16);
	do {
		before = makes("config-generation") ? 0 : get(VIRTIO_MMIO_CONFIG_GENERATION);
		get(VIRTIO_MMIO_CONFIG);
		get(VIRTIO_MMIO_CONFIG + 4);
	} while (!makes("config-generation") && get(VIRTIO_MMIO_CONFIG_GENERATION) != before);
}

APART static void place_queue(void)
{
	void *ring = makes("queue-areas") ? (void *)&available : (void *)&used;

	used.idx = makes("queue-zero") ? 5 : 0;
	set(VIRTIO_MMIO_QUEUE_SEL, 0);
	if (!makes("queue-in-use"))
		get(VIRTIO_MMIO_QUEUE_READY);
	if (!makes("queue-size-max"))
		get(VIRTIO_MMIO_QUEUE_SIZE_MAX);
	set(VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)table);
	set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DRIVER_LOW, (uint32_t)&available);
	set(VIRTIO_MMIO_QUEUE_DRIVER_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_DEVICE_LOW, (uint32_t)ring);
	if (!makes("queue-address"))
		set(VIRTIO_MMIO_QUEUE_DEVICE_HIGH, 0);
	if (!makes("not-ready"))
		set(VIRTIO_MMIO_QUEUE_READY, 1);
}

APART static void stop_queue(void)
{
	if (makes("queue-reset"))
		set(VIRTIO_MMIO_QUEUE_RESET, 1);
	else
		set(VIRTIO_MMIO_QUEUE_READY, 0);
	if (!makes("queue-stop") && !makes("queue-reset"))
		get(VIRTIO_MMIO_QUEUE_READY);
	set(VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
}

APART static void acknowledge(void)
{
	/* The used ring is seen before the interrupt. */
	while (!makes("ack-unread") && !get(VIRTIO_MMIO_INTERRUPT_STATUS))
		;
	set(VIRTIO_MMIO_INTERRUPT_ACK, makes("ack-unseen") ? 3 : 1);
}

int main(const struct start_info *info)
{
	command_line = (const char *)info->cmdline;
	if (makes("identify"))
		device = ((const struct device_map_entry *)info->dev_entries)[2].base_addr;
	else
		find(info, VIRTIO_ID_BLOCK);
	negotiate_here();
	if (makes("queue-late"))
		set(VIRTIO_MMIO_STATUS, 0xf);
	place_queue();
	capacity();
	if (makes("queue-areas") || makes("queue-zero"))
		return 1; /* the answer could not be told */
	set(VIRTIO_MMIO_STATUS, 0xf);

	header.type = cpu_to_le32(VIRTIO_BLK_T_IN);
	fill(0, &header, sizeof header, 0, 1);
	fill(1, sector, sizeof sector, VIRTQ_DESC_F_WRITE, 2);
	fill(2, &status, 1, VIRTQ_DESC_F_WRITE, 0);
	put(0, 0);
	publish(0, 1);
	if (makes("not-ready"))
		return 1;
	if (wait())
		return 2;
	acknowledge();
	stop_queue();
	return status;
}
