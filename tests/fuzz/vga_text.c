/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen as text: the registers of the CRT controller, one after the other, then the cells from
 * the start address on.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "chips/vga_text.h"
#include "input.h"

/* No control character of ASCII or, in UTF-8, of ISO 8859-1. */
static void check_text(const char *text, size_t len, bool utf8)
{
	assert(strlen(text) == len && len < VGA_TEXT_ROW_MAX);
	assert(len == 0 || text[len - 1] != ' ');
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)text[i];

		assert(byte >= 0x20 && byte != 0x7f && (utf8 || byte < 0x7f));
		assert(byte != 0xc2 || (uint8_t)text[i + 1] >= 0xa0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	uint8_t *cells = calloc(1, VGA_TEXT_SIZE); /* of just this size, for the sanitizer */
	char text[VGA_TEXT_ROW_MAX];
	struct vga_text vga;
	unsigned start;

	assert(cells);
	vga_text_init(&vga);
	for (unsigned i = 0; i < VGA_CRTC_REGISTERS + 7; i++) {
		vga_text_write(&vga, VGA_CRTC_INDEX, (uint8_t)(i + take(&in, 1) / 64));
		vga_text_write(&vga, VGA_CRTC_DATA, (uint8_t)take(&in, 1));
		vga_text_read(&vga, VGA_CRTC_DATA);
		vga_text_read(&vga, VGA_INPUT_STATUS);
	}
	start = vga.registers[0x0c] << 8 | vga.registers[0x0d];
	for (unsigned i = 2 * start; in.next != in.end; i += 2)
		cells[i % VGA_TEXT_SIZE] = (uint8_t)take(&in, 1);
	for (unsigned row = 0; row < 2 * VGA_TEXT_ROWS; row++) {
		bool utf8 = row % 2;

		check_text(text, vga_text_row(&vga, cells, row / 2, utf8, text), utf8);
	}
	free(cells);
	return 0;
}
