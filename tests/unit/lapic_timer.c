/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's timer. Clauses: Intel SDM 3, chapter 11. */
#include "chips/lapic.h"

#include <stddef.h>

#include "../tap.h"
#include "../test_lapics.h"

#define NEVER UINT64_MAX

#define MASKED   0x10000
#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define RESERVED 0x60000 /* the fourth mode */
#define BY_1     0xb     /* of the divide configuration */
#define BY_128   0xa

static struct test_lapics t;
static struct lapic *const lapic = &t.lapics[0];

static void set(uint32_t offset, uint32_t value, uint64_t now)
{
	lapic_write(lapic, offset, value, now);
}

static uint32_t count(uint64_t now)
{
	return lapic_read(lapic, 0x390, now);
}

/* Enabled, with this entry for the timer and this divider. */
static void start(uint32_t entry, uint32_t divide)
{
	lapics_start(&t);
	set(0x320, entry, 0);
	set(0x3e0, divide, 0);
	lapics_forget(&t);
}

/* Takes an interrupt to its end. False: there is none. */
static bool took(uint8_t vector)
{
	bool is_there = lapic_pending(lapic) && lapic_acknowledge(lapic) == vector;

	set(0x0b0, 0, 0);
	return is_there;
}

static void test_dividers(void)
{
	static const struct {
		uint32_t code;
		unsigned divider;
	} cases[] = {
		{0x0, 2},
		{0x1, 4},
		{0x2, 8},
		{0x3, 16},
		{0x8, 32},
		{0x9, 64},
		{0xa, 128},
		{0xb, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start(0x41, cases[i].code);
		set(0x380, 1000, 5000);
		is(lapic_timer_next(lapic), 5000 + 1000 * cases[i].divider,
			"11.5.4 divide configuration 0x%x is %u", cases[i].code, cases[i].divider);
		is(count(5000 + 400 * cases[i].divider), 600,
			"11.5.4 and 400 such ticks later 600 are left");
		is(count(5001 + 400 * cases[i].divider), cases[i].divider > 1 ? 600 : 599,
			"11.5.4 until the next tick");
	}
	start(0x41, BY_1);
	set(0x380, 1000, 0);
	set(0x3e0, 0x3, 600);
	is(count(600), 400, "11.5.4 a new divider leaves the count");
	is(lapic_timer_next(lapic), 600 + 400 * 16, "11.5.4 which goes on at the new pace");
}

static void test_one_shot(void)
{
	start(0x41, BY_1);
	is(lapic_timer_next(lapic), NEVER, "11.5.4 no initial count, no interrupt");
	set(0x380, 1000, 100);
	is(count(100), 1000, "11.5.4 the count begins at once");
	lapic_timer_advance(lapic, 1099);
	ok(!lapic_pending(lapic) && count(1099) == 1,
		"11.5.4 a tick before its end nothing has happened");
	lapic_timer_advance(lapic, 1100);
	ok(t.cpus[0].wakes == 1 && took(0x41), "11.5.4 one shot: at 0 it interrupts");
	ok(count(1100) == 0 && count(5000) == 0, "11.5.4 and stays at 0");
	is(lapic_timer_next(lapic), NEVER, "11.5.4 and does not interrupt again");
	is(lapic_read(lapic, 0x380, 5000), 1000, "11.5.4 the initial count can still be read");
	set(0x320, 0x41 | PERIODIC, 5000);
	is(count(5000), 0, "11.5.4 periodic mode does not start a count that has ended");
	set(0x320, 0x41, 5000);

	set(0x380, 1000, 6000);
	set(0x380, 50, 6500);
	is(lapic_timer_next(lapic), 6550, "11.5.4 a new initial count starts anew");
	set(0x380, 0, 6540);
	is(lapic_timer_next(lapic), NEVER, "11.5.4 an initial count of 0 stops");
	set(0x380, 0xffffffff, 7000);
	set(0x3e0, BY_128, 7000);
	is(lapic_timer_next(lapic), 7000 + 0xffffffffull * 128, "11.5.4 the longest count");
	is(count(7000), 0xffffffff, "11.5.4 and what it shows");
	set(0x380, 0xffffffff, NEVER - 5);
	is(lapic_timer_next(lapic), NEVER, "an end beyond the end of time is never");
}

static void test_periodic(void)
{
	start(0x41 | PERIODIC, BY_1);
	set(0x380, 1000, 100);
	lapic_timer_advance(lapic, 1100);
	ok(took(0x41) && lapic_timer_next(lapic) == 2100,
		"11.5.4 periodic: at 0 the count begins again");
	is(count(1100), 1000, "11.5.4 from the initial count");
	is(count(1350), 750, "11.5.4 and goes on");
	lapic_timer_advance(lapic, 7600);
	ok(took(0x41) && !lapic_pending(lapic), "missed periods are one interrupt");
	is(lapic_timer_next(lapic), 8100, "and the next is in phase");
	is(count(7600), 500, "as the count is");
	set(0x320, 0x41, 7700);
	is(count(7700), 400, "11.5.4 a change to one shot lets it count");
	lapic_timer_advance(lapic, 8100);
	ok(took(0x41) && lapic_timer_next(lapic) == NEVER, "11.5.4 to its end");
	set(0x380, 1000, 9000);
	set(0x320, 0x41 | PERIODIC, 9100);
	lapic_timer_advance(lapic, 10000);
	ok(took(0x41) && lapic_timer_next(lapic) == 11000, "11.5.4 and one to periodic as well");

	set(0x380, 1, 20000);
	lapic_timer_advance(lapic, UINT64_C(1) << 62);
	ok(took(0x41) && lapic_timer_next(lapic) == (UINT64_C(1) << 62) + 1,
		"a period of 1 ns is caught up with in one step");
	lapic_timer_advance(lapic, NEVER);
	is(lapic_timer_next(lapic), NEVER, "at the end of time there is no next period");
}

static void test_mask(void)
{
	start(0x41 | MASKED | PERIODIC, BY_1);
	set(0x380, 1000, 0);
	is(lapic_timer_next(lapic), NEVER, "11.5.1 masked: no interrupt to wait for");
	lapic_timer_advance(lapic, 1000);
	ok(!lapic_pending(lapic), "11.5.1 nor does it come");
	is(count(1200), 800, "11.5.4 but the count goes on");
	set(0x320, 0x41 | PERIODIC, 3500);
	ok(!lapic_pending(lapic), "11.5.1 unmasked, what was missed does not come");
	is(lapic_timer_next(lapic), 4000, "11.5.4 but the next in phase");
	set(0x0f0, 0xff, 3600);
	is(lapic_timer_next(lapic), NEVER, "11.4.7.2 disabled by software it is masked");

	start(0x0f, BY_1);
	set(0x380, 10, 0);
	lapic_timer_advance(lapic, 10);
	set(0x280, 0, 10);
	ok(!lapic_pending(lapic) && lapic_read(lapic, 0x280, 10) == 0x40,
		"11.5.2 an illegal vector is an error instead");
	start(0x41, BY_1);
	set(0x380, 10, 0);
	set(0x080, 0xff, 20);
	ok(!lapic_pending(lapic) && lapic_bit(lapic, 0x200, 0x41),
		"a write to a register comes after what was due before");
	start(0x41, BY_1);
	set(0x380, 10, 0);
	ok(count(20) == 0 && lapic_pending(lapic), "and so does a read");
}

static void test_deadline(void)
{
	start(0x41 | DEADLINE, BY_128);
	is(lapic_deadline_read(lapic, 0), 0, "11.5.4.1 disarmed at first");
	set(0x380, 1000, 0);
	ok(lapic_read(lapic, 0x380, 0) == 0 && lapic_timer_next(lapic) == NEVER,
		"11.5.4.1 a write of the initial count is lost");
	lapic_deadline_write(lapic, 5000, 100);
	is(lapic_timer_next(lapic), 5000, "11.5.4.1 armed: the divider does not count");
	is(lapic_deadline_read(lapic, 4999), 5000, "11.5.4.1 the deadline can be read");
	is(count(200), 0, "11.5.4.1 the current count is 0");
	lapic_timer_advance(lapic, 5000);
	ok(took(0x41) && lapic_timer_next(lapic) == NEVER,
		"11.5.4.1 at its deadline it interrupts once");
	is(lapic_deadline_read(lapic, 5000), 0, "11.5.4.1 and is disarmed");
	lapic_deadline_write(lapic, 6000, 6000);
	ok(took(0x41), "11.5.4.1 a deadline that is over interrupts at once");
	lapic_deadline_write(lapic, 8000, 7000);
	lapic_deadline_write(lapic, 9000, 7000);
	is(lapic_timer_next(lapic), 9000, "11.5.4.1 a new deadline replaces the old one");
	lapic_deadline_write(lapic, 20000, 9000);
	ok(took(0x41), "11.5.4.1 but not before that has interrupted, if it was due");
	lapic_deadline_write(lapic, 0, 9000);
	is(lapic_timer_next(lapic), NEVER, "11.5.4.1 0 disarms");
	lapic_deadline_write(lapic, 9800, 9000);
	set(0x320, 0x42 | DEADLINE, 9500);
	is(lapic_timer_next(lapic), 9800, "11.5.4.1 another vector leaves it armed");
	set(0x320, 0x42 | DEADLINE | MASKED, 9500);
	is(lapic_deadline_read(lapic, 9800), 0, "11.5.4.1 masked, it is disarmed at its deadline");
	ok(!lapic_pending(lapic), "11.5.4.1 without an interrupt");
}

static void test_modes(void)
{
	static const uint32_t others[] = {0, PERIODIC, RESERVED};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		start(0x41 | DEADLINE, BY_1);
		lapic_deadline_write(lapic, 5000, 100);
		set(0x320, 0x41 | others[i], 200);
		is(lapic_timer_next(lapic), NEVER,
			"11.5.4.1 a change from TSC-deadline to mode %u disarms", others[i] >> 17);
		lapic_deadline_write(lapic, 5000, 300);
		is(lapic_deadline_read(lapic, 300), 0, "11.5.4.1 in mode %u a deadline is lost",
			others[i] >> 17);
		set(0x380, 1000, 400);
		is(lapic_timer_next(lapic), others[i] == RESERVED ? NEVER : 1400,
			"11.5.1 in mode %u the initial count %s", others[i] >> 17,
			others[i] == RESERVED ? "is lost" : "counts");
		set(0x320, 0x41 | DEADLINE, 500);
		ok(lapic_timer_next(lapic) == NEVER && lapic_read(lapic, 0x380, 500) == 0,
			"11.5.4.1 a change from mode %u to TSC-deadline stops it", others[i] >> 17);
	}
	start(0x41 | PERIODIC, BY_1);
	set(0x380, 1000, 0);
	lapic_bus_msi(&t.bus, 0xfee00000, 0x500);
	is(lapic_timer_next(lapic), NEVER, "11.4.7.3 INIT stops it");
	ok(lapic_read(lapic, 0x380, 0) == 0 && count(0) == 0, "11.4.7.3 and forgets its counts");
}

int main(void)
{
	test_dividers();
	test_one_shot();
	test_periodic();
	test_mask();
	test_deadline();
	test_modes();
	return tap_done();
}
