/* SPDX-License-Identifier: BSD-2-Clause */
/* Drivers of the entropy device and the console; and of the entropy device with a packed queue. A
 * word on the command line names the mistake, which the device bears.
 *   run: --timeout 20 --check virtio -- none
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio -- rng-readable
 *   status: 0
 *   says: device 1, rng, queue 0: chain 0, 4 device-readable bytes: it has device-readable buffers, .* \(virtio 5\.4\.6\.1, rule rng-readable\), last kicked at .*\(request\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --rng host,rate=1 -- descriptor-changed
 *   status: 0
 *   says: queue 0: descriptor 1 at 0x[0-9a-f]+: changed while the device owned its chain \(virtio 3\.3\.1, rule descriptor-changed\)
 *
 *   run: --timeout 20 --check virtio --rng host,rate=1 -- data-changed
 *   status: 0
 *   says: rule rng-readable
 *   says: request of chain 0: the driver wrote to its buffer while the device owned it \(virtio 3\.3\.1, hint data-changed\)
 *   says: watched, 1 broken, 1 hint$
 *
 *   run: --timeout 20 --check virtio -- console-readable
 *   status: 0
 *   says: device 0, console, queue 0: chain 0, 4 device-readable bytes: a receive queue takes no device-readable buffers \(virtio 5\.3\.6\.1, rule console-readable\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio -- console-writable
 *   status: 0
 *   says: device 0, console, queue 1: chain 0, 16 device-writable bytes: a transmit queue takes no device-writable buffers \(virtio 5\.3\.6\.1, rule console-writable\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed-early
 *   engine: soft
 *   status: 0
 *   says: descriptor in slot 0: written after the flags that have the device look at it \(virtio 2\.8\.21\.1\.1, rule packed-early\), CPU 0 at .*\(packed_requests\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed-barrier
 *   engine: soft
 *   status: 0
 *   says: load of what the device says of kicks: no full barrier between a descriptor's flags and the look whether to kick \(virtio 2\.8\.21\.3\.1, rule packed-barrier\), CPU 0 at .*\(packed_requests\+0x
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed-id-twice
 *   status: 0
 *   says: device 1, rng, queue 0: id 5: two lists in flight have this buffer id \(virtio 2\.8\.6, rule id-twice\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed-event-flags
 *   status: 0
 *   says: flags 0x3 without EVENT_IDX: a mode of driver event suppression that is not defined \(virtio 2\.8\.10, rule event-flags\)
 *   says: watched, 1 broken$
 *
 *   run: --timeout 20 --check virtio --virtio packed=on -- packed-zero
 *   status: 0
 *   says: QueueReady 1, where slot 7 has the flags 0x8080: the memory was not zeroed before \(virtio 4\.2\.3\.2, rule queue-zero\)
 *   says: watched, 1 broken$
 */
#include "case_split.h"

static struct virtq_packed_desc ring[QUEUE_SIZE] __attribute__((aligned(16)));
static struct virtq_event driver_event, device_event;
static uint8_t buffers[2][16];

static void start(uint64_t features, uint32_t queue)
{
	negotiate(features);
	enable_queue(queue, table, &available, &used);
	set(VIRTIO_MMIO_STATUS, 0xf);
}

/* One chain of two buffers, with these flags. */
APART static void request(uint32_t queue, uint16_t first, uint16_t second)
{
	fill(0, buffers[0], 4, first, 1);
	fill(1, buffers[1], 16, second, 0);
	put(0, 0);
	publish(queue, 1);
}

static uint16_t flags_of(unsigned slot)
{
	return *(volatile uint16_t *)&ring[slot].flags;
}

APART static int packed_requests(void)
{
	/* The referee knows what comes between a store and a load if it is a few instructions. */
	const int is_early = makes("packed-early"), has_no_barrier = makes("packed-barrier");

	negotiate(UINT64_C(1) << VIRTIO_F_RING_PACKED);
	if (makes("packed-zero"))
		*(volatile uint16_t *)&ring[7].flags = 0x8080;
	enable_queue(0, ring, &driver_event, &device_event);
	set(VIRTIO_MMIO_STATUS, 0xf);
	if (makes("packed-event-flags"))
		*(volatile uint32_t *)&driver_event = 3u << 16;
	for (unsigned i = 0; i < 2; i++) {
		ring[i].addr = cpu_to_le64((uint32_t)buffers[i]);
		ring[i].len = cpu_to_le32(16);
		ring[i].id = cpu_to_le16(makes("packed-id-twice") ? 5 : i);
		__sync_synchronize();
		*(volatile uint16_t *)&ring[i].flags = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_WRITE;
		if (is_early)
			*(volatile uint32_t *)&ring[i].len = 16;
	}
	if (has_no_barrier)
		*(volatile uint32_t *)&device_event;
	__sync_synchronize();
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	while (!(flags_of(0) & VIRTQ_DESC_F_USED) || !(flags_of(1) & VIRTQ_DESC_F_USED))
		if (get(VIRTIO_MMIO_STATUS) != 0xf)
			return 1;
	return 0;
}

int main(const struct start_info *info)
{
	command_line = (const char *)info->cmdline;
	if (*command_line == 'c') {
		uint32_t queue = makes("console-writable");

		find(info, VIRTIO_ID_CONSOLE);
		start(0, queue);
		request(queue, 0, VIRTQ_DESC_F_WRITE);
		return queue ? wait() : 0;
	}
	find(info, VIRTIO_ID_ENTROPY);
	if (*command_line == 'p')
		return packed_requests();
	start(0, 0);
	request(0, VIRTQ_DESC_F_WRITE, VIRTQ_DESC_F_WRITE);
	if (wait())
		return 1;
	/* With KVM, the device may look at its queue at DRIVER_OK, and find a first request before
	 * its kick. It finds a second after the kick of the first. */
	if (makes("rng-readable")) {
		request(0, 0, VIRTQ_DESC_F_WRITE);
		return wait();
	}
	if (!makes("descriptor-changed") && !makes("data-changed"))
		return 0;
	/* The device has no bytes for this one until later. Whenever it takes the chain, it finds
	 * something else at the end. */
	request(0, makes("data-changed") ? 0 : VIRTQ_DESC_F_WRITE, VIRTQ_DESC_F_WRITE);
	for (uint16_t i = 1; *(volatile uint16_t *)&used.idx != available.idx; i++) {
		if (makes("descriptor-changed"))
			*(volatile uint16_t *)&table[1].next = i;
		else
			*(volatile uint16_t *)buffers[0] = i;
	}
	return wait();
}
