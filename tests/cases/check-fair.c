/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that is right, though not as drivers usually are: the referee has nothing to say of it.
 * The word of the command line names what is unusual. With "saved-N" it asks to be saved at the Nth
 * place, which tests/clone.t does.
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- generation
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- lidt
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- invlpg
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- wbinvd
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- wrmsr
 *   engine: soft
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 *
 *   run: --timeout 20 --check virtio,fatal -d %disk% -- debug-register
 *   engine: soft
 *   status: 0
 *   says: ^vole: virtio: \d+ rules watched, 0 broken\n$
 */
#include <vole/virtio_blk.h>

#include "case_split.h"

#define MSR_APIC_BASE 0x1b

static struct virtio_blk_req header;
static uint8_t sector[512], status;

/* Asks to be saved at this place, if the command line says so. */
static void place(char number)
{
	const char word[] = {'s', 'a', 'v', 'e', 'd', '-', number, 0};

	if (makes(word))
		__asm__ volatile("outl %0, %1" : : "a"(0), "Nd"((uint16_t)VOLE_PORT_CHECKPOINT));
}

/* Executes an instruction that serialises (SDM volume 3, 9.3), where most drivers have MFENCE. */
static void order(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idt;

	if (makes("lidt"))
		__asm__ volatile("sidt %0; lidt %0" : "+m"(idt) : : "memory");
	else if (makes("invlpg"))
		__asm__ volatile("invlpg sector" : : : "memory");
	else if (makes("wbinvd"))
		__asm__ volatile("wbinvd" : : : "memory");
	else if (makes("wrmsr"))
		__asm__ volatile("rdmsr; wrmsr" : : "c"(MSR_APIC_BASE) : "eax", "edx", "memory");
	else if (makes("debug-register"))
		__asm__ volatile("mov %0, %%dr0" : : "r"(0) : "memory");
	else
		__sync_synchronize();
}

/* Makes a request available, and kicks if the device wants it. */
static void submit(void)
{
	header = (struct virtio_blk_req){.type = cpu_to_le32(VIRTIO_BLK_T_IN)};
	fill(0, &header, sizeof header, 0, 1);
	fill(1, sector, sizeof sector, VIRTQ_DESC_F_WRITE, 2);
	fill(2, &status, sizeof status, VIRTQ_DESC_F_WRITE, 0);
	put(0, 0);
	__asm__ volatile("" : : : "memory");
	available.idx++;
	order();
	if (!(*(volatile uint16_t *)&used.flags & VIRTQ_USED_F_NO_NOTIFY))
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

/* Another part of the kernel submits a request meanwhile: the handler of an interrupt, say. */
static void read_capacity(void)
{
	uint32_t before;

	do {
		before = get(VIRTIO_MMIO_CONFIG_GENERATION);
		if (makes("generation"))
			submit();
		get(VIRTIO_MMIO_CONFIG);
		place('3');
		get(VIRTIO_MMIO_CONFIG + 4);
	} while (get(VIRTIO_MMIO_CONFIG_GENERATION) != before);
}

static int request(void)
{
	uint32_t interrupts;

	submit();
	place('6');
	if (wait())
		return 1;
	interrupts = get(VIRTIO_MMIO_INTERRUPT_STATUS);
	place('7');
	if (interrupts)
		set(VIRTIO_MMIO_INTERRUPT_ACK, interrupts);
	return status;
}

int main(const struct start_info *info)
{
	find(info, VIRTIO_ID_BLOCK);
	place('1');
	negotiate(0);
	place('2');
	enable_queue(0, table, &available, &used);
	place('4');
	set(VIRTIO_MMIO_STATUS, 0xf);
	place('5');
	read_capacity();
	return wait() || request() || request();
}
