/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller's registers, without an engine: what drivers of tutorials and Linux's
 * i8042 driver do. Clauses: IBM Personal System/2 Technical Reference ("PS/2"), controller commands
 * and keyboard commands.
 */
#include "chips/i8042.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"

struct fixture {
	struct i8042 controller;
	unsigned raised, resets;
};

static void raise_interrupt(void *ctx)
{
	((struct fixture *)ctx)->raised++;
}

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static struct fixture f;

static void setup(void)
{
	memset(&f, 0, sizeof f);
	i8042_init(&f.controller, raise_interrupt, reset, &f);
}

static void command(uint8_t value)
{
	i8042_write(&f.controller, I8042_STATUS, value);
}

static void data(uint8_t value)
{
	i8042_write(&f.controller, I8042_DATA, value);
}

static uint8_t status(void)
{
	return i8042_read(&f.controller, I8042_STATUS);
}

/* All bytes that are there to be read, in hexadecimal: "fa aa ". */
static const char *answer(void)
{
	static char text[128];
	size_t len = 0;

	*text = '\0';
	while (status() & 1 && len < sizeof text - 4)
		len += (size_t)snprintf(text + len, sizeof text - len, "%02x ",
			i8042_read(&f.controller, I8042_DATA));
	return text;
}

#define answers(expected, name) ok(strcmp(answer(), expected) == 0, name)

static void test_controller(void)
{
	setup();
	is(status(), 0x14, "PS/2: nothing to read, not busy, self-test passed, not locked");
	is(i8042_read(&f.controller, I8042_DATA), 0, "PS/2: an empty buffer can be read");
	command(0xaa);
	is(status() & 1, 1, "PS/2: the status says that there is a byte");
	answers("55 ", "PS/2, aa: self-test passed");
	command(0xab);
	answers("00 ", "PS/2, ab: keyboard test passed");
	command(0xa9);
	answers("02 ", "PS/2, a9: no mouse");
	command(0x20);
	answers("65 ", "PS/2, 20: interrupt, system flag, no mouse, translation");
	command(0xad);
	command(0x20);
	answers("75 ", "PS/2, ad: keyboard disabled");
	command(0xae);
	command(0x60);
	is(status() & 8, 8, "PS/2: a command that waits for its byte");
	data(0x44);
	answers("", "PS/2, 60: the byte is the controller's");
	command(0x20);
	answers("44 ", "PS/2, 60: configuration");
	command(0xd0);
	answers("03 ", "PS/2, d0: A20 is enabled, no reset");
	command(0xd2);
	data(0x1e);
	answers("1e ", "PS/2, d2: a byte as if from the keyboard");
	command(0xd4);
	data(0xff);
	answers("", "PS/2, d4: no mouse, no answer");
	command(0x00);
	answers("", "a command that is not known is lost");
	i8042_free(&f.controller);
}

static void test_keyboard(void)
{
	setup();
	data(0xff);
	answers("fa aa ", "PS/2, ff: reset");
	data(0xed);
	answers("fa ", "PS/2, ed: lamps");
	data(0x07);
	answers("fa ", "PS/2, ed: which");
	data(0xf2);
	answers("fa ab 41 ", "PS/2, f2: an MF2 keyboard, translated");
	data(0xf0);
	data(0x00);
	answers("fa fa 02 ", "PS/2, f0: scan code set 2");
	data(0xf0);
	data(0x01);
	answers("fa fa ", "PS/2, f0: is changed");
	data(0xf0);
	data(0x00);
	answers("fa fa 01 ", "PS/2, f0: to 1");
	data(0xee);
	answers("ee ", "PS/2, ee: echo");
	data(0xf4);
	answers("fa ", "PS/2, f4: scanning enabled");
	data(0x12);
	answers("fe ", "PS/2: a command that is not known");
	for (unsigned i = 0; i < 1000; i++)
		data(0xee);
	is(strlen(answer()), 3 * 16, "what nobody reads is lost after 16 bytes");
	i8042_free(&f.controller);
}

static void test_interrupts(void)
{
	setup();
	data(0xff);
	is(f.raised, 1, "PS/2: a byte in the output buffer interrupts");
	i8042_read(&f.controller, I8042_DATA);
	is(f.raised, 2, "PS/2: so does the next, once it is there");
	i8042_read(&f.controller, I8042_DATA);
	is(f.raised, 2, "PS/2: and no more");
	command(0x60);
	data(0x64);
	data(0xee);
	is(f.raised, 2, "PS/2, 60: interrupts are disabled");
	i8042_free(&f.controller);
}

static void test_reset(void)
{
	setup();
	command(0xfe);
	is(f.resets, 1, "PS/2, fe: the reset line is pulsed");
	command(0xff);
	command(0xf1);
	is(f.resets, 1, "PS/2, ff: no line, f1: others");
	command(0xf0);
	is(f.resets, 2, "PS/2, f0: all lines");
	command(0xd1);
	data(0x03);
	is(f.resets, 2, "PS/2, d1: A20");
	command(0xd1);
	data(0x02);
	is(f.resets, 3, "PS/2, d1: the reset line is low");
	i8042_free(&f.controller);
}

int main(void)
{
	test_controller();
	test_keyboard();
	test_interrupts();
	test_reset();
	return tap_done();
}
