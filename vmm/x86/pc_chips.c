/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/pc_chips.h"

#include <string.h>

#include "cpu/engine.h"

/* Input of the PICs and pin of the IOAPIC to which the timer is connected. */
#define TIMER_GSI 0

/* Registers of the local APIC (Intel SDM 3, table 11-1), and what they are set to. */
#define LAPIC_SVR         0xf0
#define LAPIC_LVT_LINT0   0x350
#define LAPIC_SVR_ENABLED 0x100
#define LAPIC_EXTINT      0x700

static void routes_changed(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct pc_chips *pc = ctx;

	memcpy(pc->routes, routes, sizeof pc->routes);
}

/* Every local APIC sees the PICs' output, and its LVT entry says what to do about it. */
static void output_changed(struct pc_chips *pc)
{
	bool level = pic_output(&pc->pic);

	for (unsigned i = 0; i < pc->bus->count; i++)
		lapic_set_lint(pc->bus->lapics[i], 0, level);
}

static void set_level(struct pc_chips *pc, unsigned gsi, bool level)
{
	const struct ioapic_route *route = &pc->routes[gsi];

	if (level && route->enabled)
		lapic_bus_msi(pc->bus, route->address, route->data);
	if (gsi < PIC_IRQS) {
		pic_raise(&pc->pic, gsi, level);
		output_changed(pc);
	}
}

static void timer_changed(void *ctx, bool level)
{
	set_level(ctx, TIMER_GSI, level);
}

/* Has the boot CPU take the PICs' interrupts, as the firmware of a PC leaves it ("virtual wire
 * mode", MultiProcessor Specification 1.4, 3.6.2.2) and as KVM does: software that knows nothing of
 * local APICs gets its interrupts. */
static void connect_boot_cpu(struct lapic *lapic)
{
	lapic_write(lapic, LAPIC_SVR, LAPIC_SVR_ENABLED | 0xff, 0);
	lapic_write(lapic, LAPIC_LVT_LINT0, LAPIC_EXTINT, 0);
}

int pc_chips_init(struct pc_chips *pc, struct lapic_bus *bus)
{
	int ret;

	*pc = (struct pc_chips){.bus = bus};
	ret = ioapic_init(&pc->ioapic, routes_changed, pc);
	if (ret < 0)
		return ret;
	pc->present = true;
	pic_init(&pc->pic);
	pit_init(&pc->pit, timer_changed, pc);
	connect_boot_cpu(bus->lapics[0]);
	return 0;
}

void pc_chips_free(struct pc_chips *pc)
{
	if (pc->present)
		ioapic_free(&pc->ioapic);
}

/* One byte of a port that a chip answers. */
static uint8_t access_byte(
	struct pc_chips *pc, uint16_t port, bool is_write, uint8_t value, uint64_t now)
{
	bool is_timer = (port >= PIT_PORT && port < PIT_PORT + 4) || port == PIT_GATE_PORT;

	if (is_timer && is_write)
		pit_write(&pc->pit, port, value, now);
	else if (is_timer)
		value = pit_read(&pc->pit, port, now);
	else if (is_write)
		pic_write(&pc->pic, port, value);
	else
		value = pic_read(&pc->pic, port);
	output_changed(pc);
	return value;
}

/* A wider access is one of each byte, as on the ISA bus. */
bool pc_chips_port(struct pc_chips *pc, uint16_t port, bool is_write, uint32_t *value, unsigned len,
	uint64_t now)
{
	uint32_t result = 0;

	if (!engine_answers_port(ENGINE_IRQCHIP_PC, port))
		return false;
	for (unsigned i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)(*value >> 8 * i);

		if (engine_answers_port(ENGINE_IRQCHIP_PC, (uint16_t)(port + i)))
			byte = access_byte(pc, (uint16_t)(port + i), is_write, byte, now);
		else
			byte = 0xff;
		result |= (uint32_t)byte << 8 * i;
	}
	*value = result;
	return true;
}

void pc_chips_ioapic(
	struct pc_chips *pc, uint32_t offset, bool is_write, uint8_t *data, unsigned len)
{
	if (is_write)
		ioapic_write(&pc->ioapic, offset, data, len);
	else
		ioapic_read(&pc->ioapic, offset, data, len);
}

void pc_chips_pulse(struct pc_chips *pc, unsigned gsi)
{
	set_level(pc, gsi, true);
	set_level(pc, gsi, false);
}

bool pc_chips_output(const struct pc_chips *pc)
{
	return pic_output(&pc->pic);
}

uint8_t pc_chips_acknowledge(struct pc_chips *pc)
{
	uint8_t vector = pic_acknowledge(&pc->pic);

	output_changed(pc);
	return vector;
}

uint64_t pc_chips_next(const struct pc_chips *pc)
{
	return pit_next(&pc->pit);
}

void pc_chips_advance(struct pc_chips *pc, uint64_t now)
{
	pit_advance(&pc->pit, now);
}

void pc_chips_transfer(struct pc_chips *pc, struct snapshot_stream *stream)
{
	pic_transfer(&pc->pic, stream);
	pit_transfer(&pc->pit, stream);
	ioapic_transfer(&pc->ioapic, stream);
}
