/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of a disk reads two sectors, one after the other. The device bears each of the mistakes
 * that a word on the command line names; the referee does not. What a CPU stores and loads, and in
 * which order, the software CPU alone shows. With KVM the time at which the device looks is left to
 * chance, so the software CPU executes those that make a mistake.
 *
 *   run: --timeout 20 --check virtio -d %disk% -- none
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- index-back
 *   engine: soft
 *   status: 0
 *   says: device 2, block, queue 0: available index 0 after 1: the available index goes back \(virtio 2\.7\.6\.1, rule index-back\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- available-flags
 *   engine: soft
 *   status: 0
 *   says: device 2, block, queue 0: flags 0x2: flags of the available ring that are not defined \(virtio 2\.7\.7\.1, rule available-flags\), CPU 0 at 0x[0-9a-f]{8} \((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- available-flags-event-idx
 *   engine: soft
 *   status: 0
 *   says: queue 0: flags 0x1 with EVENT_IDX: flags of the available ring that are not defined \(virtio 2\.7\.7\.1, rule available-flags\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- event-idx
 *   engine: soft
 *   status: 0
 *   says: used_event 1: used_event was written, but EVENT_IDX was not accepted, so no device looks there \(virtio 2\.7\.6, hint event-idx\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 0 broken, 1 hint$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- used-index
 *   engine: soft
 *   status: 3
 *   says: (?:the used ring's index is 0, where the device has stored 1|store of 2 bytes at \+0x2): the driver has written to the used ring \(virtio 2\.7\.8, rule used-ring\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- used-element
 *   engine: soft
 *   status: 0
 *   says: (?:element 0 of the used ring|store of 4 bytes at \+0x8): the driver has written to the used ring \(virtio 2\.7\.8, rule used-ring\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- published-early
 *   engine: soft
 *   status: 0
 *   says: descriptor 1: written after the available index that has the device look at it \(virtio 2\.7\.13\.3\.1, rule published-early\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- published-early-entry
 *   engine: soft
 *   status: 0
 *   says: entry 0 of the available ring: written after the available index that has the device look at it \(virtio 2\.7\.13\.3\.1, rule published-early\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- kick-barrier
 *   engine: soft
 *   status: 0
 *   says: load of what the device says of kicks: no full barrier between the available index and the look whether to kick \(virtio 2\.7\.13\.4\.1, rule kick-barrier\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- with-barrier
 *   engine: soft
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio --virtio in-order=on -d %disk% -- in-order
 *   engine: soft
 *   status: 0
 *   says: descriptor 4 comes after 0: with IN_ORDER, descriptors of a chain follow each other in the table \(virtio 2\.7\.5\.2, rule in-order\), last kicked at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- head-twice
 *   engine: soft
 *   status: 0
 *   says: descriptor 0: made available again, while the device owns it \(virtio 2\.7\.13\.1, rule head-twice\), last kicked at .*\(main\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- descriptor-twice
 *   engine: soft
 *   status: 0
 *   says: descriptor 2, of the chains from 0 and 3: part of two chains that the device owns \(virtio 2\.7\.13\.1, rule descriptor-twice\)
 *   says: watched, 1 broken$
 *
 * This seed has the disk give back its first request later than at the kick that has it taken.
 *   run: --timeout 20 --clock virtual --chaos 2 --check virtio -d %disk% -- header-changed
 *   engine: soft
 *   status: 0
 *   says: queue 0: request of chain 0: its header was changed while the device owned it \(virtio 3\.3\.1, rule header-changed\), last kicked at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- buffer-overlap
 *   engine: soft
 *   status: 0
 *   says: chain 3: buffer of 1 byte at 0x[0-9a-f]+: it overlaps another one that the device owns \(virtio 2\.7\.13, rule buffer-overlap\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- buffer-overlap-own
 *   engine: soft
 *   status: 0
 *   says: chain 0: buffer of 512 bytes at 0x[0-9a-f]+, within the chain: it overlaps another one that the device owns \(virtio 2\.7\.13, rule buffer-overlap\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- buffer-in-ring
 *   engine: soft
 *   status: 0
 *   says: chain 0: buffer of 1 byte at 0x[0-9a-f]+: the device would write into the areas of a queue \(virtio 2\.7\.13, rule buffer-in-ring\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- block-flush
 *   engine: soft
 *   status: 0
 *   says: flush with sector 1: sector is 0 in a flush \(virtio 5\.2\.6\.1, rule block-flush\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- block-id
 *   engine: soft
 *   status: 0
 *   says: request for the serial number with 512 bytes for it: a serial number takes 20 bytes \(virtio 5\.2\.6\.1, rule block-id\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio notification-data=on -d %disk% -- kick-data
 *   engine: soft
 *   status: 0
 *   says: QueueNotify 0x70000: with NOTIFICATION_DATA, a kick says how far the driver is \(virtio 2\.9, rule kick-data\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- kick-unasked
 *   engine: soft
 *   status: 0
 *   says: \d+ of \d+ kicks: most kicks tell of nothing new, or were not asked for \(virtio 2\.7\.10\.1, hint kick-unasked\), CPU 0 at .*\((?:request|publish)\+0x
 *   says: watched, 0 broken, 1 hint$
 *
 *   run: --timeout 20 --check virtio -d %disk% -- malformed
 *   engine: soft
 *   status: 1
 *   says: queue 0: chain from descriptor 0 loops \(virtio 2\.7\.5\.2\)
 *   says: watched, 1 broken$
 */
#include <vole/virtio_blk.h>

#include "case_split.h"

static struct virtio_blk_req headers[2];
static uint8_t sectors[2][512], statuses[2];

/* The features that mistakes need, or would be allowed with. */
static uint64_t features(void)
{
	uint64_t wanted = UINT64_C(1) << VIRTIO_BLK_F_FLUSH;

	if (makes("in-order"))
		wanted |= UINT64_C(1) << VIRTIO_F_IN_ORDER;
	if (makes("kick-data"))
		wanted |= UINT64_C(1) << VIRTIO_F_NOTIFICATION_DATA;
	if (makes("available-flags-event-idx"))
		wanted |= UINT64_C(1) << VIRTIO_F_EVENT_IDX;
	return wanted;
}

/* Fills the three descriptors of a request from head on. */
static void prepare(unsigned request, uint16_t head)
{
	uint8_t *status = &statuses[makes("buffer-overlap") ? 0 : request];
	uint8_t *sector = sectors[request];
	uint32_t type = VIRTIO_BLK_T_IN;

	if (makes("buffer-overlap-own"))
		status = sector + 511;
	if (makes("buffer-in-ring"))
		status = (uint8_t *)&available.ring[7];
	if (makes("block-flush"))
		type = VIRTIO_BLK_T_FLUSH;
	if (makes("block-id"))
		type = VIRTIO_BLK_T_GET_ID;
	headers[request] = (struct virtio_blk_req){
		.type = cpu_to_le32(type), .sector = cpu_to_le64(makes("block-flush"))};
	fill(head, &headers[request], sizeof headers[request], 0, head + 1);
	fill(head + 1, sector, 512, VIRTQ_DESC_F_WRITE, head + 2);
	fill(head + 2, status, 1, VIRTQ_DESC_F_WRITE, 0);
	if (makes("block-flush"))
		fill(head, &headers[request], sizeof headers[request], 0, head + 2);
}

/* Makes the two requests available together. */
static int both(void)
{
	prepare(0, 0);
	prepare(1, 3);
	if (makes("descriptor-twice"))
		fill(4, sectors[1], 512, VIRTQ_DESC_F_WRITE, 2);
	put(0, 0);
	put(1, makes("head-twice") ? 0 : 3);
	publish(0, 2);
	return wait();
}

APART static int request(unsigned number)
{
	if (makes("available-flags"))
		available.flags = 2;
	if (makes("available-flags-event-idx"))
		available.flags = 1;
	if (makes("event-idx"))
		available.used_event = 1;
	if (makes("used-index") && number == 1)
		used.idx = 0;
	if (makes("used-element") && number == 1)
		used.ring[0].len = cpu_to_le32(7);
	prepare(number, 0);
	if (makes("in-order")) {
		fill(0, &headers[number], sizeof headers[number], 0, 4);
		fill(4, sectors[number], 512, VIRTQ_DESC_F_WRITE, 5);
		fill(5, &statuses[number], 1, VIRTQ_DESC_F_WRITE, 0);
	}
	if (makes("malformed"))
		table[0].next = cpu_to_le16(0);
	if (!makes("published-early-entry"))
		put(0, 0);
	if (makes("published-early") || makes("published-early-entry")) {
		available.idx++;
		if (makes("published-early"))
			fill(1, sectors[number], 512, VIRTQ_DESC_F_WRITE, 2);
		else
			*(volatile uint16_t *)&available.ring[number] = 0;
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	} else if (makes("with-barrier")) {
		available.idx++;
		__sync_synchronize();
		if (!(*(volatile uint16_t *)&used.flags & VIRTQ_USED_F_NO_NOTIFY))
			set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	} else if (makes("kick-barrier")) {
		/* A compiler may put a store that is not volatile behind the load. */
		++*(volatile uint16_t *)&available.idx;
		if (!(*(volatile uint16_t *)&used.flags & VIRTQ_USED_F_NO_NOTIFY))
			set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	} else if (makes("kick-data")) {
		available.idx++;
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0x70000);
	} else {
		publish(0, 1);
	}
	/* The driver takes the header for its next request already. */
	if (makes("header-changed"))
		((volatile struct virtio_blk_req *)&headers[number])->sector = cpu_to_le64(1);
	for (unsigned i = 0; makes("kick-unasked") && i < 40; i++)
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	if (makes("used-index") && number == 1)
		return 3;
	return wait();
}

int main(const struct start_info *info)
{
	int error;

	find(info, VIRTIO_ID_BLOCK);
	negotiate(features());
	if (makes("index-back")) {
		prepare(0, 0);
		available.idx = 1;
	}
	enable_queue(0, table, &available, &used);
	if (makes("index-back"))
		available.idx = 0;
	set(VIRTIO_MMIO_STATUS, 0xf);
	if (makes("index-back"))
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	if (makes("head-twice") || makes("descriptor-twice") || makes("buffer-overlap"))
		return both();
	error = request(0);
	return error ? error : request(1);
}
