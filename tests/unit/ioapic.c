/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOAPIC's registers and the messages that its entries become. Clauses: 82093AA data sheet, and
 * Intel SDM 3 for the messages. */
#include "chips/ioapic.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"

struct seen {
	unsigned calls;
	struct ioapic_route routes[IOAPIC_PINS];
};

static void note_routes(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct seen *seen = ctx;

	seen->calls++;
	memcpy(seen->routes, routes, sizeof seen->routes);
}

static uint32_t read32(struct ioapic *ioapic, uint32_t offset)
{
	uint8_t data[4] = {0xaa, 0xaa, 0xaa, 0xaa};
	uint32_t value;

	ioapic_read(ioapic, offset, data, 4);
	memcpy(&value, data, 4);
	return value;
}

static void write32(struct ioapic *ioapic, uint32_t offset, uint32_t value)
{
	uint8_t data[4];

	memcpy(data, &value, 4);
	ioapic_write(ioapic, offset, data, 4);
}

static uint32_t get(struct ioapic *ioapic, uint8_t index)
{
	write32(ioapic, 0x00, index);
	return read32(ioapic, 0x10);
}

static void set(struct ioapic *ioapic, uint8_t index, uint32_t value)
{
	write32(ioapic, 0x00, index);
	write32(ioapic, 0x10, value);
}

static void start(struct ioapic *ioapic, struct seen *seen)
{
	*seen = (struct seen){0};
	if (ioapic_init(ioapic, note_routes, seen) != 0)
		printf("Bail out! ioapic_init\n");
}

static void test_registers(void)
{
	struct ioapic ioapic;
	struct seen seen;
	bool masked = true;

	start(&ioapic, &seen);
	is(get(&ioapic, 0), 0, "3.2.1 the ID is 0 at first");
	is(get(&ioapic, 1), 0x170011, "3.2.2 version 0x11, 24 entries");
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		masked &= get(&ioapic, (uint8_t)(0x10 + 2 * pin)) == 0x10000 &&
			  get(&ioapic, (uint8_t)(0x11 + 2 * pin)) == 0;
	ok(masked, "3.2.4 all pins are masked at first");

	set(&ioapic, 0, 0xffffffff);
	is(get(&ioapic, 0), 0x0f000000, "3.2.1 four bits of the ID can be written");
	is(get(&ioapic, 2), 0x0f000000, "3.2.3 the arbitration ID follows");
	set(&ioapic, 1, 0);
	is(get(&ioapic, 1), 0x170011, "3.2.2 the version cannot be written");
	set(&ioapic, 2, 0);
	is(get(&ioapic, 2), 0x0f000000, "3.2.3 the arbitration ID cannot be written");
	write32(&ioapic, 0, 0x12345611);
	is(read32(&ioapic, 0), 0x11, "3.1.1 IOREGSEL reads back its low 8 bits");

	set(&ioapic, 0x10 + 2 * 5, 0xffffffff);
	set(&ioapic, 0x11 + 2 * 5, 0xffffffff);
	is(get(&ioapic, 0x10 + 2 * 5), 0x00010fff,
		"3.2.4 status, remote IRR, polarity and trigger mode read as 0");
	is(get(&ioapic, 0x11 + 2 * 5), 0xff000000, "3.2.4 reserved bits read as 0");
	is(get(&ioapic, 0x10 + 2 * 4), 0x10000, "3.2.4 the entry before is untouched");
	is(get(&ioapic, 0x10 + 2 * 6), 0x10000, "3.2.4 the entry after is untouched");
	is(seen.calls, 0, "routes: none of this changed one");
	ioapic_free(&ioapic);
}

static void test_holes(void)
{
	struct ioapic ioapic;
	struct seen seen;
	static const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	bool zero = true, no_register = true;

	start(&ioapic, &seen);
	for (unsigned index = 3; index < 256; index++) {
		if (index >= 0x10 && index < 0x40)
			continue;
		set(&ioapic, (uint8_t)index, 0xffffffff);
		no_register &= get(&ioapic, (uint8_t)index) == 0;
	}
	ok(no_register, "3.2 an index without a register reads as 0 after a write");

	write32(&ioapic, 0x00, 0x01);
	for (unsigned len = 0; len <= 8; len++) {
		uint8_t data[9];

		memset(data, 0xaa, sizeof data);
		if (len != 4) {
			ioapic_write(&ioapic, 0x00, ones, len);
			ioapic_write(&ioapic, 0x10, ones, len);
			ioapic_read(&ioapic, 0x10, data, len);
			for (unsigned i = 0; i < len; i++)
				zero &= data[i] == 0;
			zero &= data[len] == 0xaa;
		}
	}
	ok(zero, "3.1 an access of another width reads as 0, and no byte beyond it is written");
	is(read32(&ioapic, 0x00), 0x01, "3.1 a write of another width is dropped");

	zero = true;
	for (uint32_t offset = 0; offset < PAGE_SIZE; offset++) {
		if (offset == 0x00 || offset == 0x10)
			continue;
		write32(&ioapic, offset, 0xffffffff);
		zero &= read32(&ioapic, offset) == 0;
	}
	ok(zero, "3.1 everything else in the page reads as 0");
	is(read32(&ioapic, 0x00), 0x01, "3.1 and drops what is written to it");
	is(seen.calls, 0, "routes: none of this changed one");
	ioapic_free(&ioapic);
}

static void test_routes(void)
{
	struct ioapic ioapic;
	struct seen seen;

	start(&ioapic, &seen);
	set(&ioapic, 0x11 + 2 * 3, 0x02000000);
	is(seen.calls, 0, "routes: a masked entry's destination changes nothing");
	set(&ioapic, 0x10 + 2 * 3, 0x00000041);
	is(seen.calls, 1, "routes: unmasking is one change");
	ok(seen.routes[3].enabled, "routes: the pin is enabled");
	is(seen.routes[3].address, 0xfee02000, "SDM 11.11.1 physical destination 2");
	is(seen.routes[3].data, 0x41, "SDM 11.11.2 fixed delivery, edge, vector 0x41");
	ok(!seen.routes[2].enabled && !seen.routes[4].enabled, "routes: others stay disabled");

	set(&ioapic, 0x10 + 2 * 3, 0x00000041);
	set(&ioapic, 0x10 + 2 * 3, 0x0000a041);
	is(seen.calls, 1,
		"routes: writing the same, or trigger mode and polarity, changes nothing");

	set(&ioapic, 0x10 + 2 * 3, 0x00000942);
	is(seen.calls, 2, "routes: a new vector and mode is a change");
	is(seen.routes[3].address, 0xfee02004, "SDM 11.11.1 logical destination mode");
	is(seen.routes[3].data, 0x142, "SDM 11.11.2 lowest priority, vector 0x42");

	set(&ioapic, 0x11 + 2 * 3, 0xff000000);
	is(seen.calls, 3, "routes: a new destination of an unmasked pin is a change");
	is(seen.routes[3].address, 0xfeeff004, "SDM 11.11.1 eight bits of destination");

	set(&ioapic, 0x10 + 2 * 3, 0x00010942);
	is(seen.calls, 4, "routes: masking is a change");
	ok(!seen.routes[3].enabled, "routes: the pin is disabled");

	set(&ioapic, 0x10 + 2 * 23, 0x000000fe);
	ok(seen.calls == 5 && seen.routes[23].enabled, "3.2.4 the last pin has an entry");
	ioapic_free(&ioapic);
}

static void test_delivery_modes(void)
{
	static const struct {
		uint32_t low;
		bool enabled;
		uint32_t data;
		const char *name;
	} cases[] = {
		{0x0010, true, 0x10, "SDM 11.5.2 vector 16 is the first"},
		{0x000f, false, 0, "SDM 11.5.2 vector 15 is none: fixed"},
		{0x010f, false, 0, "SDM 11.5.2 vector 15 is none: lowest priority"},
		{0x0000, false, 0, "SDM 11.5.2 vector 0 is none"},
		{0x00ff, true, 0xff, "vector 255 passes"},
		{0x0230, false, 0, "3.2.4 SMI: the machine has no SMM"},
		{0x0330, false, 0, "3.2.4 mode 3 is reserved"},
		{0x0402, true, 0x402, "3.2.4 NMI, whatever the vector"},
		{0x0500, true, 0x500, "3.2.4 INIT"},
		{0x0630, false, 0, "3.2.4 mode 6 is reserved"},
		{0x0730, false, 0, "3.2.4 ExtINT: the machine has no PIC"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ioapic ioapic;
		struct seen seen;

		start(&ioapic, &seen);
		set(&ioapic, 0x10, cases[i].low);
		ok(seen.calls == cases[i].enabled && seen.routes[0].enabled == cases[i].enabled &&
				seen.routes[0].data == cases[i].data &&
				get(&ioapic, 0x10) == cases[i].low,
			"%s", cases[i].name);
		ioapic_free(&ioapic);
	}
}

static struct ioapic_pin inspect(struct ioapic *ioapic, unsigned number)
{
	struct ioapic_pin pin;

	ioapic_inspect(ioapic, number, &pin);
	return pin;
}

static void test_lost_edges(void)
{
	struct ioapic ioapic;
	struct ioapic_pin pin;
	struct seen seen;

	start(&ioapic, &seen);
	pin = inspect(&ioapic, 3);
	ok(pin.obstacle == IOAPIC_MASKED && pin.lost == 0, "lost edges: none at first");
	ioapic_edge(&ioapic, 3);
	ioapic_edge(&ioapic, 3);
	pin = inspect(&ioapic, 3);
	ok(pin.lost == 2 && pin.lost_by == IOAPIC_MASKED, "lost edges: two at a masked pin");
	is(inspect(&ioapic, 4).lost, 0, "lost edges: none at its neighbour");

	set(&ioapic, 0x10 + 2 * 3, 0x41);
	ioapic_edge(&ioapic, 3);
	pin = inspect(&ioapic, 3);
	ok(pin.obstacle == IOAPIC_OPEN && pin.lost == 2 && pin.lost_by == IOAPIC_MASKED,
		"lost edges: no more once the pin is unmasked, and these are remembered");
	ok(pin.vector == 0x41 && pin.delivery == IOAPIC_FIXED && pin.destination == 0 &&
			!pin.is_logical,
		"inspect: the entry");

	set(&ioapic, 0x10 + 2 * 3, 0x05);
	ioapic_edge(&ioapic, 3);
	pin = inspect(&ioapic, 3);
	ok(pin.obstacle == IOAPIC_VECTOR && pin.lost == 3 && pin.lost_by == IOAPIC_VECTOR,
		"lost edges: a vector below 16 loses them");
	set(&ioapic, 0x10 + 2 * 3, 0x730);
	is(inspect(&ioapic, 3).obstacle, IOAPIC_DELIVERY, "inspect: ExtINT delivers nothing");
	ioapic_free(&ioapic);
}

static void test_level(void)
{
	struct ioapic ioapic;
	struct seen seen;

	start(&ioapic, &seen);
	set(&ioapic, 0x10 + 2 * 7, 0x8041);
	ok(inspect(&ioapic, 7).level_asked && !inspect(&ioapic, 6).level_asked,
		"inspect: level trigger was asked for, though no pin has it");
	set(&ioapic, 0x11 + 2 * 7, 0);
	ok(inspect(&ioapic, 7).level_asked, "inspect: the other half changes nothing of it");
	set(&ioapic, 0x10 + 2 * 7, 0x41);
	ok(!inspect(&ioapic, 7).level_asked, "inspect: and then edge trigger");
	ioapic_free(&ioapic);
}

int main(void)
{
	test_registers();
	test_holes();
	test_routes();
	test_delivery_modes();
	test_lost_edges();
	test_level();
	return tap_done();
}
