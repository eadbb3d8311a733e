/* SPDX-License-Identifier: BSD-2-Clause */
/* IPIs and MSIs between local APICs. Clauses: Intel SDM 3, chapter 11. */
#include "chips/lapic.h"

#include <stddef.h>

#include "../tap.h"
#include "../test_lapics.h"

/* Bits of ICR's low half. */
#define LOWEST       0x00100
#define SMI          0x00200
#define NMI          0x00400
#define INIT         0x00500
#define SIPI         0x00600
#define LOGICAL      0x00800
#define ASSERTED     0x04000
#define LEVEL        0x08000
#define SELF         0x40000
#define ALL          0x80000
#define ALL_BUT_SELF 0xc0000

static struct test_lapics t;

/* CPU 1 sends an IPI. */
static void send(uint8_t destination, uint32_t low)
{
	lapic_write(&t.lapics[1], 0x310, (uint32_t)destination << 24, 0);
	lapic_write(&t.lapics[1], 0x300, low, 0);
}

/* All CPUs enabled, with this model of logical addresses and these addresses. */
static void set_logical(uint32_t model, const uint8_t addresses[TEST_LAPICS])
{
	lapics_start(&t);
	for (unsigned i = 0; i < TEST_LAPICS; i++) {
		lapic_write(&t.lapics[i], 0x0e0, model, 0);
		lapic_write(&t.lapics[i], 0x0d0, (uint32_t)addresses[i] << 24, 0);
	}
}

static uint32_t errors(unsigned cpu)
{
	lapic_write(&t.lapics[cpu], 0x280, 0, 0);
	return lapic_read(&t.lapics[cpu], 0x280, 0);
}

/* --- destinations --------------------------------------------------------------------------------
 * */

static const uint8_t flat[] = {0x01, 0x02, 0x04, 0x00};
static const uint8_t clusters[] = {0x01, 0x02, 0x11, 0x12};

static const struct {
	uint32_t model; /* of DFR */
	const uint8_t *logical;
	uint8_t destination;
	uint32_t low;
	unsigned receivers; /* a bit each */
	const char *name;
} destinations[] = {
	{0xf0000000, flat, 2, 0x41, 4, "11.6.2.1 physical: CPU 2"},
	{0xf0000000, flat, 1, 0x41, 2, "11.6.2.1 physical: the sender"},
	{0xf0000000, flat, 7, 0x41, 0, "11.6.2.1 physical: nobody"},
	{0xf0000000, flat, 0xff, 0x41, 15, "11.6.2.1 physical: broadcast"},
	{0xf0000000, flat, 0x04, LOGICAL | 0x41, 4, "11.6.2.2 flat: one"},
	{0xf0000000, flat, 0x85, LOGICAL | 0x41, 5, "11.6.2.2 flat: two of three bits"},
	{0xf0000000, flat, 0x00, LOGICAL | 0x41, 0, "11.6.2.2 flat: nobody"},
	{0xf0000000, flat, 0xff, LOGICAL | 0x41, 15, "11.6.2.2 flat: broadcast"},
	{0x00000000, clusters, 0x03, LOGICAL | 0x41, 3, "11.6.2.2 cluster: two of cluster 0"},
	{0x00000000, clusters, 0x12, LOGICAL | 0x41, 8, "11.6.2.2 cluster: one of cluster 1"},
	{0x00000000, clusters, 0x23, LOGICAL | 0x41, 0, "11.6.2.2 cluster: none of cluster 2"},
	{0x00000000, clusters, 0x10, LOGICAL | 0x41, 0, "11.6.2.2 cluster: no member"},
	{0x00000000, clusters, 0xff, LOGICAL | 0x41, 15, "11.6.2.2 cluster: broadcast"},
	{0x50000000, flat, 0x01, LOGICAL | 0x41, 0, "11.6.2.2 a reserved model: nobody"},
	{0xf0000000, flat, 3, SELF | 0x41, 2, "11.6.1 self"},
	{0xf0000000, flat, 3, ALL | 0x41, 15, "11.6.1 all including self"},
	{0xf0000000, flat, 3, ALL_BUT_SELF | 0x41, 13, "11.6.1 all excluding self"},
};

static void test_destinations(void)
{
	for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
		set_logical(destinations[i].model, destinations[i].logical);
		send(destinations[i].destination, destinations[i].low);
		is(lapics_that_got(&t, 0x41), destinations[i].receivers, "%s",
			destinations[i].name);
	}
	lapics_start(&t);
	lapic_write(&t.lapics[3], 0x020, 0x09000000, 0);
	send(9, 0x41);
	is(lapics_that_got(&t, 0x41), 8, "11.6.2.1 physical: the ID that was written");
	send(3, 0x42);
	is(lapics_that_got(&t, 0x42), 0, "11.6.2.1 and no longer the old one");
}

static void test_messages(void)
{
	for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
		uint32_t address = 0xfee00000 | (uint32_t)destinations[i].destination << 12 |
				   (destinations[i].low & LOGICAL ? 4 : 0);

		if (destinations[i].low & ALL_BUT_SELF)
			continue;
		set_logical(destinations[i].model, destinations[i].logical);
		lapic_bus_msi(&t.bus, address, 0x41);
		is(lapics_that_got(&t, 0x41), destinations[i].receivers, "11.11.1 message, %s",
			destinations[i].name);
	}
	lapics_start(&t);
	lapic_bus_msi(&t.bus, 0xfed02000, 0x41);
	lapic_bus_msi(&t.bus, 0x00002000, 0x41);
	is(lapics_that_got(&t, 0x41), 0, "11.11.1 another address is no message");
	lapic_bus_msi(&t.bus, 0xfeeff000, 0x41);
	is(lapics_that_got(&t, 0x41), 15, "11.11.1 broadcast");
	lapic_bus_msi(&t.bus, 0xfee02000, LEVEL | 0x42);
	is(lapics_that_got(&t, 0x42), 0, "11.11.2 a level that is low is none");
	lapic_bus_msi(&t.bus, 0xfee02000, LEVEL | ASSERTED | 0x42);
	is(lapics_that_got(&t, 0x42), 4, "11.11.2 a level that is high is one");
	for (uint8_t vector = 0; vector < 16; vector++)
		lapic_bus_msi(&t.bus, 0xfee02000, vector);
	ok(errors(2) == 0x40 && !(lapic_read(&t.lapics[2], 0x200, 0) & 0xffff),
		"11.5.3 a vector below 16 is an error of the receiver");
	is(errors(1), 0, "11.5.3 and of nobody else");
	lapics_forget(&t);
	lapic_bus_msi(&t.bus, 0xfee02000, SIPI | 0x43);
	lapic_bus_msi(&t.bus, 0xfee02000, 0x300 | 0x43);
	lapic_bus_msi(&t.bus, 0xfee02000, 0x700 | 0x43);
	ok(lapics_that_got(&t, 0x43) == 0 && t.cpus[2].sipis == 0 && t.cpus[2].wakes == 0,
		"11.11.2 reserved modes and ExtINT are dropped");
}

/* --- delivery modes ------------------------------------------------------------------------------
 * */

static void test_modes(void)
{
	lapics_start(&t);
	lapics_forget(&t);
	send(2, NMI | 0x05);
	ok(t.cpus[2].nmis == 1 && errors(1) == 0, "11.6.1 NMI: the vector does not count");
	send(2, SMI);
	is(t.cpus[2].smis, 1, "11.6.1 SMI");
	send(2, SIPI | 0x9a);
	ok(t.cpus[2].sipis == 1 && t.cpus[2].sipi_vector == 0x9a, "11.6.1 SIPI, with its vector");
	send(2, LEVEL | ASSERTED | 0x41);
	ok(lapic_bit(&t.lapics[2], 0x200, 0x41) && !lapic_bit(&t.lapics[2], 0x180, 0x41),
		"11.6.1 a fixed IPI is edge-triggered, whatever it says");
	is(lapic_read(&t.lapics[1], 0x300, 0), LEVEL | ASSERTED | 0x41,
		"11.6.1 ICR reads as written");
	send(2, 0x300 | 0x42);
	send(2, 0x700 | 0x42);
	is(lapics_that_got(&t, 0x42), 0, "11.6.1 reserved modes are not sent");
	for (unsigned vector = 0; vector < 16; vector++) {
		send(2, vector);
		send(2, LOWEST | vector);
	}
	ok(errors(1) == 0x20 && errors(2) == 0,
		"11.5.3 a vector below 16 is an error of the sender");
	send(2, 16);
	is(lapics_that_got(&t, 16), 4, "11.5.2 but vector 16 is none");
}

static void test_init(void)
{
	lapics_start(&t);
	lapic_write(&t.lapics[2], 0x020, 0x09000000, 0);
	lapic_write(&t.lapics[2], 0x080, 0x44, 0);
	lapic_base_write(&t.lapics[3], 0xfee00000);
	send(9, INIT | LEVEL);
	is(t.cpus[2].inits, 0, "11.6.1 INIT level de-assert reaches nobody");
	send(9, INIT | LEVEL | ASSERTED);
	is(t.cpus[2].inits, 1, "11.6.1 INIT");
	is(lapic_read(&t.lapics[2], 0x080, 0), 0, "11.4.7.3 it resets the local APIC");
	is(lapic_read(&t.lapics[2], 0x020, 0), 0x09000000, "11.4.7.3 but for its ID");
	is(lapic_base_read(&t.lapics[2]), 0xfee00800, "11.4.7.3 and IA32_APIC_BASE");
	send(9, INIT);
	is(t.cpus[2].inits, 2, "11.6.1 INIT, edge-triggered");
	send(0, ALL_BUT_SELF | INIT | ASSERTED);
	ok(t.cpus[0].inits == 1 && t.cpus[1].inits == 0 && t.cpus[2].inits == 3,
		"11.6.1 INIT to all excluding self");
	is(t.cpus[3].inits, 0, "11.4.3 one without a local APIC receives none");
	lapic_write(&t.lapics[1], 0x080, 0x44, 0);
	send(1, INIT);
	ok(t.cpus[1].inits == 1 && lapic_read(&t.lapics[1], 0x080, 0) == 0,
		"11.6.1 INIT to itself");
}

static void test_combinations(void)
{
	static const uint32_t modes[] = {LOWEST, SMI, NMI, INIT, SIPI};
	static const uint32_t shorthands[] = {SELF, ALL, ALL_BUT_SELF};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		for (size_t j = 0; j < sizeof shorthands / sizeof *shorthands; j++) {
			bool is_valid = shorthands[j] == ALL_BUT_SELF;
			struct test_cpu *cpu = &t.cpus[0];
			unsigned got = 0, self;

			lapics_start(&t);
			lapics_forget(&t);
			send(0, modes[i] | shorthands[j] | 0x41);
			got += lapics_that_got(&t, 0x41) != 0;
			got += cpu->smis + cpu->nmis + cpu->inits + cpu->sipis;
			cpu = &t.cpus[1];
			self = cpu->smis + cpu->nmis + cpu->inits + cpu->sipis;
			ok(got == is_valid && self == 0, "table 11-3 mode %u, shorthand %u: %s",
				modes[i] >> 8, shorthands[j] >> 18, is_valid ? "sent" : "not sent");
		}
}

static void test_lowest(void)
{
	unsigned turns = 0;

	lapics_start(&t);
	lapic_write(&t.lapics[0], 0x080, 0x40, 0);
	lapic_write(&t.lapics[1], 0x080, 0x20, 0);
	lapic_write(&t.lapics[2], 0x080, 0x30, 0);
	lapic_write(&t.lapics[3], 0x0f0, 0x0ff, 0);
	send(0xff, LOWEST | 0x81);
	is(lapics_that_got(&t, 0x81), 2, "11.6.2.4 lowest priority: the CPU whose PPR is");
	send(0, ALL_BUT_SELF | LOWEST | 0x82);
	is(lapics_that_got(&t, 0x82), 4, "11.6.2.4 of those addressed, the sender excluded");
	lapic_bus_msi(&t.bus, 0xfeeff000, LOWEST | 0x83);
	is(lapics_that_got(&t, 0x83), 2, "11.11.2 a message with that mode");
	lapic_bus_msi(&t.bus, 0xfeeff008, 0x84);
	is(lapics_that_got(&t, 0x84), 2, "11.11.1 or with the redirection hint");
	lapic_bus_msi(&t.bus, 0xfee03008, 0x85);
	is(lapics_that_got(&t, 0x85), 0, "11.6.2.4 disabled by software, nobody takes it");

	lapics_start(&t);
	for (unsigned i = 0; i < TEST_LAPICS; i++) {
		send(0xff, LOWEST | (0x90 + i));
		turns += lapics_that_got(&t, 0x90 + i) << 4 * i;
	}
	is(turns, 0x1842, "11.6.2.4 of equal ones each has its turn");
}

int main(void)
{
	test_destinations();
	test_messages();
	test_modes();
	test_init();
	test_combinations();
	test_lowest();
	return tap_done();
}
