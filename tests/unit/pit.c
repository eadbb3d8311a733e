/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 and port 0x61. Points name the parts of the Intel 8254 data sheet; waves are OUT at one
 * tick after the other, as in its figures. */
#include "chips/pit.h"

#include <stddef.h>
#include <string.h>

#include "../tap.h"

#define HZ  UINT64_C(1193182)
#define NS  UINT64_C(1000000000)
#define MAX UINT64_MAX

static struct pit pit;
static unsigned rises, falls;
static bool level;

static void note_level(void *ctx, bool new_level)
{
	(void)ctx;
	rises += new_level;
	falls += !new_level;
	level = new_level;
}

static void start(void)
{
	rises = falls = 0;
	level = true;
	pit_init(&pit, note_level, NULL);
}

/* The first nanosecond of a tick. */
static uint64_t at(uint64_t tick)
{
	return tick / HZ * NS + (tick % HZ * NS + HZ - 1) / HZ;
}

static void out(uint16_t port, uint8_t value, uint64_t tick)
{
	pit_write(&pit, port, value, at(tick));
}

static uint8_t in(uint16_t port, uint64_t tick)
{
	return pit_read(&pit, port, at(tick));
}

/* Control word for a counter, two-byte access, and its count. */
static void program(unsigned counter, unsigned mode, uint16_t count, uint64_t tick)
{
	out(0x43, (uint8_t)(counter << 6 | 0x30 | mode << 1), tick);
	out((uint16_t)(0x40 + counter), (uint8_t)count, tick);
	out((uint16_t)(0x40 + counter), (uint8_t)(count >> 8), tick);
}

static void write_count(unsigned counter, uint16_t count, uint64_t tick)
{
	out((uint16_t)(0x40 + counter), (uint8_t)count, tick);
	out((uint16_t)(0x40 + counter), (uint8_t)(count >> 8), tick);
}

static uint8_t status(unsigned counter, uint64_t tick)
{
	out(0x43, (uint8_t)(0xe0 | 2u << counter), tick);
	return in((uint16_t)(0x40 + counter), tick);
}

static unsigned count(unsigned counter, uint64_t tick)
{
	unsigned low;

	out(0x43, (uint8_t)(counter << 6), tick);
	low = in((uint16_t)(0x40 + counter), tick);
	return low | (unsigned)in((uint16_t)(0x40 + counter), tick) << 8;
}

/* What two reads of a port give, at these ticks: low byte, high byte. */
static unsigned two_bytes(uint16_t port, uint64_t first, uint64_t second)
{
	unsigned low = in(port, first);

	return low | (unsigned)in(port, second) << 8;
}

/* The counts of counter 2 at two ticks, below 65536: the earlier one is in the high half. */
static unsigned two_counts(uint64_t first, uint64_t second)
{
	unsigned high = count(2, first);

	return high << 16 | count(2, second);
}

static void gate(bool high, uint64_t tick)
{
	out(0x61, high, tick);
}

/* OUT of counter 2 is this at the ticks from first on: H or L for each. */
static bool wave_is(uint64_t first, const char *expected)
{
	bool same = true;

	for (size_t i = 0; expected[i]; i++) {
		bool high = in(0x61, first + i) & 0x20;

		same &= high == (expected[i] == 'H');
		same &= high == !!(status(2, first + i) & 0x80);
	}
	return same;
}

/* --- modes ---------------------------------------------------------------------------------------
 * */

static void begin(unsigned mode, uint16_t value)
{
	start();
	gate(true, 0);
	program(2, mode, value, 0);
}

static void test_mode_0(void)
{
	start();
	gate(true, 0);
	out(0x43, 0xb0, 0);
	ok(wave_is(0, "LLL"), "mode 0: the control word sets OUT low");
	write_count(2, 4, 3);
	ok(wave_is(3, "LLLLLHHHH"), "mode 0: OUT rises N + 1 ticks after the count is written");
	ok(wave_is(70000, "HH"), "mode 0: and stays high");
	write_count(2, 2, 70002);
	ok(wave_is(70002, "LLLHH"), "mode 0: a new count sets it low and starts again");

	begin(0, 4);
	out(0x42, 9, 2);
	ok(wave_is(2, "LLLLLLL"), "mode 0: the first of two bytes stops counting");
	out(0x42, 0, 9);
	ok(wave_is(9, "LLLLLLLLLLHH"), "mode 0: the second starts it");

	begin(0, 4);
	gate(false, 3);
	ok(wave_is(3, "LLLLLLLL"), "mode 0: a low GATE stops counting");
	is(count(2, 11), 2, "mode 0: the count stands still");
	gate(true, 11);
	ok(wave_is(11, "LLHH"), "mode 0: a high one goes on");
	start();
	program(2, 0, 4, 0);
	ok(wave_is(0, "LLLLLLLL"), "mode 0: a count that is written while GATE is low waits");
	gate(true, 8);
	ok(wave_is(8, "LLLLHH"), "mode 0: and then takes N ticks");

	begin(0, 3);
	is(count(2, 4), 0, "mode 0: the count ends at 0");
	is(count(2, 5), 0xffff, "mode 0: and wraps");
	is(count(2, 4 + 65536), 0, "mode 0: to 0 again");
}

static void test_mode_1(void)
{
	start();
	program(2, 1, 3, 0);
	ok(wave_is(0, "HHHH"), "mode 1: nothing before a trigger");
	gate(true, 4);
	ok(wave_is(4, "HLLLHHH"), "mode 1: OUT is low for N ticks after a rising GATE");
	gate(false, 11);
	ok(wave_is(11, "HH"), "mode 1: a falling one is none");
	gate(true, 13);
	gate(false, 14);
	ok(wave_is(14, "LL"), "mode 1: nor does it stop counting");
	gate(true, 16);
	ok(wave_is(16, "LLLLHH"),
		"mode 1: a trigger before the end begins anew, and OUT stays low");
	write_count(2, 5, 30);
	ok(wave_is(30, "HHH"), "mode 1: a new count alone does nothing");
	ok(status(2, 33) & 0x40, "mode 1: and is null");
	gate(false, 34);
	gate(true, 34);
	ok(wave_is(34, "HLLLLLHH"), "mode 1: before the next trigger");
	ok(!(status(2, 42) & 0x40), "mode 1: from which on it is not");
	start();
	out(0x43, 0xb2, 0);
	gate(true, 0);
	ok(wave_is(0, "HHH"), "mode 1: a trigger without a count does nothing");
}

static void test_mode_2(void)
{
	begin(2, 3);
	ok(wave_is(0, "HHHLHHLHHL"), "mode 2: OUT is low for one tick of N");
	is(two_counts(10, 11), 0x30002, "mode 2: the count goes from N ...");
	is(two_counts(12, 13), 0x10003, "mode 2: ... to 1");
	write_count(2, 5, 14);
	ok(wave_is(14, "HLHHHHLHHHHL"), "mode 2: a new count begins with the next period");
	gate(false, 30);
	ok(wave_is(30, "HHHHH"), "mode 2: a low GATE sets OUT high");
	write_count(2, 4, 35);
	gate(true, 36);
	ok(wave_is(36, "HHHHLHHHLHHHL"), "mode 2: a rising one starts anew, with the new count");
	begin(2, 3);
	gate(false, 3);
	ok(wave_is(3, "H"), "mode 2: at once, even while OUT is low");
	begin(2, 0);
	ok(wave_is(65534, "HHLH"), "mode 2: a count of 0 is 65536");
	begin(2, 1);
	ok(wave_is(0, "HHHHHH"), "mode 2: a count of 1 is illegal; OUT stays high");
	write_count(2, 2, 6);
	ok(wave_is(6, "HHLHLH"), "mode 2: and another one works again");
	begin(6, 3);
	ok(wave_is(0, "HHHLHHLHHL"), "mode 6 is mode 2");
}

static void test_mode_3(void)
{
	begin(3, 4);
	ok(wave_is(0, "HHHLLHHLLHH"), "mode 3: half of N high, half low");
	is(two_counts(11, 12), 0x40002, "mode 3: the count goes down by two");
	begin(3, 5);
	ok(wave_is(0, "HHHHLLHHHLLHHHLL"), "mode 3: of an odd count the high half is longer");
	is(two_counts(16, 17), 0x40002, "mode 3: it counts from N - 1 ...");
	is(two_counts(18, 19), 0x00004, "mode 3: ... to 0, and from there again");
	begin(3, 4);
	write_count(2, 2, 2);
	ok(wave_is(2, "HLHLHLH"), "mode 3: a new count begins with the next half");
	begin(3, 4);
	gate(false, 4);
	ok(wave_is(4, "HHHHH"), "mode 3: a low GATE sets OUT high");
	gate(true, 9);
	ok(wave_is(9, "HHHLLHHLL"), "mode 3: a rising one starts anew");
	begin(3, 0);
	ok(wave_is(32767, "HHLL") && wave_is(65535, "LLHH"), "mode 3: a count of 0 is 65536");
	begin(3, 1);
	ok(wave_is(0, "HHHHHH"), "mode 3: a count of 1 is illegal; OUT stays high");
	write_count(2, 2, 6);
	ok(wave_is(6, "HLHLHL"), "mode 3: and another one works again");
	begin(7, 4);
	ok(wave_is(0, "HHHLLHHLL"), "mode 7 is mode 3");
}

static void test_mode_4(void)
{
	begin(4, 3);
	ok(wave_is(0, "HHHHLHHHH"), "mode 4: OUT is low for one tick, N + 1 after the count");
	ok(wave_is(65536, "HHHHHHH"), "mode 4: and not again");
	write_count(2, 2, 70000);
	ok(wave_is(70000, "HHHLHH"), "mode 4: before the next count");
	begin(4, 5);
	write_count(2, 3, 3);
	ok(wave_is(3, "HHHHLH"), "mode 4: a new count starts anew");
	begin(4, 3);
	gate(false, 2);
	ok(wave_is(2, "HHHHHH"), "mode 4: a low GATE stops counting");
	gate(true, 8);
	ok(wave_is(8, "HHLH"), "mode 4: a high one goes on");
}

static void test_mode_5(void)
{
	start();
	program(2, 5, 3, 0);
	ok(wave_is(0, "HHHHHH"), "mode 5: nothing before a trigger");
	gate(true, 6);
	ok(wave_is(6, "HHHHLHHH"), "mode 5: OUT is low for one tick, N + 1 after a rising GATE");
	gate(false, 14);
	gate(true, 15);
	gate(false, 16);
	gate(true, 17);
	ok(wave_is(17, "HHHHLHHH"), "mode 5: a trigger before the end begins anew");
	write_count(2, 5, 30);
	ok(wave_is(30, "HHHHHHHH"), "mode 5: a new count waits for a trigger");
}

/* --- reading and writing -------------------------------------------------------------------------
 * */

static void test_access(void)
{
	begin(2, 0x1234);
	is(two_bytes(0x42, 1, 1), 0x1234, "access: low byte, then high byte");
	is(two_bytes(0x42, 2, 0x36), 0x1133, "access: not latched, each is of its own time");
	out(0x43, 0x80, 0x44);
	out(0x43, 0x80, 0x54);
	is(two_bytes(0x42, 0x64, 0x74), 0x11f1, "latch command: of its time; a second one waits");
	is(two_bytes(0x42, 0x84, 0x84), 0x11b1, "latch command: after both bytes it is over");
	in(0x42, 0x85);
	program(2, 2, 0x5678, 0x100);
	is(in(0x42, 0x101), 0x78, "access: a control word begins with the low byte");
	out(0x43, 0x94, 0x200);
	out(0x42, 0x20, 0x200);
	is(two_bytes(0x42, 0x202, 0x203), 0x1e1f, "access: low byte alone");
	out(0x43, 0xa4, 0x300);
	out(0x42, 0x20, 0x300);
	is(in(0x42, 0x302), 0x1f, "access: high byte alone");
	out(0x43, 0x80, 0x302);
	is(two_bytes(0x42, 0x902, 0x902), 0x191f, "access: a latched byte is read once");
	is(in(0x43, 0), 0xff, "the control port cannot be read");
}

static void test_read_back(void)
{
	begin(3, 0x1000);
	is(status(2, 0), 0xf6, "read-back: OUT, null count, and the control word's six bits");
	is(status(2, 1), 0xb6, "read-back: loaded, it is not null");
	write_count(2, 0x2000, 2);
	is(status(2, 3), 0xf6, "read-back: a count that waits for the next half is");
	is(status(2, 0x801), 0x36, "read-back: until then");
	out(0x43, 0xc8, 0x811);
	is(in(0x42, 0x900), 0x36, "read-back of both: status first");
	is(two_bytes(0x42, 0x900, 0x900), 0x1fe0, "read-back of both: then the count");
	program(0, 2, 100, 0x1000);
	program(1, 2, 200, 0x1000);
	out(0x43, 0xd6, 0x1001);
	is(in(0x40, 0x1010) | in(0x41, 0x1010) << 8, 0xc864,
		"read-back: counts of several at once");
	is(in(0x40, 0x1010) | in(0x41, 0x1010), 0, "read-back: both bytes");
	in(0x42, 0x1010);
	out(0x43, 0xe2, 0x1020);
	is(in(0x40, 0x1020), 0xb4, "read-back: status of those that are named");
	is(in(0x41, 0x1020), 200 - 31, "read-back: and of no other");
}

static void test_bcd(void)
{
	start();
	gate(true, 0);
	out(0x43, 0xb5, 0);
	write_count(2, 0x1000, 0);
	is(count(2, 1), 0x1000, "BCD: the count is decimal");
	is(count(2, 2), 0x0999, "BCD: as it goes down");
	ok(wave_is(1000, "LH"), "BCD: and it takes so many ticks");
	write_count(2, 0, 1002);
	is(count(2, 2001), 0, "BCD: a count of 0 reads as 0");
	is(count(2, 2002), 0x9999, "BCD: and is 10000");
	start();
	gate(true, 0);
	out(0x43, 0xb1, 0);
	write_count(2, 0x0002, 0);
	is(count(2, 4), 0x9999, "BCD: it wraps to 9999");
	write_count(2, 0xffff, 10);
	is(count(2, 10 + 1 + 16665), 0, "BCD: digits above 9 count as what they are");
}

static void test_unprogrammed(void)
{
	start();
	gate(true, 0);
	ok(wave_is(0, "HH"), "before its control word a counter has OUT high");
	out(0x42, 5, 2);
	out(0x42, 0, 2);
	is(in(0x42, 3), 0xff, "and takes no count");
	is(pit_next(&pit), MAX, "and interrupts nobody");
	is(in(0x44, 3), 0xff, "no port of its");
	out(0x44, 0, 3);
	pit_advance(&pit, MAX);
	is(rises + falls, 0, "IRQ 0 is at rest");
}

/* --- IRQ 0 and port 0x61 -------------------------------------------------------------------------
 * */

static void test_interrupt(void)
{
	uint64_t period = 1000;

	start();
	program(0, 2, 1000, 10);
	is(rises + falls, 0, "mode 2: its control word leaves OUT high");
	is(pit_next(&pit), at(11 + period), "IRQ 0: the first edge");
	pit_advance(&pit, at(11 + period) - 1);
	ok(rises == 0 && falls == 1 && !level, "IRQ 0: a nanosecond before it is low");
	pit_advance(&pit, at(11 + period));
	ok(rises == 1 && level, "IRQ 0: then it rises");
	is(pit_next(&pit), at(11 + 2 * period), "IRQ 0: the next edge");
	pit_advance(&pit, at(11 + 2 * period));
	ok(rises == 2 && falls == 2, "IRQ 0: an edge whose fall was not looked at");
	pit_advance(&pit, at(11 + 1002 * period));
	ok(rises == 3 && falls == 3, "IRQ 0: a thousand missed edges are one");
	is(pit_next(&pit), at(11 + 1003 * period), "IRQ 0: and the next is in phase");
	program(0, 0, 5, 2000000);
	ok(!level, "mode 0: its control word sets OUT low");
	is(pit_next(&pit), at(2000006), "IRQ 0: at the terminal count");
	pit_advance(&pit, at(2000006));
	ok(level && pit_next(&pit) == MAX, "IRQ 0: once");
	program(0, 4, 5, 3000000);
	is(pit_next(&pit), at(3000007), "IRQ 0: after the strobe");
	program(0, 1, 5, 4000000);
	is(pit_next(&pit), MAX, "IRQ 0: its GATE never triggers");

	start();
	program(0, 3, 5, 0);
	is(pit_next(&pit), at(6), "IRQ 0: mode 3, after a whole period");
	pit_advance(&pit, at(4));
	ok(!level && pit_next(&pit) == at(6), "IRQ 0: mode 3, after its low half");
	write_count(0, 9, 4);
	is(pit_next(&pit), at(6), "IRQ 0: a new count waits for it");
	pit_advance(&pit, at(6));
	is(pit_next(&pit), at(15), "IRQ 0: and is the next period");
	program(0, 2, 1, 100);
	is(pit_next(&pit), MAX, "IRQ 0: a count of 1 in mode 2 gives no edge");
	program(0, 3, 1, 100);
	is(pit_next(&pit), MAX, "IRQ 0: nor in mode 3");
	program(0, 2, 2, 200);
	pit_advance(&pit, MAX);
	is(pit_next(&pit), MAX, "IRQ 0: there is no edge after the end of time");
}

static void test_gate_port(void)
{
	unsigned toggles = 0;
	uint8_t last = 0;

	start();
	is(in(0x61, 0) & 0x0f, 0, "0x61: zero at first");
	out(0x61, 0xff, 1);
	is(in(0x61, 1) & 0xcf, 0x0f, "0x61: four bits can be written, two are never set");
	for (uint64_t tick = 18; tick < 18 + 180; tick++) {
		uint8_t refresh = in(0x61, tick) & 0x10;

		toggles += refresh != last;
		last = refresh;
	}
	is(toggles, 10, "0x61: the refresh bit toggles every 15 us");
	out(0x61, 0x02, 300);
	program(2, 0, 2, 300);
	ok(wave_is(300, "LLLLLL"), "0x61: bit 0 is GATE of counter 2");
}

int main(void)
{
	test_mode_0();
	test_mode_1();
	test_mode_2();
	test_mode_3();
	test_mode_4();
	test_mode_5();
	test_access();
	test_read_back();
	test_bcd();
	test_unprogrammed();
	test_interrupt();
	test_gate_port();
	return tap_done();
}
