/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's chips as the software engine has them: which GSI is which pin, who is told of the PICs'
 * output, and the widths of accesses. Points name pc_chips.h, or a document of the chip.
 */
#include "x86/pc_chips.h"

#include "../tap.h"
#include "../test_lapics.h"

static struct test_lapics t;
static struct pc_chips pc;

static void out(uint16_t port, uint32_t value, unsigned len)
{
	pc_chips_port(&pc, port, true, &value, len, 0);
}

static uint32_t in(uint16_t port, unsigned len)
{
	uint32_t value = 0x11223344;

	pc_chips_port(&pc, port, false, &value, len, 0);
	return value;
}

/* Both PICs with vectors from 0x30 and 0x38 on, nothing masked. */
static void start(void)
{
	lapics_init(&t);
	pc_chips_init(&pc, &t.bus);
	out(0x20, 0x11, 1);
	out(0x21, 0x30, 1);
	out(0x21, 0x04, 1);
	out(0x21, 0x01, 1);
	out(0x21, 0x00, 1);
	out(0xa0, 0x11, 1);
	out(0xa1, 0x38, 1);
	out(0xa1, 0x02, 1);
	out(0xa1, 0x01, 1);
	out(0xa1, 0x00, 1);
	lapics_forget(&t);
}

static void set_pin(unsigned pin, uint32_t low, uint32_t high)
{
	uint32_t select = 0x10 + 2 * pin;

	pc_chips_ioapic(&pc, 0x00, true, (uint8_t *)&select, 4);
	pc_chips_ioapic(&pc, 0x10, true, (uint8_t *)&low, 4);
	select++;
	pc_chips_ioapic(&pc, 0x00, true, (uint8_t *)&select, 4);
	pc_chips_ioapic(&pc, 0x10, true, (uint8_t *)&high, 4);
}

static void test_gsis(void)
{
	uint32_t value = 0;

	start();
	ok(!pc_chips_output(&pc), "pc_chips.h the PICs interrupt nobody at first");
	pc_chips_pulse(&pc, 3);
	ok(pc_chips_output(&pc), "pc_chips.h GSI 3 is input 3 of the PICs");
	ok(t.lapics[0].lint[0] && t.lapics[TEST_LAPICS - 1].lint[0],
		"pc_chips.h their output is LINT0 of every local APIC");
	ok(t.cpus[0].wakes > 0 && t.cpus[1].wakes == 0,
		"MP 1.4, 3.6.2.2: only the boot CPU's is open");
	is(pc_chips_acknowledge(&pc), 0x33, "pc_chips.h acknowledge() gives the vector");
	ok(!pc_chips_output(&pc) && !t.lapics[0].lint[0], "pc_chips.h and the output falls");
	out(0x20, 0x20, 1);
	pc_chips_pulse(&pc, 3);
	ok(pc_chips_output(&pc) && pc_chips_acknowledge(&pc) == 0x33,
		"pc_chips.h a GSI is pulsed: each time an edge");
	out(0x20, 0x20, 1);
	pc_chips_pulse(&pc, 12);
	is(pc_chips_acknowledge(&pc), 0x3c, "pc_chips.h GSI 12 is input 4 of the slave");
	pc_chips_pulse(&pc, 16);
	ok(!pc_chips_output(&pc), "pc_chips.h GSI 16 is no input of the PICs");

	lapics_start(&t);
	pc_chips_free(&pc);
	pc_chips_init(&pc, &t.bus);
	set_pin(16, 0x51, 0x02000000);
	set_pin(5, 0x52, 0x01000000);
	pc_chips_ioapic(&pc, 0x10, false, (uint8_t *)&value, 4);
	is(value, 0x01000000, "82093AA 3.0 registers read as written");
	pc_chips_pulse(&pc, 16);
	is(lapics_that_got(&t, 0x51), 4, "pc_chips.h GSI 16 is pin 16 of the IOAPIC");
	pc_chips_pulse(&pc, 5);
	is(lapics_that_got(&t, 0x52), 2, "pc_chips.h GSI 5 is its pin 5 as well");
	set_pin(6, 0x10053, 0x01000000);
	pc_chips_pulse(&pc, 6);
	is(lapics_that_got(&t, 0x53), 0, "82093AA 3.2.4 a masked pin sends nothing");
	pc_chips_free(&pc);
}

static void test_ports(void)
{
	static const uint16_t ports[] = {
		0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x61, 0xa0, 0xa1, 0x4d0, 0x4d1};
	uint32_t value = 0x77;
	unsigned answered = 0, wrong = 0;

	start();
	for (unsigned port = 0; port < 0x10000; port++) {
		bool is_there = false;

		for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
			is_there |= port == ports[i];
		if (pc_chips_port(&pc, (uint16_t)port, false, &value, 1, 0) == is_there)
			answered += is_there;
		else
			wrong++;
	}
	ok(answered == sizeof ports / sizeof *ports && wrong == 0,
		"engine.h engine_answers_port(): these ports, and no others");
	value = 0x77;
	pc_chips_port(&pc, 0x70, false, &value, 1, 0);
	is(value, 0x77, "pc_chips.h a port that is not there changes nothing");
	out(0x21, 0xa5, 1);
	is(in(0x20, 2) >> 8, 0xa5, "pc_chips.h a wider access is one of each byte");
	is(in(0x21, 2), 0xffa5, "pc_chips.h of which those reads as ones that no chip has");
	out(0x20, 0x5a0a, 2);
	is(in(0x21, 1), 0x5a, "pc_chips.h a wider write is one of each byte, too");
	out(0x61, 0x01, 1);
	is(in(0x61, 1) & 0x0f, 0x01, "pit.h port 0x61 is the timer's");
	out(0x4d0, 0x0e20, 2);
	is(in(0x4d0, 2), 0x0e20, "82371AB 4.3.1 both registers of trigger modes");
	pc_chips_free(&pc);
}

static void test_timer(void)
{
	uint64_t next;

	start();
	is(pc_chips_next(&pc), UINT64_MAX, "pc_chips.h a timer without a count has no event");
	out(0x43, 0x34, 1);
	out(0x40, 0xa9, 1);
	out(0x40, 0x04, 1);
	next = pc_chips_next(&pc);
	ok(next > 990000 && next < 1010000, "8254: counter 0, mode 2, a millisecond");
	pc_chips_advance(&pc, next - 1);
	ok(!pc_chips_output(&pc), "pc_chips.h before that it interrupts nobody");
	pc_chips_advance(&pc, next);
	ok(pc_chips_output(&pc) && pc_chips_acknowledge(&pc) == 0x30,
		"pc_chips.h then it is IRQ 0");
	ok(pc_chips_next(&pc) > next, "8254: and comes again");
	set_pin(0, 0x60, 0);
	lapic_write(&t.lapics[0], 0x0f0, 0x1ff, 0);
	pc_chips_advance(&pc, pc_chips_next(&pc));
	is(lapics_that_got(&t, 0x60), 1, "pc_chips.h which is pin 0 of the IOAPIC as well");
	pc_chips_free(&pc);
}

int main(void)
{
	struct pc_chips zeros = {0};

	test_gsis();
	test_ports();
	test_timer();
	pc_chips_free(&zeros);
	ok(true, "pc_chips.h pc_chips_free() of a structure of zeros");
	return tap_done();
}
