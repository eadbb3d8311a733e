/* SPDX-License-Identifier: BSD-2-Clause */
/* The pair of 8259A. Points name the parts of the 8259A data sheet. */
#include "chips/pic.h"

#include <stddef.h>

#include "../tap.h"

#define MASTER 0x20
#define SLAVE  0xa0
#define NONE   0x100

static struct pic pic;

static void out(uint16_t port, uint8_t value)
{
	pic_write(&pic, port, value);
}

/* IRR (OCW3 0x0a) or ISR (0x0b). */
static uint8_t look(uint16_t chip, uint8_t ocw3)
{
	out(chip, ocw3);
	return pic_read(&pic, chip);
}

static void initialize(uint8_t master_icw4, uint8_t slave_icw4)
{
	out(MASTER, 0x11);
	out(MASTER + 1, 0x30);
	out(MASTER + 1, 0x04);
	out(MASTER + 1, master_icw4);
	out(SLAVE, 0x11);
	out(SLAVE + 1, 0x70);
	out(SLAVE + 1, 0x02);
	out(SLAVE + 1, slave_icw4);
}

/* As a BIOS does: vectors 0x30 and 0x70, 8086 mode, nothing masked. */
static void start(void)
{
	pic_init(&pic);
	initialize(0x01, 0x01);
}

static void pulse(unsigned irq)
{
	pic_raise(&pic, irq, true);
	pic_raise(&pic, irq, false);
}

/* The vector that the CPU gets; NONE if it is not interrupted. */
static unsigned taken(void)
{
	return pic_output(&pic) ? pic_acknowledge(&pic) : NONE;
}

static void eoi(uint16_t chip)
{
	out(chip, 0x20);
}

/* --- initialization ------------------------------------------------------------------------------
 * */

static void test_initialization(void)
{
	pic_init(&pic);
	pulse(1);
	ok(!pic_output(&pic), "ICW: no output before the initialization");
	out(MASTER + 1, 0x5a);
	is(pic_read(&pic, MASTER + 1), 0x5a, "OCW1: the mask can be written and read before it");

	out(MASTER, 0x11);
	pulse(1);
	out(MASTER + 1, 0x37);
	out(MASTER + 1, 0x04);
	ok(!pic_output(&pic), "ICW: nor is there one while it lasts");
	out(MASTER + 1, 0x01);
	is(pic_read(&pic, MASTER + 1), 0, "ICW1 clears the mask");
	is(taken(), 0x31, "ICW2: its five high bits are the vector's");
	is(look(MASTER, 0x0b), 0x02, "and the interrupt is in service");

	out(MASTER, 0x10);
	out(MASTER + 1, 0x40);
	out(MASTER + 1, 0x04);
	is(look(MASTER, 0x0b), 0, "ICW1 ends all service");
	out(MASTER + 1, 0xf1);
	is(pic_read(&pic, MASTER + 1), 0xf1, "ICW1 without IC4: no ICW4 follows");
	out(MASTER, 0x13);
	out(MASTER + 1, 0x50);
	out(MASTER + 1, 0x01);
	out(MASTER + 1, 0xf2);
	is(pic_read(&pic, MASTER + 1), 0xf2, "ICW1 with SNGL: no ICW3 follows");

	start();
	pic_raise(&pic, 3, true);
	initialize(0x01, 0x01);
	ok(!pic_output(&pic), "ICW1: a line that is high already is no edge");
	pic_raise(&pic, 3, false);
	pic_raise(&pic, 3, true);
	is(taken(), 0x33, "ICW1: but it is when it rises again");
	start();
	out(MASTER, 0x68);
	out(MASTER, 0x0b);
	out(MASTER, 0xc3);
	initialize(0x01, 0x01);
	pulse(4);
	pulse(3);
	is(pic_read(&pic, MASTER), 0x18, "ICW1: a status read is of IRR");
	is(taken(), 0x33, "ICW1: IR7 has the lowest priority again");
}

static void test_ports(void)
{
	start();
	is(pic_read(&pic, 0x22), 0xff, "no port of theirs: read");
	out(0x22, 0xff);
	out(0x4d2, 0xff);
	is(pic_read(&pic, MASTER + 1) | pic_read(&pic, 0x4d0), 0, "no port of theirs: written");
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	is(pic_read(&pic, 0x4d0), 0xf8, "ELCR: IRQ 0 to 2 are always edges");
	is(pic_read(&pic, 0x4d1), 0xde, "ELCR: and so are IRQ 8 and 13");
	initialize(0x01, 0x01);
	is(pic_read(&pic, 0x4d0), 0xf8, "ELCR: ICW1 leaves it alone");
	start();
	out(MASTER, 0x19);
	out(MASTER + 1, 0x30);
	out(MASTER + 1, 0x04);
	out(MASTER + 1, 0x01);
	pic_raise(&pic, 3, true);
	taken();
	eoi(MASTER);
	is(taken(), NONE, "ELCR: LTIM in ICW1 does not count beside it");
}

/* --- priorities ----------------------------------------------------------------------------------
 * */

static void test_fully_nested(void)
{
	start();
	pulse(6);
	pulse(1);
	pulse(3);
	is(look(MASTER, 0x0a), 0x4a, "OCW3: IRR shows requests");
	is(taken(), 0x31, "fully nested: the lowest number first");
	is(look(MASTER, 0x0a), 0x48, "the request goes from IRR ...");
	is(look(MASTER, 0x0b), 0x02, "... to ISR");
	is(pic_read(&pic, MASTER), 0x02, "OCW3: the choice of register stays");
	is(taken(), NONE, "fully nested: lower priorities wait");
	pulse(0);
	is(taken(), 0x30, "fully nested: a higher one does not");
	eoi(MASTER);
	is(look(MASTER, 0x0b), 0x02, "non-specific EOI: of the highest in service");
	is(taken(), NONE, "and the other still holds the rest back");
	out(MASTER, 0x61);
	is(taken(), 0x33, "specific EOI");
	pulse(3);
	is(taken(), NONE, "fully nested: not itself");
	eoi(MASTER);
	is(taken(), 0x33, "but after its EOI");
	eoi(MASTER);
	is(taken(), 0x36, "and at last the lowest");
	eoi(MASTER);
	eoi(MASTER);
	is(taken(), NONE, "non-specific EOI of nothing is harmless");
}

static void test_mask(void)
{
	start();
	out(MASTER + 1, 0x08);
	pulse(3);
	is(taken(), NONE, "OCW1: a masked pin does not interrupt");
	is(look(MASTER, 0x0a), 0x08, "OCW1: but its edge is in IRR");
	out(MASTER + 1, 0x00);
	is(taken(), 0x33, "OCW1: and interrupts when it is unmasked");
	is(pic_read(&pic, SLAVE + 1), 0, "OCW1: each chip has its own");
}

static void test_edges_and_levels(void)
{
	start();
	pic_raise(&pic, 5, true);
	pic_raise(&pic, 5, true);
	is(taken(), 0x35, "edge: a rising line");
	eoi(MASTER);
	is(taken(), NONE, "edge: a line that stays high is one request");
	pic_raise(&pic, 5, false);
	is(taken(), NONE, "edge: a falling line is none");
	pulse(5);
	ok(pic_output(&pic), "edge: it waits, though its line has fallen");

	start();
	out(0x4d0, 0x20);
	pic_raise(&pic, 5, true);
	is(taken(), 0x35, "level: a high line");
	is(look(MASTER, 0x0a), 0x20, "level: is in IRR all the time");
	eoi(MASTER);
	is(taken(), 0x35, "level: still high after EOI, it interrupts again");
	eoi(MASTER);
	pic_raise(&pic, 5, false);
	is(taken(), NONE, "level: low, it does not");
	out(0x4d0, 0x00);
	is(taken(), NONE, "ELCR: a change of mode is no edge");
	pic_raise(&pic, 5, true);
	out(0x4d0, 0x20);
	out(0x4d0, 0x00);
	is(taken(), NONE, "ELCR: and forgets the edges of the other mode");
	start();
	out(0x4d1, 0x08);
	pic_raise(&pic, 11, true);
	is(taken(), 0x73, "level: on the slave");
	eoi(SLAVE);
	eoi(MASTER);
	is(taken(), 0x73, "level: and again after both EOI");
}

static void test_rotation(void)
{
	start();
	out(MASTER, 0xc3);
	pulse(3);
	pulse(4);
	pulse(0);
	is(taken(), 0x34, "set priority: the pin after the lowest is the highest");
	eoi(MASTER);
	is(taken(), 0x30, "set priority: the order goes on from there");
	eoi(MASTER);
	is(taken(), 0x33, "set priority: to the lowest");

	start();
	pulse(2 + 1);
	pulse(4);
	is(taken(), 0x33, "rotation: first the highest");
	out(MASTER, 0xa0);
	pulse(3);
	is(taken(), 0x34, "rotate on non-specific EOI: then it is the lowest");
	out(MASTER, 0xe6);
	is(look(MASTER, 0x0b), 0x10, "rotate on specific EOI: of that pin");
	pulse(7);
	is(taken(), 0x37, "rotate on specific EOI: which is the lowest then");
	start();
	out(MASTER, 0xa0);
	pulse(1);
	pulse(0);
	is(taken(), 0x30, "rotate on non-specific EOI of nothing does not rotate");
	start();
	out(MASTER, 0x43);
	pulse(4);
	pulse(3);
	is(taken(), 0x33, "OCW2: the no-operation does nothing");
}

static void test_automatic_eoi(void)
{
	pic_init(&pic);
	initialize(0x03, 0x01);
	pulse(4);
	pulse(3);
	is(taken(), 0x33, "automatic EOI");
	is(look(MASTER, 0x0b), 0, "automatic EOI: nothing is in service");
	is(taken(), 0x34, "automatic EOI: so nothing waits");
	out(MASTER, 0x80);
	pulse(3);
	pulse(4);
	is(taken(), 0x33, "rotate in automatic EOI mode: the first");
	pulse(3);
	is(taken(), 0x34, "rotate in automatic EOI mode: is the lowest then");
	is(taken(), 0x33, "rotate in automatic EOI mode: and has its turn");
	out(MASTER, 0x00);
	pulse(3);
	taken();
	pulse(3);
	pulse(4);
	is(taken(), 0x34, "rotate in automatic EOI mode, cleared: the order stays");
}

static void test_special_mask(void)
{
	start();
	pulse(2 + 1);
	taken();
	out(MASTER + 1, 0x08);
	pulse(6);
	is(taken(), NONE, "without special mask mode a masked pin in service holds back others");
	out(MASTER, 0x68);
	is(taken(), 0x36, "special mask mode: it does not");
	pulse(1);
	is(taken(), 0x31, "special mask mode: higher ones nest");
	pulse(7);
	is(taken(), NONE, "special mask mode: an unmasked one in service holds back others");
	eoi(MASTER);
	eoi(MASTER);
	is(look(MASTER, 0x0b), 0x08,
		"special mask mode: non-specific EOI leaves the masked one out");
	out(MASTER, 0x08);
	is(taken(), 0x37, "OCW3 without ESMM leaves the mode alone");
	out(MASTER, 0x67);
	eoi(MASTER);
	out(MASTER, 0x48);
	is(look(MASTER, 0x0b), 0x08, "and the masked one stays in service");
	pulse(6);
	is(taken(), NONE, "special mask mode, reset: it holds back others again");
}

/* --- the pair ------------------------------------------------------------------------------------
 * */

static void test_cascade(void)
{
	start();
	pulse(12);
	is(look(MASTER, 0x0a), 0x04, "cascade: the slave's request is on IR2");
	is(taken(), 0x74, "cascade: the vector is the slave's");
	is(look(MASTER, 0x0b), 0x04, "cascade: IR2 is in service in the master");
	is(look(SLAVE, 0x0b), 0x10, "cascade: and the pin in the slave");
	pulse(3);
	is(taken(), NONE, "cascade: IRQ 3 has a lower priority");
	pulse(9);
	is(taken(), NONE, "cascade: and a higher one of the slave's waits for the master");
	eoi(MASTER);
	is(taken(), 0x71, "cascade: until its EOI");
	eoi(SLAVE);
	eoi(MASTER);
	eoi(SLAVE);
	is(taken(), 0x33, "cascade: after both EOI the master goes on");
	eoi(MASTER);
	pulse(14);
	pulse(13);
	is(taken(), 0x75, "cascade: two requests of the slave, the first");
	eoi(SLAVE);
	is(taken(), NONE, "cascade: EOI for the slave alone is not enough");
	eoi(MASTER);
	is(taken(), 0x76, "cascade: the second is an edge for the master");
	eoi(SLAVE);
	eoi(MASTER);
	pulse(8);
	is(taken(), 0x70, "cascade: IRQ 8 is the slave's highest");
	pic_init(&pic);
	initialize(0x03, 0x03);
	pulse(13);
	pulse(12);
	is(taken(), 0x74, "cascade: automatic EOI in both, the first");
	is(taken(), 0x75, "cascade: the slave's output falls in between, so the second is an edge");
	start();
	pic_raise(&pic, 2, true);
	is(taken(), NONE, "cascade: IRQ 2 has no line of its own");
	out(MASTER + 1, 0x04);
	pulse(8);
	is(taken(), NONE, "cascade: IR2 masked, none of the slave's comes through");
}

static void test_special_fully_nested(void)
{
	pic_init(&pic);
	initialize(0x11, 0x11);
	pulse(12);
	taken();
	pulse(9);
	is(taken(), 0x71, "special fully nested: a higher one of the slave's nests");
	pulse(13);
	pulse(3);
	is(taken(), NONE, "special fully nested: lower ones wait, in both chips");
	pulse(9);
	is(taken(), NONE, "special fully nested: nor does a pin nest itself");
	pulse(0);
	is(taken(), 0x30, "special fully nested: a higher one of the master's nests");
	pulse(0);
	is(taken(), NONE, "special fully nested: but not itself");
	pic_init(&pic);
	initialize(0x11, 0x11);
	pulse(10);
	taken();
	pulse(10);
	is(taken(), NONE, "special fully nested: the slave's own pin 2 is not special");
}

static void test_spurious(void)
{
	start();
	out(0x4d0, 0x20);
	pic_raise(&pic, 5, true);
	pic_raise(&pic, 5, false);
	is(pic_acknowledge(&pic), 0x37, "spurious: a request that has gone is IR7");
	is(look(MASTER, 0x0b), 0, "spurious: which is not in service");
	pulse(12);
	out(SLAVE + 1, 0x10);
	is(taken(), 0x77, "spurious: the slave's is IR7 of the slave");
	is(look(SLAVE, 0x0b), 0, "spurious: not in service there");
	is(look(MASTER, 0x0b), 0x04, "spurious: but IR2 is in the master");
}

static void test_poll(void)
{
	start();
	look(MASTER, 0x0b);
	pulse(4);
	out(MASTER, 0x0c);
	is(pic_read(&pic, MASTER), 0x84, "poll: a read tells the pin");
	is(pic_read(&pic, MASTER), 0x10, "poll: and puts it into service, as the next read shows");
	pulse(0);
	out(MASTER, 0x0c);
	is(pic_read(&pic, MASTER), 0x80, "poll: pin 0");
	eoi(MASTER);
	eoi(MASTER);
	out(MASTER, 0x0c);
	is(pic_read(&pic, MASTER), 0, "poll: nothing is there");
	is(pic_read(&pic, MASTER), 0, "poll: the read after that is of ISR again");
	pulse(9);
	out(MASTER, 0x0c);
	is(pic_read(&pic, MASTER + 1), 0x82, "poll: any read counts; the slave is IR2");
	out(SLAVE, 0x0c);
	is(pic_read(&pic, SLAVE), 0x81, "poll: and is polled itself");
	eoi(SLAVE);
	eoi(MASTER);
	is(taken(), NONE, "poll: then nothing is left");
}

int main(void)
{
	test_initialization();
	test_ports();
	test_fully_nested();
	test_mask();
	test_edges_and_levels();
	test_rotation();
	test_automatic_eoi();
	test_special_mask();
	test_cascade();
	test_special_fully_nested();
	test_spurious();
	test_poll();
	return tap_done();
}
