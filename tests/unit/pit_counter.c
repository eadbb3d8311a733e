/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes of an 8254's counter. Points name the parts of the Intel 8254 data sheet. */
#include "../tap.h"
#include "../test_pit.h"

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
	program(2, 0, 4, 5);
	ok(wave_is(5, "LLLLLLLL"), "mode 0: a count that is written while GATE is low waits");
	gate(true, 13);
	ok(wave_is(13, "LLLLHH"), "mode 0: and then takes N ticks");

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
	ok(wave_is(1 + 5 * 1000, "HHHLLHHHLL") && wave_is(4 + 5 * 2000, "LLHHH"),
		"mode 3: and so it is after many periods");
	begin(3, 5);
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

int main(void)
{
	test_mode_0();
	test_mode_1();
	test_mode_2();
	test_mode_3();
	test_mode_4();
	test_mode_5();
	return tap_done();
}
