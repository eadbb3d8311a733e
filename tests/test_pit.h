/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_TEST_PIT_H
#define TESTS_TEST_PIT_H

/*
 * One PIT for the tests of a program, whose time is given in ticks; and the edges of its IRQ 0.
 * Waves are OUT of counter 2 at one tick after the other, as in the data sheet's figures.
 */

#include <stddef.h>

#include "chips/pit.h"

#define HZ  UINT64_C(1193182)
#define NS  UINT64_C(1000000000)
#define MAX UINT64_MAX

static struct pit pit;
static unsigned rises, falls;
static bool level;

static inline void note_level(void *ctx, bool new_level)
{
	(void)ctx;
	rises += new_level;
	falls += !new_level;
	level = new_level;
}

static inline void start(void)
{
	rises = falls = 0;
	level = true;
	pit_init(&pit, note_level, NULL);
}

/* The first nanosecond of a tick. */
static inline uint64_t at(uint64_t tick)
{
	return tick / HZ * NS + (tick % HZ * NS + HZ - 1) / HZ;
}

static inline void out(uint16_t port, uint8_t value, uint64_t tick)
{
	pit_write(&pit, port, value, at(tick));
}

static inline uint8_t in(uint16_t port, uint64_t tick)
{
	return pit_read(&pit, port, at(tick));
}

/* Control word for a counter, two-byte access, and its count. */
static inline void program(unsigned counter, unsigned mode, uint16_t count, uint64_t tick)
{
	out(0x43, (uint8_t)(counter << 6 | 0x30 | mode << 1), tick);
	out((uint16_t)(0x40 + counter), (uint8_t)count, tick);
	out((uint16_t)(0x40 + counter), (uint8_t)(count >> 8), tick);
}

static inline void write_count(unsigned counter, uint16_t count, uint64_t tick)
{
	out((uint16_t)(0x40 + counter), (uint8_t)count, tick);
	out((uint16_t)(0x40 + counter), (uint8_t)(count >> 8), tick);
}

static inline uint8_t status(unsigned counter, uint64_t tick)
{
	out(0x43, (uint8_t)(0xe0 | 2u << counter), tick);
	return in((uint16_t)(0x40 + counter), tick);
}

static inline unsigned count(unsigned counter, uint64_t tick)
{
	unsigned low;

	out(0x43, (uint8_t)(counter << 6), tick);
	low = in((uint16_t)(0x40 + counter), tick);
	return low | (unsigned)in((uint16_t)(0x40 + counter), tick) << 8;
}

/* Reads a port twice, at these ticks: the low byte and the high byte. */
static inline unsigned two_bytes(uint16_t port, uint64_t first, uint64_t second)
{
	unsigned low = in(port, first);

	return low | (unsigned)in(port, second) << 8;
}

/* The counts of counter 2 at two ticks, below 65536: the earlier one is in the high half. */
static inline unsigned two_counts(uint64_t first, uint64_t second)
{
	unsigned high = count(2, first);

	return high << 16 | count(2, second);
}

static inline void gate(bool high, uint64_t tick)
{
	out(0x61, high, tick);
}

/* OUT of counter 2 is this at the ticks from first on: H or L for each. */
static inline bool wave_is(uint64_t first, const char *expected)
{
	bool same = true;

	for (size_t i = 0; expected[i]; i++) {
		bool high = in(0x61, first + i) & 0x20;

		same &= high == (expected[i] == 'H');
		same &= high == !!(status(2, first + i) & 0x80);
	}
	return same;
}

/* Counter 2, its GATE high, in this mode and with this count from tick 0 on. */
static inline void begin(unsigned mode, uint16_t value)
{
	start();
	gate(true, 0);
	program(2, mode, value, 0);
}

#endif
