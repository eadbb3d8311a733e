/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of the CRT controller, and the screen as text. Clauses: IBM Personal System/2
 * Technical Reference ("PS/2"), video subsystem.
 */
#include "chips/vga_text.h"

#include <string.h>

#include "../tap.h"

static struct vga_text vga;
static uint8_t cells[VGA_TEXT_SIZE];

static void setup(void)
{
	vga_text_init(&vga);
	memset(cells, 0, sizeof cells);
	for (size_t i = 0; i < sizeof cells; i += 2)
		cells[i] = ' ';
}

static void set(uint8_t index, uint8_t value)
{
	vga_text_write(&vga, VGA_CRTC_INDEX, index);
	vga_text_write(&vga, VGA_CRTC_DATA, value);
}

static uint8_t get(uint8_t index)
{
	vga_text_write(&vga, VGA_CRTC_INDEX, index);
	return vga_text_read(&vga, VGA_CRTC_DATA);
}

static void put(unsigned place, const char *text)
{
	for (; *text; text++, place++)
		cells[2 * place % VGA_TEXT_SIZE] = (uint8_t)*text;
}

static bool shows(unsigned row, bool utf8, const char *expected)
{
	char text[VGA_TEXT_ROW_MAX];
	size_t len = vga_text_row(&vga, cells, row, utf8, text);

	return len == strlen(expected) && strcmp(text, expected) == 0;
}

static void test_registers(void)
{
	setup();
	is(get(0x0c) << 8 | get(0x0d), 0, "PS/2: the screen starts at 0");
	is(get(0x0e) << 8 | get(0x0f), 0, "PS/2: the cursor is at 0");
	is(get(0x09), 0x4f, "PS/2: mode 3: 16 lines in a character");
	is(vga_text_read(&vga, VGA_CRTC_INDEX), 0x09, "PS/2: the index can be read");
	set(0x0e, 0x07);
	set(0x0f, 0xcf);
	is(get(0x0e) << 8 | get(0x0f), 0x07cf, "PS/2: the cursor can be set and read");
	set(0x19, 0x55);
	is(get(0x19), 0xff, "PS/2: there is no register 0x19");
	set(0xff, 0x55);
	is(get(0xff), 0xff, "PS/2: nor 0xff");
	is(get(0x18), 0xff, "PS/2: the last one is 0x18");
	is(vga_text_read(&vga, VGA_INPUT_STATUS) ^ vga_text_read(&vga, VGA_INPUT_STATUS), 0x09,
		"PS/2: who waits for a retrace, or for its end, finds it");
}

static void test_text(void)
{
	char text[VGA_TEXT_ROW_MAX];

	setup();
	ok(shows(0, true, ""), "an empty row");
	put(0, "Hello  ");
	put(79, "!x");
	ok(shows(0, true,
		   "Hello                                                                          "
		   "!"),
		"a row of 80 characters");
	ok(shows(1, true, "x"), "and the next");
	memset(cells, 0, sizeof cells);
	ok(shows(0, true, ""), "zeros are blank");
	memset(cells, 0xff, sizeof cells);
	ok(shows(0, true, ""), "so is the last character of the code page");

	setup();
	put(80, "\x01\xc9\xcd\xbb \x81\xe4 \x1b\x7f\xdb");
	ok(shows(1, true, "\u263a\u2554\u2550\u2557 \u00fc\u03a3 \u2190\u2302\u2588"),
		"code page 437 in UTF-8");
	ok(shows(1, false, "?+=+ u? <?#"), "and in ASCII");
	memset(cells, 0xb0, sizeof cells);
	is(vga_text_row(&vga, cells, 24, true, text), 240, "three bytes for each at most");
	for (unsigned i = 0; i < 256; i++)
		cells[2 * i] = (uint8_t)i;
	for (unsigned row = 0; row < 3; row++) {
		bool bad = false;

		vga_text_row(&vga, cells, row, false, text);
		for (const char *at = text; *at; at++)
			bad |= *at < ' ' || *at > '~';
		ok(!bad, "row %u: no character acts on a terminal", row);
	}
}

static void test_start(void)
{
	setup();
	put(160, "third row");
	put(0x3fff, "last");
	set(0x0d, 160);
	ok(shows(0, true, "third row"), "PS/2: the start address scrolls");
	set(0x0c, 0x3f);
	set(0x0d, 0xff);
	ok(shows(0, true, "last"), "PS/2: and wraps at the end of memory");
	set(0x0c, 0xff);
	ok(shows(0, true, "last"), "PS/2: wherever it begins");
}

int main(void)
{
	test_registers();
	test_text();
	test_start();
	return tap_done();
}
