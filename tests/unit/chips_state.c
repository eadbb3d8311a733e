/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chips in streams: a chip that was used at random is saved, and restored into a new one. From then
 * on both are used alike, and answer alike. A stream with a damaged bit is refused, or gives a chip
 * that works.
 */
#include "snapshot/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "chips/cmos.h"
#include "chips/i8042.h"
#include "chips/ioapic.h"
#include "chips/lapic.h"
#include "chips/pic.h"
#include "chips/pit.h"
#include "chips/uart.h"
#include "chips/vga_text.h"

#define LAPICS 3

/* All chips, and a sum of what they did. */
struct chips {
	struct console_backend backend;
	struct lapic_bus bus;
	struct lapic lapics[LAPICS];
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	struct i8042 keyboard;
	struct vga_text vga;
	struct uart uart;
	uint64_t now;
	uint64_t sum;
};

static void note(struct chips *chips, uint64_t value)
{
	chips->sum = (chips->sum ^ value) * UINT64_C(0x100000001b3);
}

/* --- what chips call -------------------------------------------------------------------------- */

static void on_cpu(void *ctx, unsigned cpu)
{
	note(ctx, cpu);
}

static void on_sipi(void *ctx, unsigned cpu, uint8_t vector)
{
	note(ctx, cpu << 8 | vector);
}

static const struct lapic_ops lapic_ops = {
	.wake = on_cpu, .nmi = on_cpu, .smi = on_cpu, .init = on_cpu, .sipi = on_sipi};

static void on_routes(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		note(ctx, routes[i].enabled + routes[i].data + ((uint64_t)routes[i].address << 32));
}

static void on_level(void *ctx, bool level)
{
	note(ctx, level);
}

static void on_raise(void *ctx)
{
	note(ctx, 17);
}

static uint64_t on_time(void *ctx)
{
	return ((struct chips *)ctx)->now;
}

/* A host that takes no output, so that it stays in the UART, and has input now and then. */
static ssize_t on_read(struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	(void)backend, (void)count;
	memset(iov->iov_base, 'x', 1);
	return 1;
}

static ssize_t on_write(struct console_backend *backend, const struct iovec *iov, unsigned count)
{
	(void)backend, (void)iov, (void)count;
	return -EAGAIN;
}

static void on_want(struct console_backend *backend, bool input, bool output)
{
	(void)backend, (void)input, (void)output;
}

static const struct console_backend_ops backend_ops = {
	.read = on_read, .write = on_write, .want = on_want};

/* --- life ------------------------------------------------------------------------------------- */

static void make(struct chips *chips)
{
	*chips = (struct chips){.backend.ops = &backend_ops, .sum = 1};
	lapic_bus_init(&chips->bus, &lapic_ops, chips);
	for (unsigned i = 0; i < LAPICS; i++)
		lapic_init(&chips->lapics[i], &chips->bus);
	ioapic_init(&chips->ioapic, on_routes, chips);
	pic_init(&chips->pic);
	pit_init(&chips->pit, on_level, chips);
	cmos_init(&chips->cmos, 64u << 20, LAPICS, on_time, chips);
	i8042_init(&chips->keyboard, on_raise, on_raise, chips);
	vga_text_init(&chips->vga);
	uart_init(&chips->uart, &chips->backend, on_raise, chips);
}

static void unmake(struct chips *chips)
{
	ioapic_free(&chips->ioapic);
	i8042_free(&chips->keyboard);
	uart_free(&chips->uart);
}

static void transfer(struct chips *chips, struct snapshot_stream *stream)
{
	lapic_bus_transfer(&chips->bus, stream);
	for (unsigned i = 0; i < LAPICS; i++)
		lapic_transfer(&chips->lapics[i], stream);
	ioapic_transfer(&chips->ioapic, stream);
	pic_transfer(&chips->pic, stream);
	pit_transfer(&chips->pit, stream);
	cmos_transfer(&chips->cmos, stream);
	i8042_transfer(&chips->keyboard, stream);
	vga_text_transfer(&chips->vga, stream);
	uart_transfer(&chips->uart, stream);
}

/* --- use -------------------------------------------------------------------------------------- */

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(*seed >> 33);
}

static void use_lapic(struct chips *chips, uint32_t what, uint32_t value)
{
	static const uint16_t offsets[] = {0x20, 0x80, 0xb0, 0xd0, 0xf0, 0x280, 0x300, 0x310, 0x320,
		0x350, 0x360, 0x370, 0x380, 0x390, 0x3e0};
	struct lapic *lapic = &chips->lapics[what % LAPICS];
	uint32_t offset = offsets[what / LAPICS % (sizeof offsets / sizeof *offsets)];

	/* The timer counts so slowly that it is mostly under way. */
	lapic_write(lapic, offset, offset == 0xf0 ? value | 0x100 : value, chips->now);
	note(chips, lapic_read(lapic, offset, chips->now));
	lapic_bus_msi(&chips->bus, 0xfee00000 | (value & 0xff000), value & 0x7ff);
	if (lapic_pending(lapic) && value & 1)
		note(chips, lapic_acknowledge(lapic));
	lapic_set_lint(lapic, 0, value & 2);
	note(chips, lapic_timer_next(lapic));
}

static void use_ioapic(struct chips *chips, uint32_t what, uint32_t value)
{
	uint32_t select = what % 0x40;

	ioapic_write(&chips->ioapic, 0, (const uint8_t *)&select, 4);
	ioapic_write(&chips->ioapic, 0x10, (const uint8_t *)&value, 4);
	ioapic_edge(&chips->ioapic, value % IOAPIC_PINS);
	ioapic_read(&chips->ioapic, 0x10, (uint8_t *)&value, 4);
	note(chips, value);
}

static void use_pc(struct chips *chips, uint32_t what, uint32_t value)
{
	static const uint16_t pic_ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
	static const uint16_t pit_ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};

	pic_write(&chips->pic, pic_ports[what % 6], (uint8_t)value);
	pic_raise(&chips->pic, what % PIC_IRQS, value & 1);
	note(chips, pic_read(&chips->pic, pic_ports[what / 8 % 6]));
	if (pic_output(&chips->pic))
		note(chips, pic_acknowledge(&chips->pic));
	pit_write(&chips->pit, pit_ports[what % 5], (uint8_t)value, chips->now);
	note(chips, pit_read(&chips->pit, pit_ports[what / 8 % 5], chips->now));
	note(chips, pit_next(&chips->pit));
	cmos_select(&chips->cmos, (uint8_t)(what % 16));
	cmos_write(&chips->cmos, (uint8_t)value);
	note(chips, cmos_read(&chips->cmos));
}

static void use_consoles(struct chips *chips, uint32_t what, uint32_t value)
{
	i8042_write(&chips->keyboard, what & 1 ? I8042_DATA : I8042_STATUS, (uint8_t)value);
	note(chips, i8042_read(&chips->keyboard, what & 2 ? I8042_DATA : I8042_STATUS));
	vga_text_write(&chips->vga, what & 1 ? VGA_CRTC_INDEX : VGA_CRTC_DATA, (uint8_t)value % 32);
	note(chips, vga_text_read(&chips->vga, VGA_INPUT_STATUS));
	note(chips, vga_text_read(&chips->vga, VGA_CRTC_DATA));
	uart_write(&chips->uart, what % UART_REGISTERS, (uint8_t)value);
	note(chips, uart_read(&chips->uart, what / 8 % UART_REGISTERS));
	uart_ready(&chips->uart);
}

static void use(struct chips *chips, uint64_t seed, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		uint32_t what = draw(&seed), value = draw(&seed);

		chips->now += value % 100000;
		for (unsigned j = 0; j < LAPICS; j++)
			lapic_timer_advance(&chips->lapics[j], chips->now);
		pit_advance(&chips->pit, chips->now);
		use_lapic(chips, what, value);
		use_ioapic(chips, what, value);
		use_pc(chips, what, value);
		use_consoles(chips, what, value);
	}
}

/* --- tests ------------------------------------------------------------------------------------ */

static void save(struct chips *chips, struct snapshot_stream *stream)
{
	snapshot_write(stream);
	transfer(chips, stream);
}

/* Returns whether the copy goes on as the original does. */
static bool goes_on(struct chips *original, struct chips *copy, uint64_t seed)
{
	copy->now = original->now;
	copy->sum = original->sum = 1;
	use(original, seed, 200);
	use(copy, seed, 200);
	return copy->sum == original->sum;
}

/* Restores into new chips, and returns whether they go on as the original. */
static bool is_restored(struct chips *original, uint64_t seed)
{
	static struct chips copy;
	struct snapshot_stream stream, input, again;
	bool same;

	save(original, &stream);
	make(&copy);
	snapshot_read(&input, stream.bytes, stream.len);
	transfer(&copy, &input);
	save(&copy, &again);
	same = !snapshot_failed(&input) && !snapshot_has_more(&input) && again.len == stream.len &&
	       memcmp(again.bytes, stream.bytes, stream.len) == 0 && goes_on(original, &copy, seed);
	snapshot_free(&stream);
	snapshot_free(&again);
	unmake(&copy);
	return same;
}

static void test_round_trips(void)
{
	static struct chips chips;
	unsigned restored = 0;

	for (unsigned i = 0; i < 200; i++) {
		make(&chips);
		use(&chips, i, i * 7);
		restored += is_restored(&chips, i + 1000);
		unmake(&chips);
	}
	is(restored, 200, "chips go on as if nothing had happened");
}

/* One bit or several are damaged. What is not refused must not do harm: the sanitizers look. */
static void test_damage(void)
{
	static struct chips chips, copy;
	struct snapshot_stream stream, input;
	unsigned refused = 0, used = 0;
	uint64_t seed = 5;

	make(&chips);
	use(&chips, 3, 500);
	save(&chips, &stream);
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t *bytes = malloc(stream.len);

		memcpy(bytes, stream.bytes, stream.len);
		for (unsigned bits = i % 20; bits-- > 0;)
			bytes[draw(&seed) % stream.len] ^= (uint8_t)(1 << draw(&seed) % 8);
		make(&copy);
		snapshot_read(&input, bytes, stream.len);
		transfer(&copy, &input);
		refused += snapshot_failed(&input);
		if (!snapshot_failed(&input)) {
			copy.now = chips.now;
			use(&copy, i, 50);
			used++;
		}
		unmake(&copy);
		free(bytes);
	}
	ok(refused > 100 && used > 100, "of damaged streams %u were refused and %u harmless",
		refused, used);
	snapshot_free(&stream);
	unmake(&chips);
}

int main(void)
{
	test_round_trips();
	test_damage();
	return tap_done();
}
