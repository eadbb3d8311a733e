/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 6: reads the first 20 sectors one after the other. The interrupt handler takes a sector and
 * asks for the next one; meanwhile the CPU sleeps. */

#include "interrupt.h"

#define SECTORS 20

static struct request request;
static volatile unsigned sectors_read;

PART void ask(void)
{
	uint16_t old = made_available;

	prepare_read(&request, sectors_read, 0);
	publish(0);
	notify(old);
}

/* Takes what the device has used, and asks for the next sector. */
PART void look(void)
{
	struct virtq_used_elem element;
	bool is_new = false;

	while (take_used(&element)) {
		if (!was_read(&request, element))
			fail("A sector was not read.");
		sectors_read++;
		is_new = true;
	}
	if (is_new && sectors_read < SECTORS)
		ask();
}

__attribute__((interrupt)) static void on_interrupt(struct frame *frame)
{
	uint32_t reasons = get(VIRTIO_MMIO_INTERRUPT_STATUS);

	(void)frame;
#if MISTAKE == 6
	if (reasons & VIRTIO_MMIO_INT_VRING)
		look();
	set(VIRTIO_MMIO_INTERRUPT_ACK, reasons);
#else
	set(VIRTIO_MMIO_INTERRUPT_ACK, reasons);
	if (reasons & VIRTIO_MMIO_INT_VRING)
		look();
#endif
	end_of_interrupt();
}

/* Sleeps until all sectors are read. Interrupts are off between the look at sectors_read and hlt:
 * sti takes effect after the instruction that follows it. */
PART void sleep_until_read(void)
{
	while (sectors_read < SECTORS)
		__asm__ volatile("sti; hlt; cli");
}

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	route_interrupt(info, on_interrupt);
	start_device(0);
	start_queue();
	ask();
	sleep_until_read();
	print_number(sectors_read);
	print(" sectors are read.\n");
	return 0;
}
