/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254's ports and commands, IRQ 0 and port 0x61. Points name the parts of the Intel 8254 data
 * sheet. The modes have a test of their own. */
#include "../tap.h"
#include "../test_pit.h"

/* --- reading and writing -------------------------------------------------------------------------
 * */

static void test_access(void)
{
	start();
	gate(true, 0);
	out(0x43, 0xb4, 0);
	is(two_bytes(0x42, 0, 0), 0, "access: before a count is loaded it reads as 0");
	program(1, 2, 0x1234, 0);
	is(count(1, 1 + 0x1234 * 3), 0x1234, "access: counter 1 counts, too");
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
	pit_advance(&pit, at(10 + 1005 * period));
	ok(rises == 4 && !level,
		"IRQ 0: one that was missed is told even if the line is low by now");
	pit_advance(&pit, at(11 + 1005 * period));
	out(0x43, 0x30, 1900000);
	ok(!level, "mode 0: its control word sets OUT low");
	program(0, 0, 5, 2000000);
	rises = falls = 0;
	is(pit_next(&pit), at(2000006), "IRQ 0: at the terminal count");
	pit_advance(&pit, at(2000006));
	pit_advance(&pit, at(2000009));
	ok(level && rises == 1 && falls == 0 && pit_next(&pit) == MAX, "IRQ 0: once");
	program(0, 4, 5, 3000000);
	is(pit_next(&pit), at(3000007), "IRQ 0: after the strobe");
	pit_advance(&pit, at(3000010));
	ok(rises == 2 && falls == 1, "IRQ 0: even if that was missed");
	program(0, 1, 5, 4000000);
	is(pit_next(&pit), MAX, "IRQ 0: its GATE never triggers");

	start();
	program(0, 3, 5, 0);
	is(pit_next(&pit), at(6), "IRQ 0: mode 3, after a whole period");
	pit_advance(&pit, at(9));
	ok(rises == 1 && !level, "IRQ 0: mode 3, an edge that was missed while the line is low");
	start();
	program(0, 3, 5, 0);
	pit_advance(&pit, at(4));
	ok(!level && pit_next(&pit) == at(6), "IRQ 0: mode 3, after its low half");
	write_count(0, 9, 4);
	is(pit_next(&pit), at(6), "IRQ 0: a new count waits for it");
	pit_advance(&pit, at(6));
	ok(rises == 1 && falls == 1, "IRQ 0: mode 3, one rise in a period");
	is(pit_next(&pit), at(15), "IRQ 0: and is the next period");
	pit_advance(&pit, at(15 + 9 * 100));
	ok(rises == 2 && level, "IRQ 0: mode 3, a hundred missed edges are one");
	is(pit_next(&pit), at(15 + 9 * 101), "IRQ 0: mode 3, and the next is in phase");
	pit_advance(&pit, at(15 + 9 * 200 + 6));
	ok(rises == 3 && !level, "IRQ 0: mode 3, and is told even if the line is low by now");
	pit_advance(&pit, at(15 + 9 * 201));
	ok(rises == 4 && level, "IRQ 0: mode 3, the next one");
}

/* Counts of 1 and 2, which are the shortest. */
static void test_short_counts(void)
{
	for (unsigned mode = 2; mode <= 3; mode++) {
		start();
		program(0, mode, 1, 100);
		is(pit_next(&pit), MAX, "IRQ 0: a count of 1 in mode %u gives no edge", mode);
		for (uint64_t tick = 101; tick < 110; tick++)
			pit_advance(&pit, at(tick));
		pit_advance(&pit, at(200));
		is(rises + falls, 0, "IRQ 0: nor does it in mode %u as time goes by", mode);
		write_count(0, 3, 200);
		is(pit_next(&pit), at(201), "IRQ 0: mode %u, a look at the next count", mode);
		pit_advance(&pit, at(300));
		is(rises, 1, "IRQ 0: which gives edges in mode %u", mode);
		start();
		program(0, mode, 2, 100);
		for (uint64_t tick = 101; tick < 109; tick++)
			pit_advance(&pit, at(tick));
		is(rises, 3, "IRQ 0: a count of 2 in mode %u gives one every 2 ticks", mode);
	}
	start();
	program(0, 2, 2, 100);
	pit_advance(&pit, at(103));
	is(rises, 1, "IRQ 0: a count of 2 whose low tick was missed");
	pit_advance(&pit, at(107));
	is(rises, 2, "IRQ 0: or several of them");
	start();
	program(0, 2, 1, 100);
	write_count(0, 3, 200);
	pit_advance(&pit, at(201));
	is(rises, 0, "IRQ 0: a count that follows one of 1 is loaded without an edge");
	pit_advance(&pit, at(204));
	is(rises, 1, "IRQ 0: which comes at its end");
	start();
	program(0, 2, 1, 100);
	write_count(0, 3, 200);
	pit_advance(&pit, at(204));
	is(rises, 1, "IRQ 0: even if the load was missed");
	start();
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
	is(in(0x61, 306) & 0x2f, 0x02, "0x61: bit 5 is its OUT");
}

int main(void)
{
	test_access();
	test_read_back();
	test_bcd();
	test_unprogrammed();
	test_interrupt();
	test_short_counts();
	test_gate_port();
	return tap_done();
}
