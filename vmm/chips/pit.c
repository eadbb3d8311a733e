/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/pit.h"

#include "snapshot/stream.h"

#define NS_PER_S UINT64_C(1000000000)

/* The control word (Intel 8254 data sheet). */
#define SELECT_SHIFT    6
#define READ_BACK       3 /* instead of a counter's number */
#define ACCESS_BITS     0x30
#define NO_COUNT_LATCH  0x20 /* of the read-back command */
#define NO_STATUS_LATCH 0x10

/* Port 0x61 of a PC. */
#define GATE_2        0x01
#define GATE_PORT_RW  0x0f /* GATE of counter 2, speaker, and two bits for parity errors */
#define REFRESH       0x10 /* toggles with each refresh of the DRAM */
#define OUT_2         0x20
#define REFRESH_TICKS 18 /* as a PC's firmware programs counter 1 */

static uint64_t tick_at(uint64_t ns)
{
	return ns / NS_PER_S * PIT_HZ + ns % NS_PER_S * PIT_HZ / NS_PER_S;
}

/* The first nanosecond of a tick. */
static uint64_t ns_of(uint64_t tick)
{
	return tick / PIT_HZ * NS_PER_S + (tick % PIT_HZ * NS_PER_S + PIT_HZ - 1) / PIT_HZ;
}

void pit_init(struct pit *pit, void (*raise)(void *ctx, bool level), void *ctx)
{
	*pit = (struct pit){.raise = raise, .ctx = ctx, .level = true};
	pit->counters[0].gate = true;
	pit->counters[1].gate = true;
}

static void set_level(struct pit *pit, bool level)
{
	if (level != pit->level)
		pit->raise(pit->ctx, level);
	pit->level = level;
}

static void advance(struct pit *pit, uint64_t tick)
{
	if (pit_counter_advance(&pit->counters[0], tick)) {
		set_level(pit, false);
		set_level(pit, true);
	}
	pit_counter_advance(&pit->counters[1], tick);
	pit_counter_advance(&pit->counters[2], tick);
	set_level(pit, pit_counter_out(&pit->counters[0], tick));
}

void pit_advance(struct pit *pit, uint64_t now)
{
	advance(pit, tick_at(now));
}

uint64_t pit_next(const struct pit *pit)
{
	uint64_t tick = pit_counter_next_rise(&pit->counters[0]);

	/* A tick beyond the end of time never comes. */
	return tick > tick_at(UINT64_MAX) ? UINT64_MAX : ns_of(tick);
}

static void write_read_back(struct pit *pit, uint8_t value, uint64_t tick)
{
	for (unsigned i = 0; i < PIT_COUNTERS; i++) {
		if (!(value & 2u << i))
			continue;
		if (!(value & NO_COUNT_LATCH))
			pit_counter_latch_count(&pit->counters[i], tick);
		if (!(value & NO_STATUS_LATCH))
			pit_counter_latch_status(&pit->counters[i], tick);
	}
}

static void write_control(struct pit *pit, uint8_t value, uint64_t tick)
{
	unsigned select = value >> SELECT_SHIFT;

	if (select == READ_BACK)
		write_read_back(pit, value, tick);
	else if (value & ACCESS_BITS)
		pit_counter_set_control(&pit->counters[select], value);
	else
		pit_counter_latch_count(&pit->counters[select], tick);
}

static uint8_t read_gate_port(const struct pit *pit, uint64_t tick)
{
	return (uint8_t)(pit->gate_port | (tick / REFRESH_TICKS % 2 ? REFRESH : 0) |
			 (pit_counter_out(&pit->counters[2], tick) ? OUT_2 : 0));
}

uint8_t pit_read(struct pit *pit, uint16_t port, uint64_t now)
{
	uint64_t tick = tick_at(now);

	advance(pit, tick);
	switch (port) {
	case PIT_PORT ... PIT_PORT + PIT_COUNTERS - 1:
		return pit_counter_read(&pit->counters[port - PIT_PORT], tick);
	case PIT_GATE_PORT:
		return read_gate_port(pit, tick);
	default:
		return 0xff;
	}
}

void pit_write(struct pit *pit, uint16_t port, uint8_t value, uint64_t now)
{
	uint64_t tick = tick_at(now);

	advance(pit, tick);
	switch (port) {
	case PIT_PORT ... PIT_PORT + PIT_COUNTERS - 1:
		pit_counter_write(&pit->counters[port - PIT_PORT], value, tick);
		break;
	case PIT_CONTROL_PORT:
		write_control(pit, value, tick);
		break;
	case PIT_GATE_PORT:
		pit->gate_port = value & GATE_PORT_RW;
		pit_counter_set_gate(&pit->counters[2], value & GATE_2, tick);
		break;
	default:
		break;
	}
	set_level(pit, pit_counter_out(&pit->counters[0], tick));
}

/* --- saving and restoring --------------------------------------------------------------------- */

void pit_transfer(struct pit *pit, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "PIT ", 0);
	snapshot_bool(stream, &pit->level);
	SNAPSHOT_FIELD(stream, pit->gate_port);
	for (unsigned i = 0; i < PIT_COUNTERS; i++)
		pit_counter_transfer(&pit->counters[i], stream);
	snapshot_check(
		stream, !(pit->gate_port & ~GATE_PORT_RW), "port 0x61 is 0x%x", pit->gate_port);
	snapshot_end(stream);
}
