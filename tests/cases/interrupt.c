/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver asks the entropy device for bytes twice and sleeps until it is interrupted. A word on
 * the command line names the mistake that it makes, for which it sleeps for ever.
 *   run: --timeout 20 -- none
 *   status: 0
 *   says nothing
 *
 * (Some hosts' KVM ends the service of an interrupt itself.)
 *   run: --timeout 2 -- no-eoi
 *   engine: soft
 *   status: 124
 *   says: CPU 0 halted, interrupts on, at 0x[0-9a-f]{8} \(wait_for\+0x[0-9a-f]+\), .*called from main\+0x[0-9a-f]+; vector 0x40 \(pin 2, rng\) in service, without an EOI so far
 *   says: vector 0x40 \(pin 2, rng\) pending behind it
 *
 *   run: --timeout 2 -- masked
 *   status: 124
 *   says: CPU 0 halted, interrupts on, at .*\(wait_for\+0x
 *   says: nothing can interrupt it
 *   says: pin 2 \(rng\) is masked; 1 edge was lost
 *
 *   run: --timeout 2 -- vector-5
 *   status: 124
 *   says: CPU 0 halted, interrupts on, at .*\(wait_for\+0x
 *   says: pin 2 \(rng\) has vector 0x05, below 0x10: .*; 1 edge was lost
 *
 *   run: --timeout 2 -- local-apic-7
 *   status: 124
 *   says: pin 2 \(rng\) interrupts local APIC 7 \(physical destination\), which no CPU has
 *
 *   run: --timeout 2 -- local-apic-off
 *   status: 124
 *   says: CPU 0: its local APIC is off \(spurious-interrupt vector register, bit 8; Intel SDM 3, 11\.9\)
 *
 *   run: --timeout 20 -- no-table
 *   status: 126
 *   says: guest crashed: interrupt 0x40 without a handler on CPU 0 at 0x[0-9a-f]{8}
 *   says: it came from pin 2 \(rng\)
 *   says: the kernel has loaded no interrupt table of its own \(LIDT\)
 *
 *   run: --timeout 20 -- no-gate
 *   engine: soft
 *   status: 126
 *   says: guest crashed: interrupt 0x40 on CPU 0 at 0x[0-9a-f]{8} \(.*\) could not be delivered: gate 0x40 is empty
 *   says: it came from pin 2 \(rng\)
 *   says: triple fault: its delivery raised general protection \(13\), error code 0x203: gate 0x40, then general protection \(13\), error code 0x6b: gate 13, then
 *
 *   run: --timeout 20 -- nmi
 *   engine: soft
 *   status: 126
 *   says: guest crashed: non-maskable interrupt \(2\) on CPU 0 at 0x[0-9a-f]{8} \(.*\) could not be delivered: gate 2 is empty
 *   says: it came from pin 2 \(rng\)
 *
 *   run: --timeout 2 -- not-notified
 *   status: 124
 *   says: CPU 0 halted, interrupts on, at .*\(wait_for\+0x
 *   says: device 1, rng, queue 0: 1 chain is available and was not notified \(virtio 2\.7\.13\.4\.1\)
 *
 *   run: --timeout 2 -- rings-exchanged
 *   status: 124
 *   says: queue 0: nothing was ever made available: the available ring's index at 0x[0-9a-f]{8} is 0
 *   says: queue 0: the used ring's index at 0x[0-9a-f]{8} is 1, but the device has stored 0: .* exchanged \(virtio 4\.2\.2\)
 *
 *   run: --timeout 2 -- no-driver-ok
 *   status: 124
 *   says: device 1, rng: Status 0x0b \(ACKNOWLEDGE, DRIVER, FEATURES_OK\): DRIVER_OK is missing
 *
 *   run: --timeout 2 -- acknowledges-late
 *   status: 124
 *   says: device 1, rng: the acknowledgement took away a notification
 *
 *   run: --timeout 2 -- asks-for-none
 *   status: 124
 *   says: device 1, rng, queue 0: the last chain was given back without an interrupt: the available ring's flags are 1 \(virtio 2\.7\.7\)
 *
 *   run: --timeout 2 -- used-event-stays
 *   status: 124
 *   says: device 1, rng, queue 0: the last chain was given back without an interrupt: used_event is 0 \(virtio 2\.7\.7\)
 *   says: queue 0 of 8: available 2, taken 2, used 2
 *
 *   run: --timeout 20 -- interrupts-off
 *   status: 126
 *   says: guest crashed: CPU 0 has halted with interrupts off, at 0x[0-9a-f]{8} \(wait_for\+0x
 *   says: CPU 0 halted with interrupts off at .*; vector 0x40 \(pin 2, rng\) pending, but interrupts are off
 *
 *   run: --timeout 60 --rng file=/dev/urandom,rate=1 -- halts-late
 *   status: 126
 *   says: guest crashed: CPU 0 has halted with interrupts off, at 0x[0-9a-f]{8} \(main\+0x
 *
 *   run: --timeout 2 -- loops
 *   status: 124
 *   says: CPU 0 running, interrupts off, at 0x[0-9a-f]{8} \((?:makes|wait_for)\+0x
 *   says not: nothing can interrupt
 */
#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

#include "case_virtio.h"

/* Handlers may call functions: there are no registers but general ones (-mgeneral-regs-only). */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winterrupt-service-routine"
#endif

#define ENTROPY 4
#define VECTOR  0x40
#define EOI     0xb0 /* registers of the local APIC */
#define SVR     0xf0
#define TIMER   0x320 /* entry of the local vector table, initial count, divider */
#define COUNT   0x380
#define DIVIDER 0x3e0

#define DELIVERY_NMI 0x400 /* in the low half of a redirection entry */

struct gate {
	uint16_t low, selector, type, high;
};

struct frame;

static struct gate idt[256] __attribute__((aligned(8)));
static struct virtq_desc table[QUEUE_SIZE] __attribute__((aligned(16)));
static struct available_ring available __attribute__((aligned(4)));
static struct used_ring used __attribute__((aligned(4)));
static uint8_t buffer[16];

static uint32_t device, pin, local_apic, ioapic;
static volatile unsigned interrupts;

/* Asks for bytes: the second request is the one of which the device is not told. */
static void ask(void)
{
	available.ring[available.idx % QUEUE_SIZE] = 0;
	__sync_synchronize();
	available.idx++;
	__sync_synchronize();
	if (available.idx < 2 || !makes("not-notified"))
		write32(device + VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

__attribute__((interrupt)) static void on_interrupt(struct frame *frame)
{
	uint32_t status = read32(device + VIRTIO_MMIO_INTERRUPT_STATUS);

	(void)frame;
	if (status != 0 && makes("acknowledges-late")) {
		ask();
		while (used.idx < 2)
			;
	}
	write32(device + VIRTIO_MMIO_INTERRUPT_ACK, status);
	if (status != 0)
		interrupts++;
	if (!makes("no-eoi"))
		write32(local_apic + EOI, 0);
}

/* Sleeps until there were so many interrupts. */
APART static void wait_for(unsigned count)
{
	__asm__ volatile("cli");
	while (interrupts < count) {
		if (makes("loops"))
			continue;
		if (makes("interrupts-off"))
			__asm__ volatile("hlt");
		else
			__asm__ volatile("sti; hlt; cli");
	}
}

static void set_up_interrupts(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};
	uint32_t handler = (uint32_t)on_interrupt;
	uint16_t selector;
	uint32_t entry = makes("vector-5") ? 5 : VECTOR;

	__asm__ volatile("mov %%cs, %0" : "=r"(selector));
	if (makes("nmi"))
		entry |= DELIVERY_NMI;
	if (!makes("no-gate"))
		idt[VECTOR] = (struct gate){
			(uint16_t)handler, selector, 0x8e00, (uint16_t)(handler >> 16)};
	if (!makes("no-table"))
		__asm__ volatile("lidt %0" : : "m"(idtr));
	if (!makes("local-apic-off"))
		write32(local_apic + SVR, 0x1ff);
	write32(ioapic, 0x11 + 2 * pin); /* the pin's redirection entry, high half */
	write32(ioapic + 0x10, makes("local-apic-7") ? 7 << 24 : 0);
	write32(ioapic, 0x10 + 2 * pin);
	if (!makes("masked"))
		write32(ioapic + 0x10, entry);
}

/* A timer that interrupts after hours. */
static void start_long_timer(void)
{
	write32(local_apic + DIVIDER, 0xa); /* by 128 */
	write32(local_apic + TIMER, VECTOR + 1);
	write32(local_apic + COUNT, UINT32_MAX);
}

static void set_up_device(void)
{
	int exchanged = makes("rings-exchanged");

	write32(device + VIRTIO_MMIO_STATUS, 0);
	write32(device + VIRTIO_MMIO_STATUS, 1);
	write32(device + VIRTIO_MMIO_STATUS, 3);
	if (makes("used-event-stays"))
		write32(device + VIRTIO_MMIO_DRIVER_FEATURES, 1u << VIRTIO_F_EVENT_IDX);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write32(device + VIRTIO_MMIO_DRIVER_FEATURES, 1);
	write32(device + VIRTIO_MMIO_STATUS, 0xb);
	write32(device + VIRTIO_MMIO_QUEUE_SEL, 0);
	write32(device + VIRTIO_MMIO_QUEUE_SIZE, QUEUE_SIZE);
	write32(device + VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)table);
	write32(device + VIRTIO_MMIO_QUEUE_DRIVER_LOW,
		exchanged ? (uint32_t)&used : (uint32_t)&available);
	write32(device + VIRTIO_MMIO_QUEUE_DEVICE_LOW,
		exchanged ? (uint32_t)&available : (uint32_t)&used);
	write32(device + VIRTIO_MMIO_QUEUE_READY, 1);
	if (!makes("no-driver-ok"))
		write32(device + VIRTIO_MMIO_STATUS, 0xf);
}

int main(const struct start_info *info)
{
	const struct device_map_entry *entries = (const void *)info->dev_entries;

	command_line = (const char *)info->cmdline;
	local_apic = info->apic_base;
	ioapic = info->ioapic_base;
	for (uint32_t i = 0; i < info->dev_size; i++) {
		if (read32(entries[i].base_addr + VIRTIO_MMIO_DEVICE_ID) != ENTROPY)
			continue;
		device = entries[i].base_addr;
		pin = entries[i].interrupt_num;
	}
	table[0] = (struct virtq_desc){cpu_to_le64((uint32_t)buffer), cpu_to_le32(sizeof buffer),
		cpu_to_le16(VIRTQ_DESC_F_WRITE), cpu_to_le16(0)};
	if (makes("asks-for-none"))
		available.flags = VIRTQ_AVAIL_F_NO_INTERRUPT;
	set_up_interrupts();
	set_up_device();
	if (makes("halts-late"))
		start_long_timer();
	ask();
	wait_for(1);
	if (!makes("acknowledges-late"))
		ask();
	wait_for(2);
	if (makes("halts-late"))
		__asm__ volatile("cli; hlt");
	return 0;
}
