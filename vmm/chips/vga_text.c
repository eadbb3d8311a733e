/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/vga_text.h"

#include <assert.h>

#include "snapshot/stream.h"

/* Registers of the CRT controller. */
enum {
	START_HIGH = 0x0c,
	START_LOW = 0x0d,
	CURSOR_HIGH = 0x0e,
	CURSOR_LOW = 0x0f,
};

/* Registers for mode 3, as the PS/2 reference lists them. */
static const uint8_t mode3[VGA_CRTC_REGISTERS] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f,
	0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9,
	0xa3, 0xff};

/* Input status register 1. */
#define STATUS_BLANKED 0x01 /* horizontal or vertical retrace */
#define STATUS_RETRACE 0x08 /* vertical retrace */

#define CELL_BYTES 2

/* --- registers -------------------------------------------------------------------------------- */

void vga_text_init(struct vga_text *vga)
{
	atomic_init(&vga->index, 0);
	atomic_init(&vga->looks, 0);
	for (unsigned i = 0; i < VGA_CRTC_REGISTERS; i++)
		atomic_init(&vga->registers[i], mode3[i]);
}

uint8_t vga_text_read(struct vga_text *vga, uint16_t port)
{
	unsigned index = atomic_load(&vga->index);

	switch (port) {
	case VGA_CRTC_INDEX:
		return (uint8_t)index;
	case VGA_CRTC_DATA:
		return index < VGA_CRTC_REGISTERS ? vga->registers[index] : 0xff;
	default:
		return atomic_fetch_add(&vga->looks, 1) % 2 ? STATUS_BLANKED | STATUS_RETRACE : 0;
	}
}

void vga_text_write(struct vga_text *vga, uint16_t port, uint8_t value)
{
	unsigned index = atomic_load(&vga->index);

	if (port == VGA_CRTC_INDEX)
		atomic_store(&vga->index, value);
	else if (port == VGA_CRTC_DATA && index < VGA_CRTC_REGISTERS)
		vga->registers[index] = value;
}

/* --- the screen as text ----------------------------------------------------------------------- */

/* clang-format off */
/* Code points of the glyphs in code page 437. */
static const uint16_t glyphs[256] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
	0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
	0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
	0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
	0x0020, 0x0021, 0x0022, 0x0023, 0x0024, 0x0025, 0x0026, 0x0027,
	0x0028, 0x0029, 0x002a, 0x002b, 0x002c, 0x002d, 0x002e, 0x002f,
	0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036, 0x0037,
	0x0038, 0x0039, 0x003a, 0x003b, 0x003c, 0x003d, 0x003e, 0x003f,
	0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047,
	0x0048, 0x0049, 0x004a, 0x004b, 0x004c, 0x004d, 0x004e, 0x004f,
	0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057,
	0x0058, 0x0059, 0x005a, 0x005b, 0x005c, 0x005d, 0x005e, 0x005f,
	0x0060, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067,
	0x0068, 0x0069, 0x006a, 0x006b, 0x006c, 0x006d, 0x006e, 0x006f,
	0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077,
	0x0078, 0x0079, 0x007a, 0x007b, 0x007c, 0x007d, 0x007e, 0x2302,
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
	0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
	0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
	0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x0020,
};

/* What is most like them in ASCII. */
static const char likeness[] =
	" ?\??\??\?*?o?\??\??\?><?!?\??\?^v><?\?^v !\"#$%&'()*+,-./0123456789:;<=>?"
	"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~?"
	"CueaaaaceeeiiiAAE?\?ooouuyOU?L?\??aiounNao?--11!<>###|++++++|+++++"
	"++++-++++++++=+++++++++++++#####?\??\??\??\??\??\??\??\?=+><?\?/~o..vn2# ";
/* clang-format on */

_Static_assert(sizeof likeness == 256 + 1, "one for each glyph");

/* Writes a code point below 0x10000 in UTF-8. Returns the number of bytes. */
static size_t put_utf8(char *text, unsigned point)
{
	if (point < 0x80) {
		text[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		text[0] = (char)(0xc0 | point >> 6);
		text[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	text[0] = (char)(0xe0 | point >> 12);
	text[1] = (char)(0x80 | (point >> 6 & 0x3f));
	text[2] = (char)(0x80 | (point & 0x3f));
	return 3;
}

/* The character at a place of the screen, counted in cells from its upper left corner. */
static uint8_t character(const struct vga_text *vga, const uint8_t *cells, unsigned place)
{
	unsigned start = vga->registers[START_HIGH] << 8 | vga->registers[START_LOW];
	unsigned offset = (start + place) * CELL_BYTES % VGA_TEXT_SIZE;

	/* A CPU may be writing it. */
	return *(const volatile uint8_t *)(cells + offset);
}

size_t vga_text_row(const struct vga_text *vga, const uint8_t *cells, unsigned row, bool utf8,
	char text[VGA_TEXT_ROW_MAX])
{
	size_t len = 0, len_shown = 0; /* up to the last character that is not a space */

	assert(row < VGA_TEXT_ROWS);
	for (unsigned column = 0; column < VGA_TEXT_COLUMNS; column++) {
		uint8_t c = character(vga, cells, row * VGA_TEXT_COLUMNS + column);

		len += put_utf8(text + len, utf8 ? glyphs[c] : (uint8_t)likeness[c]);
		if (glyphs[c] != ' ')
			len_shown = len;
	}
	text[len_shown] = '\0';
	return len_shown;
}

/* --- saving and restoring --------------------------------------------------------------------- */

void vga_text_transfer(struct vga_text *vga, struct snapshot_stream *stream)
{
	unsigned index = atomic_load(&vga->index), looks = atomic_load(&vga->looks);

	snapshot_begin(stream, "VGA ", 0);
	SNAPSHOT_FIELD(stream, index);
	SNAPSHOT_FIELD(stream, looks);
	snapshot_check(stream, index <= UINT8_MAX, "index %u", index);
	atomic_store(&vga->index, index);
	atomic_store(&vga->looks, looks);
	for (unsigned i = 0; i < VGA_CRTC_REGISTERS; i++) {
		uint8_t value = atomic_load(&vga->registers[i]);

		SNAPSHOT_FIELD(stream, value);
		atomic_store(&vga->registers[i], value);
	}
	snapshot_end(stream);
}
