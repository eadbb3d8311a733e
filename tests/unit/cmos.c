/* SPDX-License-Identifier: BSD-2-Clause */
/* The CMOS tells firmware of RAM and CPUs, and has a clock (MC146818 data sheet). */
#include "chips/cmos.h"

#include <stddef.h>

#include "../tap.h"

#define MIB (1u << 20)
#define NS  UINT64_C(1000000000)

static uint64_t now; /* nanoseconds since 1970 */

static uint64_t test_time(void *ctx)
{
	return *(const uint64_t *)ctx;
}

static uint8_t get(struct cmos *cmos, uint8_t index)
{
	cmos_select(cmos, index);
	return cmos_read(cmos);
}

static void set(struct cmos *cmos, uint8_t index, uint8_t value)
{
	cmos_select(cmos, index);
	cmos_write(cmos, value);
}

static unsigned get16(struct cmos *cmos, uint8_t index)
{
	return get(cmos, index) | get(cmos, index + 1) << 8;
}

static void test_memory(void)
{
	static const struct {
		uint32_t ram;
		unsigned kib_above_1m, units_above_16m; /* a unit is 64 KiB */
	} cases[] = {
		{1 * MIB, 0, 0},
		{1 * MIB + 4096, 4, 0},
		{16 * MIB, 15 * 1024, 0},
		{16 * MIB + 0xf000, 15 * 1024 + 60, 0},
		{16 * MIB + 0x10000, 15 * 1024 + 64, 1},
		{64 * MIB, 63 * 1024, 48 * 16},
		{65 * MIB, 0xffff, 49 * 16},
		{3072 * MIB, 0xffff, 3056 * 16},
	};
	struct cmos cmos;
	unsigned others = 0;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cmos_init(&cmos, cases[i].ram, 1, test_time, &now);
		is(get16(&cmos, 0x30), cases[i].kib_above_1m, "%u KiB of RAM: KiB above 1 MiB",
			cases[i].ram >> 10);
		is(get16(&cmos, 0x17), cases[i].kib_above_1m,
			"%u KiB of RAM: KiB of extended memory", cases[i].ram >> 10);
		is(get16(&cmos, 0x34), cases[i].units_above_16m,
			"%u KiB of RAM: 64 KiB units above 16 MiB", cases[i].ram >> 10);
	}
	for (unsigned cpus = 1; cpus <= 64; cpus *= 4) {
		cmos_init(&cmos, 64 * MIB, cpus, test_time, &now);
		is(get(&cmos, 0x5f), cpus - 1, "CPUs besides the first: %u", cpus - 1);
	}
	is(get(&cmos, 0xdf), get(&cmos, 0x5f), "bit 7 of the index does not count");
	is(get(&cmos, 0x10), 0, "no floppy drives");
	ok(get(&cmos, 0x08) != 0xff, "there is a CMOS: the month is not all ones");
	for (unsigned index = 0x0e; index < CMOS_REGISTERS; index++)
		others += get(&cmos, (uint8_t)index) != 0xff;
	is(get16(&cmos, 0x15), 640, "640 KiB of base memory");
	is(others, 11, "nothing else is told: other registers are all ones");
	for (unsigned index = 0x0e; index < CMOS_REGISTERS; index++)
		set(&cmos, (uint8_t)index, 0x55);
	others = 0;
	for (unsigned index = 0x0e; index < CMOS_REGISTERS; index++)
		others += get(&cmos, (uint8_t)index) == 0x55;
	is(others, 0, "writes to the memory are lost");
}

/* --- the clock -------------------------------------------------------------------------------- */

#define B_BINARY 0x04
#define B_24H    0x02

static const struct {
	uint64_t seconds; /* since 1970, as `date -u +%s` has it */
	uint8_t format;   /* of register B */
	/* century, year, month, day; day of the week; hours, minutes, seconds */
	uint8_t date[4], weekday, time[3];
	const char *name;
} dates[] = {
	{0, B_24H, {0x19, 0x70, 0x01, 0x01}, 5, {0, 0, 0}, "1 January 1970, a Thursday"},
	{31536000, B_24H, {0x19, 0x71, 0x01, 0x01}, 6, {0, 0, 0}, "1 January 1971"},
	{951782399, B_24H, {0x20, 0x00, 0x02, 0x28}, 2, {0x23, 0x59, 0x59}, "before a leap day"},
	{951782400, B_24H, {0x20, 0x00, 0x02, 0x29}, 3, {0, 0, 0}, "29 February 2000"},
	{951868800, B_24H, {0x20, 0x00, 0x03, 0x01}, 4, {0, 0, 0}, "after it"},
	{4107542400, B_24H, {0x21, 0x00, 0x03, 0x01}, 2, {0, 0, 0}, "1 March 2100, no leap year"},
	{1798761599, B_24H, {0x20, 0x26, 0x12, 0x31}, 5, {0x23, 0x59, 0x59}, "the end of 2026"},
	{1798761599, B_24H | B_BINARY, {20, 26, 12, 31}, 5, {23, 59, 59}, "in binary"},
	{1798761599, 0, {0x20, 0x26, 0x12, 0x31}, 5, {0x91, 0x59, 0x59}, "11 hours PM"},
	{1798761599, B_BINARY, {20, 26, 12, 31}, 5, {0x8b, 59, 59}, "11 hours PM, in binary"},
	{43200, 0, {0x19, 0x70, 0x01, 0x01}, 5, {0x92, 0, 0}, "noon is 12 PM"},
	{43199, 0, {0x19, 0x70, 0x01, 0x01}, 5, {0x11, 0x59, 0x59}, "11 AM"},
	{0, 0, {0x19, 0x70, 0x01, 0x01}, 5, {0x12, 0, 0}, "midnight is 12 AM"},
	{UINT64_MAX / NS, B_24H, {0x25, 0x54, 0x07, 0x21}, 1, {0x23, 0x34, 0x33},
		"the last second"},
};

static void test_time_of_day(void)
{
	struct cmos cmos;

	cmos_init(&cmos, 64 * MIB, 1, test_time, &now);
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		now = dates[i].seconds * NS;
		set(&cmos, 0x0b, dates[i].format);
		ok(get(&cmos, 0x32) == dates[i].date[0] && get(&cmos, 0x09) == dates[i].date[1] &&
				get(&cmos, 0x08) == dates[i].date[2] &&
				get(&cmos, 0x07) == dates[i].date[3],
			"clock: date, %s", dates[i].name);
		is(get(&cmos, 0x06), dates[i].weekday, "clock: day of the week, %s", dates[i].name);
		ok(get(&cmos, 0x04) == dates[i].time[0] && get(&cmos, 0x02) == dates[i].time[1] &&
				get(&cmos, 0x00) == dates[i].time[2],
			"clock: time, %s", dates[i].name);
	}
}

static void test_clock_registers(void)
{
	static const uint8_t time_registers[] = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
	struct cmos cmos;
	bool same = true;

	now = 1798761599 * NS;
	cmos_init(&cmos, 64 * MIB, 1, test_time, &now);
	is(cmos_read(&cmos), 0x59, "the index is 0 at first");
	is(get(&cmos, 0x0a), 0x26, "clock: register A");
	is(get(&cmos, 0x0b), 0x02, "clock: register B, 24 hours in BCD");
	is(get(&cmos, 0x0c), 0x00, "clock: register C, no interrupt has come");
	is(get(&cmos, 0x0d), 0x80, "clock: register D, the time is valid");
	for (size_t i = 0; i < sizeof time_registers; i++) {
		uint8_t before = get(&cmos, time_registers[i]);

		set(&cmos, time_registers[i], 0x01);
		same &= get(&cmos, time_registers[i]) == before;
	}
	ok(same, "clock: it cannot be set");
	for (uint8_t index = 1; index <= 5; index += 2) {
		is(get(&cmos, index), 0, "clock: alarm register %u, at first", index);
		set(&cmos, index, 0xc5);
		is(get(&cmos, index), 0xc5, "clock: alarm register %u keeps what is written",
			index);
	}
	set(&cmos, 0x0a, 0xff);
	is(get(&cmos, 0x0a), 0x7f, "clock: UIP cannot be set");
	set(&cmos, 0x0b, 0xf2);
	is(get(&cmos, 0x0b), 0xf2, "clock: register B keeps what is written");
	now += 2 * NS;
	is(get(&cmos, 0x00), 0x01, "clock: SET does not stop it");
	is(get(&cmos, 0x0c), 0x00, "clock: there are no interrupts");
	set(&cmos, 0x0c, 0xff);
	set(&cmos, 0x0d, 0xff);
	ok(get(&cmos, 0x0c) == 0 && get(&cmos, 0x0d) == 0x80, "clock: C and D are read-only");
	now = 5 * NS - 2228001;
	is(get(&cmos, 0x0a), 0x7f, "clock: UIP is clear");
	now++;
	is(get(&cmos, 0x0a), 0xff, "clock: UIP is set 244 us before an update of 1984 us");
	now = 5 * NS;
	is(get(&cmos, 0x0a), 0x7f, "clock: until it is over");
}

int main(void)
{
	test_memory();
	test_time_of_day();
	test_clock_registers();
	return tap_done();
}
