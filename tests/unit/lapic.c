/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers and the way of an interrupt through it. Clauses: Intel SDM 3, chapter
 * 11. The timer and the bus have tests of their own. */
#include "chips/lapic.h"

#include <stddef.h>

#include "../tap.h"
#include "../test_lapics.h"

static struct test_lapics t;
static struct lapic *const lapic = &t.lapics[0];

static uint32_t get(uint32_t offset)
{
	return lapic_read(lapic, offset, 0);
}

static void set(uint32_t offset, uint32_t value)
{
	lapic_write(lapic, offset, value, 0);
}

/* A fixed interrupt from a device. */
static void interrupt(uint8_t vector)
{
	lapic_bus_msi(&t.bus, 0xfee00000, vector);
}

/* --- registers -----------------------------------------------------------------------------------
 * */

static const struct {
	uint32_t offset, reset, writable;
	const char *name;
} registers[] = {
	{0x030, 0x00050014, 0, "11.4.8 version"},
	{0x080, 0, 0xff, "11.8.3.1 TPR"},
	{0x090, 0, 0, "11.4.1 APR, which this version has not"},
	{0x0a0, 0, 0, "11.8.3.1 PPR"},
	{0x0b0, 0, 0, "11.8.5 EOI"},
	{0x0c0, 0, 0, "11.4.1 remote read, which this version has not"},
	{0x0d0, 0, 0xff000000, "11.6.2.2 LDR"},
	{0x0e0, 0xffffffff, 0xf0000000, "11.6.2.2 DFR"},
	{0x280, 0, 0, "11.5.3 ESR"},
	{0x310, 0, 0xff000000, "11.6.1 ICR, high half"},
	{0x320, 0x10000, 0x700ff, "11.5.1 LVT timer"},
	{0x330, 0x10000, 0x107ff, "11.5.1 LVT thermal sensor"},
	{0x340, 0x10000, 0x107ff, "11.5.1 LVT performance counters"},
	{0x350, 0x10000, 0x1a7ff, "11.5.1 LVT LINT0"},
	{0x360, 0x10000, 0x1a7ff, "11.5.1 LVT LINT1"},
	{0x370, 0x10000, 0x100ff, "11.5.1 LVT error"},
	{0x380, 0, 0xffffffff, "11.5.4 initial count"},
	{0x3e0, 0, 0xb, "11.5.4 divide configuration"},
};

static bool is_vector_register(uint32_t offset)
{
	return offset >= 0x100 && offset < 0x280;
}

static void test_reset(const char *after)
{
	bool vectors_are_clear = true;

	tap_prefix(after);
	for (size_t i = 0; i < sizeof registers / sizeof *registers; i++)
		is(get(registers[i].offset), registers[i].reset, "11.4.7 %s", registers[i].name);
	is(get(0x0f0), 0xff, "11.4.7.1 SVR: disabled by software, vector 0xff");
	is(get(0x300), 0, "11.4.7.1 ICR, low half");
	is(get(0x390), 0, "11.4.7.1 current count");
	for (uint32_t offset = 0x100; offset < 0x280; offset += 16)
		vectors_are_clear &= get(offset) == 0;
	ok(vectors_are_clear, "11.4.7.1 ISR, TMR and IRR are 0");
	tap_prefix("");
}

static void test_registers(void)
{
	lapics_start(&t);
	for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
		uint32_t fixed = registers[i].reset & ~registers[i].writable;

		/* The mode of the timer decides which of its registers can be written. */
		set(0x320, 0x10000);
		set(registers[i].offset, 0xffffffff);
		is(get(registers[i].offset), fixed | registers[i].writable, "%s: ones",
			registers[i].name);
		set(registers[i].offset, 0);
		is(get(registers[i].offset), fixed, "%s: zeros", registers[i].name);
	}
	set(0x0f0, 0xffffffff);
	is(get(0x0f0), 0x3ff,
		"11.9 SVR: no suppression of EOI broadcasts, which the version denies");
	set(0x300, 0xfff3f8ff);
	is(get(0x300), 0xc8ff, "11.6.1 ICR, low half: the delivery status stays idle");
	is(get(0x390), 0, "11.5.4 the current count is read-only");
	is(get(0x020), 0, "11.4.6 ID of the boot CPU");
	is(lapic_read(&t.lapics[3], 0x020, 0), 0x03000000, "11.4.6 ID of CPU 3");
	set(0x020, 0xabcdef12);
	is(get(0x020), 0xab000000, "11.4.6 the ID can be written");
}

static void test_holes(void)
{
	unsigned bad = 0;

	lapics_start(&t);
	for (uint32_t offset = 0; offset < 4096; offset++) {
		bool exists = is_vector_register(offset) || offset == 0x020 || offset == 0x0f0 ||
			      offset == 0x300 || offset == 0x390;
		uint32_t errors;

		for (size_t i = 0; i < sizeof registers / sizeof *registers; i++)
			exists |= registers[i].offset == offset;
		exists &= offset % 16 == 0;
		if (offset == 0x280) /* a write to ESR forgets */
			continue;
		get(offset);
		set(0x280, 0);
		errors = get(0x280);
		bad += errors != (exists ? 0 : 0x80);
		if (exists)
			continue;
		set(offset, 0xffffffff);
		set(0x280, 0);
		bad += get(0x280) != 0x80;
		bad += get(offset) != 0;
		set(0x280, 0);
	}
	is(bad, 0,
		"11.5.3 an access to what is no register sets ESR bit 7, reads as 0 and is lost");
	for (uint32_t offset = 0x100; offset < 0x280; offset += 16) {
		set(offset, 0xffffffff);
		bad += get(offset) != 0;
	}
	set(0x280, 0);
	ok(bad == 0 && get(0x280) == 0,
		"11.4.1 ISR, TMR and IRR are read-only, a write is no error");
}

static void test_widths(void)
{
	static const uint8_t ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t bytes[4] = {0x01, 0x02, 0x03, 0x84};
	uint32_t version = 0x00050014;
	unsigned bad = 0;

	lapics_start(&t);
	for (unsigned len = 0; len <= 16; len++) {
		for (unsigned place = 0; place < 16; place++) {
			uint8_t data[17];

			memset(data, 0xaa, sizeof data);
			lapic_mmio_read(lapic, 0x030 + place, data, len, 0);
			for (unsigned i = 0; i < len; i++)
				bad += data[i] !=
				       (place + len <= 4 ? (uint8_t)(version >> 8 * (place + i))
							 : 0);
			bad += data[len] != 0xaa;
			if (place != 0 || len != 4)
				lapic_mmio_write(lapic, 0x0d0 + place, ones, len, 0);
		}
	}
	is(bad, 0, "11.4.1 reads within a register give its bytes, others 0, and no byte beyond");
	is(get(0x0d0), 0, "11.4.1 writes that are not a whole register's are lost");
	lapic_mmio_write(lapic, 0x0d0, ones, 4, 0);
	is(get(0x0d0), 0xff000000, "11.4.1 one that is counts");
	lapic_mmio_write(lapic, 0x380, bytes, 4, 0);
	is(get(0x380), 0x84030201, "11.4.1 in little-endian order");
	set(0x280, 0);
	is(get(0x280), 0, "11.4.1 none of these sets ESR");
}

/* --- priorities ----------------------------------------------------------------------------------
 * */

static void test_ppr(void)
{
	static const struct {
		uint8_t tpr, in_service, ppr;
	} cases[] = {
		{0x00, 0x00, 0x00},
		{0x2f, 0x00, 0x2f},
		{0x00, 0x55, 0x50},
		{0x4f, 0x55, 0x50},
		{0x53, 0x55, 0x53},
		{0x61, 0x55, 0x61},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		lapics_start(&t);
		if (cases[i].in_service) {
			interrupt(cases[i].in_service);
			lapic_acknowledge(lapic);
		}
		set(0x080, cases[i].tpr);
		is(get(0x0a0), cases[i].ppr,
			"11.8.3.1 PPR of TPR 0x%02x and vector 0x%02x in service", cases[i].tpr,
			cases[i].in_service);
	}
}

static void test_acceptance(void)
{
	lapics_start(&t);
	ok(!lapic_pending(lapic), "11.8.4 nothing is pending at first");
	interrupt(0x41);
	ok(lapic_pending(lapic) && lapic_bit(lapic, 0x200, 0x41), "11.8.4 an interrupt is in IRR");
	is(t.cpus[0].wakes, 1, "11.8.4 and wakes its CPU");
	is(t.cpus[1].wakes, 0, "11.8.4 and no other");
	interrupt(0x41);
	interrupt(0x7f);
	interrupt(0x61);
	is(lapic_acknowledge(lapic), 0x7f, "11.8.3 the highest vector is taken first");
	ok(!lapic_bit(lapic, 0x200, 0x7f) && lapic_bit(lapic, 0x100, 0x7f),
		"11.8.4 it moves to ISR");
	ok(!lapic_pending(lapic), "11.8.3.1 a lower priority class waits");
	interrupt(0x72);
	ok(!lapic_pending(lapic), "11.8.3 and so does a lower vector of an equal class");
	interrupt(0x80);
	ok(lapic_pending(lapic), "11.8.3.1 a higher one does not");
	is(lapic_acknowledge(lapic), 0x80, "11.8.4 it nests");
	lapics_forget(&t);
	set(0x0b0, 0);
	ok(!lapic_bit(lapic, 0x100, 0x80) && lapic_bit(lapic, 0x100, 0x7f),
		"11.8.5 EOI ends the highest in service");
	ok(!lapic_pending(lapic) && t.cpus[0].wakes == 0, "11.8.5 which lets nothing through");
	set(0x0b0, 0);
	ok(lapic_pending(lapic) && t.cpus[0].wakes == 1, "11.8.5 the next EOI does, and wakes");
	is(lapic_acknowledge(lapic), 0x72, "11.8.3 then what waited comes in order");
	set(0x0b0, 0);
	is(lapic_acknowledge(lapic), 0x61, "11.8.3 and in order");
	set(0x0b0, 0);
	is(lapic_acknowledge(lapic), 0x41, "11.8.4 and once, though it was sent twice");
	set(0x0b0, 0);
	set(0x0b0, 0);
	ok(!lapic_pending(lapic), "11.8.5 an EOI for nothing is harmless");
}

static void test_tpr_and_spurious(void)
{
	lapics_start(&t);
	set(0x0f0, 0x1ef);
	interrupt(0x45);
	set(0x080, 0x40);
	ok(!lapic_pending(lapic), "11.8.3.1 TPR holds back what is of its class");
	is(lapic_acknowledge(lapic), 0xef,
		"11.9 a CPU that takes it all the same gets the spurious vector");
	ok(!lapic_bit(lapic, 0x100, 0xef), "11.9 which is not in service");
	ok(lapic_bit(lapic, 0x200, 0x45), "11.9 and the interrupt still waits");
	lapics_forget(&t);
	set(0x080, 0x3f);
	ok(lapic_pending(lapic) && t.cpus[0].wakes == 1,
		"11.8.3.1 a lower TPR lets it through, and wakes");
	set(0x080, 0xff);
	interrupt(0xff);
	ok(!lapic_pending(lapic), "11.8.3.1 TPR 0xff holds back all");
}

static void test_tmr(void)
{
	lapics_start(&t);
	lapic_bus_msi(&t.bus, 0xfee00000, 0xc041);
	ok(lapic_bit(lapic, 0x200, 0x41) && lapic_bit(lapic, 0x180, 0x41),
		"11.8.4 a level-triggered message sets TMR");
	lapic_acknowledge(lapic);
	set(0x0b0, 0);
	interrupt(0x41);
	ok(!lapic_bit(lapic, 0x180, 0x41), "11.8.4 an edge-triggered one clears it");
}

/* --- enabling ------------------------------------------------------------------------------------
 * */

static void test_software_disable(void)
{
	lapics_init(&t);
	set(0x350, 0x41);
	is(get(0x350), 0x10041, "11.4.7.2 disabled by software, an LVT entry stays masked");
	interrupt(0x41);
	ok(!lapic_bit(lapic, 0x200, 0x41), "11.4.7.2 and no interrupt is accepted");
	lapic_bus_msi(&t.bus, 0xfee00000, 0x400);
	is(t.cpus[0].nmis, 1, "11.4.7.2 but an NMI is");
	set(0x0f0, 0x1ff);
	set(0x350, 0x41);
	is(get(0x350), 0x41, "11.4.7.2 enabled, the entry can be unmasked");
	interrupt(0x52);
	set(0x0f0, 0x0ff);
	is(get(0x350), 0x10041, "11.4.7.2 disabling masks it again");
	ok(lapic_pending(lapic), "11.4.7.2 and an interrupt in IRR is held");
	set(0x0f0, 0x1ff);
	is(get(0x350), 0x10041, "11.4.7.2 enabling does not unmask it");
}

static void test_base(void)
{
	static const uint64_t refused[] = {
		0xfee00901, /* reserved: bits 0 to 7, 9, and above the address */
		0xfee00980, 0xfee00b00, 0x10fee00900, 0x80000000fee00900, 0xfee00d00, /* x2APIC */
		0xfee01900, 0xfec00900, 0x00000900, /* another page */
	};

	lapics_start(&t);
	is(lapic_base_read(lapic), 0xfee00900, "11.4.4 IA32_APIC_BASE of the boot CPU");
	is(lapic_base_read(&t.lapics[1]), 0xfee00800, "11.4.4 and of another");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		ok(!lapic_base_write(lapic, refused[i]), "11.4.4 0x%llx raises #GP",
			(unsigned long long)refused[i]);
	is(lapic_base_read(lapic), 0xfee00900, "11.4.4 and changes nothing");
	ok(lapic_base_write(lapic, 0xfee00800), "11.4.4 a write of the BSP flag is no error");
	is(lapic_base_read(lapic), 0xfee00900, "11.4.4 but does not change it");
	is(get(0x0f0), 0x1ff, "11.4.4 nor any register");

	set(0x020, 0x07000000);
	lapic_bus_msi(&t.bus, 0xfee07000, 0x41);
	lapic_set_lint(lapic, 0, true);
	lapics_forget(&t);
	ok(!lapic_accepts_extint(lapic), "11.4.3 enabled, the PIC waits for LINT0");
	ok(lapic_base_write(lapic, 0xfee00100), "11.4.3 the enable flag can be cleared");
	is(get(0x030), 0xffffffff, "11.4.3 then no register is there");
	ok(!lapic_pending(lapic), "11.4.3 nothing is pending");
	ok(lapic_accepts_extint(lapic), "11.4.3 the PIC interrupts the CPU directly");
	interrupt(0x41);
	lapic_bus_msi(&t.bus, 0xfee00000, 0x400);
	ok(!lapic_pending(lapic) && t.cpus[0].nmis == 0, "11.4.3 no message arrives");
	is(t.cpus[0].wakes, 1, "11.4.3 and has woken it, its output being high");
	lapic_set_lint(lapic, 0, false);
	lapics_forget(&t);
	lapic_set_lint(lapic, 0, true);
	ok(t.cpus[0].wakes == 1 && t.cpus[0].nmis == 0, "11.4.3 pin LINT0 is INTR");
	lapic_set_lint(lapic, 1, true);
	ok(t.cpus[0].wakes == 1 && t.cpus[0].nmis == 1, "11.4.3 pin LINT1 is NMI");
	set(0x0f0, 0x1ff);
	ok(lapic_base_write(lapic, 0xfee00900), "11.4.3 the enable flag can be set again");
	test_reset("enabled again: ");
	is(get(0x020), 0, "11.4.3 enabled again: it has its first ID");

	lapic_set_lint(lapic, 0, false);
	lapic_reset(lapic);
	set(0x0f0, 0x1ff);
	set(0x360, 0x0400);
	lapics_forget(&t);
	set(0x350, 0x0700);
	lapic_set_lint(lapic, 1, true);
	ok(t.cpus[0].nmis == 0 && t.cpus[0].wakes == 0,
		"11.4.7.1 a reset leaves the pins' levels alone");
}

/* --- local interrupts ----------------------------------------------------------------------------
 * */

static void pulse(unsigned number)
{
	lapic_set_lint(lapic, number, true);
	lapic_set_lint(lapic, number, false);
}

static void test_lint(void)
{
	for (unsigned number = 0; number < 2; number++) {
		uint32_t entry = number ? 0x360 : 0x350;

		lapics_start(&t);
		pulse(number);
		ok(t.cpus[0].nmis == 0 && !lapic_pending(lapic), "11.5.1 LINT%u masked", number);
		set(entry, 0x0400);
		pulse(number);
		is(t.cpus[0].nmis, 1, "11.5.1 LINT%u, NMI", number);
		lapic_set_lint(lapic, number, true);
		lapic_set_lint(lapic, number, true);
		is(t.cpus[0].nmis, 2, "11.5.1 LINT%u: a level that stays is one edge", number);
		lapic_set_lint(lapic, number, false);
		set(entry, 0x0200);
		pulse(number);
		is(t.cpus[0].smis, 1, "11.5.1 LINT%u, SMI", number);
		set(entry, 0x0044);
		pulse(number);
		is(lapic_acknowledge(lapic), 0x44, "11.5.1 LINT%u, fixed", number);
		ok(!lapic_bit(lapic, 0x180, 0x44), "11.8.4 LINT%u, an edge", number);
		set(entry, 0x0100);
		pulse(number);
		set(entry, 0x0300);
		pulse(number);
		set(entry, 0x0600);
		pulse(number);
		ok(!lapic_pending(lapic) && t.cpus[0].nmis == 2 && t.cpus[0].inits == 0 &&
				t.cpus[0].sipis == 0,
			"11.5.1 LINT%u, reserved modes", number);
		set(entry, 0x0500);
		pulse(number);
		ok(t.cpus[0].inits == 1 && get(0x0f0) == 0xff, "11.5.1 LINT%u, INIT", number);
	}
}

static void test_extint(void)
{
	lapics_start(&t);
	lapics_forget(&t);
	lapic_set_lint(lapic, 0, true);
	set(0x080, 0);
	is(t.cpus[0].wakes, 0, "11.5.1 the PIC's output does not pass a masked LINT0");
	set(0x350, 0x0700);
	ok(lapic_accepts_extint(lapic), "11.5.1 LINT0 with ExtINT accepts it");
	is(t.cpus[0].wakes, 1, "11.5.1 unmasked while the output is high, it wakes");
	lapic_set_lint(lapic, 0, false);
	lapic_set_lint(lapic, 0, true);
	is(t.cpus[0].wakes, 2, "11.5.1 and at an edge");
	ok(!lapic_pending(lapic), "11.5.1 the vector is the PIC's, not IRR's");
	set(0x350, 0x10700);
	ok(!lapic_accepts_extint(lapic), "11.5.1 masked, it does not");
	set(0x350, 0x0400);
	ok(!lapic_accepts_extint(lapic), "11.5.1 nor with another mode");
	lapic_set_lint(lapic, 1, false);
	set(0x360, 0x0700);
	ok(!lapic_accepts_extint(lapic), "11.5.1 nor does LINT1 count");
}

static void test_errors(void)
{
	lapics_start(&t);
	set(0x370, 0x55);
	interrupt(0x0f);
	is(get(0x280), 0, "11.5.3 ESR shows an error only once it was written");
	is(lapic_acknowledge(lapic), 0x55, "11.5.3 the error interrupts at once");
	set(0x0b0, 0);
	get(0x040);
	ok(!lapic_pending(lapic), "11.5.3 a second error before a write does not interrupt");
	set(0x280, 0xffffffff);
	is(get(0x280), 0xc0,
		"11.5.3 the write shows both: illegal vector received, illegal register");
	get(0x040);
	is(lapic_acknowledge(lapic), 0x55, "11.5.3 and arms the interrupt again");
	set(0x0b0, 0);
	is(get(0x280), 0xc0, "11.5.3 what it shows stays until the next write");
	set(0x280, 0);
	is(get(0x280), 0x80, "11.5.3 which shows what came since");
	set(0x280, 0);
	is(get(0x280), 0, "11.5.3 or nothing");
	set(0x300, 0x0000f);
	ok(lapic_acknowledge(lapic) == 0x55 && !lapic_bit(lapic, 0x200, 15),
		"11.5.3 an illegal vector is not sent");
	set(0x280, 0);
	is(get(0x280), 0x20, "11.5.3 and sets bit 5");
	set(0x370, 0x05);
	get(0x040);
	set(0x280, 0);
	is(get(0x280), 0xc0,
		"11.5.3 an illegal vector in the LVT's error entry is an error, and the last");
	set(0x350, 0x03);
	pulse(0);
	set(0x280, 0);
	is(get(0x280), 0x40, "11.5.3 and so it is in another entry");
	is(get(0x200) & 0xffff, 0, "11.5.2 no vector below 16 is ever in IRR");
	lapics_start(&t);
	interrupt(0x10);
	ok(lapic_bit(lapic, 0x200, 0x10), "11.5.2 but vector 16 may be");
	is(lapic_acknowledge(lapic), 0x10, "11.5.2 and is taken");
	interrupt(0x1f);
	ok(!lapic_pending(lapic), "11.8.3.1 and holds back its class");
}

int main(void)
{
	lapics_init(&t);
	test_reset("power-up: ");
	test_registers();
	lapic_reset(lapic);
	test_reset("reset: ");
	is(get(0x020), 0, "11.4.7.1 a reset gives the ID back");
	test_holes();
	test_widths();
	test_ppr();
	test_acceptance();
	test_tpr_and_spurious();
	test_tmr();
	test_software_disable();
	test_base();
	test_lint();
	test_extint();
	test_errors();
	return tap_done();
}
