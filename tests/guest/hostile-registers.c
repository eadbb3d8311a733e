/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that lies in its registers: queues changed while they are live, games with the status,
 * kicks too early and to nowhere, resets under way, every offset in every width. Each attack on
 * each device, split and packed. Then hostile.h has its proof. Prints the number of attacks. Exit
 * status 0.
 */

#include "hostile-registers.h"
#include "memory.h"

/* --- changed while live ----------------------------------------------------------------------- */

static void live_size(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, UINT32_MAX);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, 1);
}

static void live_addresses(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	for (unsigned offset = VIRTIO_MMIO_QUEUE_DESC_LOW; offset <= VIRTIO_MMIO_QUEUE_DEVICE_HIGH;
		offset += 4)
		mmio_write(dev, offset, UINT32_MAX);
}

static void live_ready(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 2);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, UINT32_MAX - 1);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 2);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 0);
}

static void live_features(void)
{
	for (uint32_t word = 0; word < 3; word++) {
		mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		mmio_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	}
}

static void selectors(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, UINT32_MAX);
	mmio_write(dev, VIRTIO_MMIO_SHM_SEL, UINT32_MAX);
	mmio_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, UINT32_MAX);
	check(mmio_read(dev, VIRTIO_MMIO_DEVICE_FEATURES) == 0, "no such word of features");
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, UINT32_C(1) << 31);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 1);
	check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "HARD-15 no such queue");
}

static void acknowledgements(void)
{
	mmio_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, UINT32_MAX);
	mmio_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 0);
}

/* --- kicks ------------------------------------------------------------------------------------ */

static void kicks_to_nowhere(void)
{
	static const uint32_t queues[] = {2, 3, 64, 0xffff, 0x10000, 0x80000000, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, queues[i]);
}

static void kicks_for_nothing(void)
{
	for (unsigned i = 0; i < 200; i++)
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, i % 2);
}

/* Of queues that are not set up, then of one that is, with a buffer in it. */
static void kicks_too_early(void)
{
	static uint8_t byte;
	struct virtq_buffer writable = {&byte, 1};

	kicks_for_nothing();
	check(virtq_setup(vq, dev, 0) == 0, "%s: a queue", victim->name);
	virtq_add(vq, &writable, 0, 1, &byte);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	timer_delay(1000);
	check(!virtq_pending(vq), "BASE-DEV-01 %s: nothing is taken before DRIVER_OK",
		victim->name);
}

static void kicks_after_failed(void)
{
	static uint8_t byte;
	struct virtq_buffer writable = {&byte, 1};

	mmio_give_up(dev);
	virtq_add(vq, &writable, 0, 1, &byte);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	timer_delay(1000);
	check(!virtq_pending(vq), "%s: nothing is taken after FAILED", victim->name);
}

static void kicks_of_a_stopped_queue(void)
{
	static uint8_t byte;
	struct virtq_buffer writable = {&byte, 1};

	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	virtq_add(vq, &writable, 0, 1, &byte);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	timer_delay(1000);
	check(!virtq_pending(vq), "%s: nothing is taken from a stopped queue", victim->name);
}

/* --- status ----------------------------------------------------------------------------------- */

static void bits_are_cleared(void)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_FEATURES_OK);
}

static void unknown_bits(void)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS,
		0xffffff00 | 0x30 | VIRTIO_STATUS_DEVICE_NEEDS_RESET | VIRTIO_STATUS_DRIVER_OK);
	check(!has_failed(dev), "HARD-24 %s: NEEDS_RESET is the device's", victim->name);
}

static void status_again(void)
{
	for (unsigned i = 0; i < 10; i++)
		mmio_write(dev, VIRTIO_MMIO_STATUS,
			VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
}

static void driver_ok_first(void)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_DRIVER_OK);
	check(!(mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_DRIVER_OK),
		"HARD-24 %s: no DRIVER_OK without FEATURES_OK", victim->name);
	kicks_for_nothing();
}

static void all_features(void)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	live_features();
	mmio_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
	check(!(mmio_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_FEATURES_OK),
		"BASE-DEV-03 %s: features that are not offered", victim->name);
}

static void no_features(void)
{
	mmio_write(dev, VIRTIO_MMIO_STATUS, UINT32_MAX & ~VIRTIO_STATUS_FAILED);
	check(!(mmio_read(dev, VIRTIO_MMIO_STATUS) &
		      (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)),
		"RES-DEV-03 %s: without VERSION_1", victim->name);
}

/* Live without a queue. */
static void no_queues(void)
{
	check(mmio_ready(dev) == 0, "%s: live", victim->name);
	kicks_for_nothing();
}

static void queues_too_early(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SIZE, 1);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
	check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "%s: no queue before its time",
		victim->name);
}

/* --- under way -------------------------------------------------------------------------------- */

/* As many requests as there is room for, a page each. */
static uint8_t *fill_queue(void)
{
	static uint8_t *page;
	struct virtq_buffer writable;

	if (!page)
		page = pages_take(1);
	writable = (struct virtq_buffer){page, PAGE_SIZE};
	while (virtq_add(vq, &writable, 0, 1, page) == 0)
		;
	mmio_kick(dev, 0, 0);
	return page;
}

static void reset_while_active(void)
{
	uint8_t *page = fill_queue();

	mmio_write(dev, VIRTIO_MMIO_STATUS, 0);
	memset(page, 0x5a, PAGE_SIZE);
	timer_delay(1000);
	check(page[0] == 0x5a && page[PAGE_SIZE - 1] == 0x5a && !has_failed(dev),
		"HARD-14 %s: memory is left alone after reset", victim->name);
}

static void resets_while_active(void)
{
	fill_queue();
	for (unsigned i = 0; i < 20; i++)
		mmio_write(dev, VIRTIO_MMIO_STATUS, 0);
}

static void stops_while_active(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	fill_queue();
	for (unsigned i = 0; i < 20; i++) {
		mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, i % 2);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	}
}

static void queue_resets_while_active(void)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	fill_queue();
	for (unsigned i = 0; i < 20; i++)
		mmio_write(dev, VIRTIO_MMIO_QUEUE_RESET, 1);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

/* --- every register --------------------------------------------------------------------------- */

static void read_in(unsigned width, uint32_t address)
{
	if (width == 1)
		read8(address);
	else if (width == 2)
		read16(address);
	else
		read32(address);
}

static bool is_wanted(uint32_t offset)
{
	/* All of the registers and a device's configuration space; of what lies behind, a sample.
	 * Status has its own attacks. */
	return offset != VIRTIO_MMIO_STATUS &&
	       (offset < 0x160 || offset % 61 == 0 || offset >= VIRTIO_MMIO_WINDOW_SIZE - 4);
}

static void every_register(uint32_t value)
{
	for (uint32_t offset = 0; offset < VIRTIO_MMIO_WINDOW_SIZE; offset++) {
		for (unsigned width = 1; width <= 4; width *= 2) {
			if (!is_wanted(offset) || offset + width > VIRTIO_MMIO_WINDOW_SIZE)
				continue;
			read_in(width, dev->base + offset);
			write_in(width, dev->base + offset, value);
		}
	}
}

static void every_register_0(void)
{
	every_register(0);
}

static void every_register_1(void)
{
	every_register(1);
}

static void every_register_ones(void)
{
	every_register(UINT32_MAX);
}

static const struct attack attacks[] = {
	{"size while live", LIVE, GOES_ON, live_size},
	{"addresses while live", LIVE, GOES_ON, live_addresses},
	{"ready while live", LIVE, GOES_ON, live_ready},
	{"features while live", LIVE, GOES_ON, live_features},
	{"HARD-15 selectors", LIVE, GOES_ON, selectors},
	{"acknowledgements", LIVE, GOES_ON, acknowledgements},
	{"HARD-15 kicks to nowhere", LIVE, GOES_ON, kicks_to_nowhere},
	{"SPLIT-DEV-10 kicks for nothing", LIVE, GOES_ON, kicks_for_nothing},
	{"kicks too early", CHOSEN, ANYTHING, kicks_too_early},
	{"kicks at power-up", RESET, ANYTHING, kicks_for_nothing},
	{"kicks after FAILED", LIVE, ANYTHING, kicks_after_failed},
	{"kicks of a stopped queue", LIVE, ANYTHING, kicks_of_a_stopped_queue},
	{"HARD-24 status bits are cleared", LIVE, GOES_ON, bits_are_cleared},
	{"HARD-24 unknown status bits", LIVE, GOES_ON, unknown_bits},
	{"HARD-24 status once more", LIVE, GOES_ON, status_again},
	{"HARD-24 DRIVER_OK first", RESET, ANYTHING, driver_ok_first},
	{"all features", RESET, ANYTHING, all_features},
	{"no features", RESET, ANYTHING, no_features},
	{"no queues", CHOSEN, ANYTHING, no_queues},
	{"queues too early", RESET, ANYTHING, queues_too_early},
	{"HARD-14 reset while active", LIVE, ANYTHING, reset_while_active},
	{"HARD-14 resets while active", LIVE, ANYTHING, resets_while_active},
	{"HARD-14 stops while active", LIVE, ANYTHING, stops_while_active},
	{"HARD-14 queue resets while active", LIVE, ANYTHING, queue_resets_while_active},
	{"HARD-25 every register 0", LIVE, ANYTHING, every_register_0},
	{"HARD-25 every register all ones", LIVE, ANYTHING, every_register_ones},
	{"every register, features chosen", CHOSEN, ANYTHING, every_register_1},
};

int main(const struct start_info *info)
{
	return attack_all(info, attacks, sizeof(attacks) / sizeof(attacks[0]));
}
