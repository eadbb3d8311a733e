/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VGA_TEXT_H
#define VMM_VGA_TEXT_H

/*
 * A VGA in text mode 3: 80 columns, 25 rows (IBM Personal System/2 Technical Reference, "Video
 * subsystem"). The screen's characters are in guest memory, two bytes each, character and
 * attribute, which the guest writes without any exit. Here are the CRT controller's registers, of
 * which the start address and the cursor have a meaning, and what the screen shows as text.
 *
 * Other modes, fonts and colours do not exist: other ports of a VGA are not answered.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VGA_TEXT_BASE    0xb8000u
#define VGA_TEXT_SIZE    0x8000u /* bytes; a start address beyond wraps */
#define VGA_TEXT_COLUMNS 80
#define VGA_TEXT_ROWS    25
#define VGA_TEXT_BLANK   0x0720 /* a space, light grey on black: as firmware leaves the screen */

/* Bytes of a row as text: a character takes three at most in UTF-8, and there is a NUL. */
#define VGA_TEXT_ROW_MAX (3 * VGA_TEXT_COLUMNS + 1)

#define VGA_CRTC_INDEX   0x3d4 /* ports */
#define VGA_CRTC_DATA    0x3d5
#define VGA_INPUT_STATUS 0x3da /* retrace: changes with each look, so that nobody waits for it */

#define VGA_CRTC_REGISTERS 0x19

struct vga_text {
	atomic_uint index; /* CPUs may race for it, as on a PC */
	atomic_uchar registers[VGA_CRTC_REGISTERS];
	atomic_uint looks; /* at the input status */
};

/* Sets the registers as firmware does for mode 3. */
void vga_text_init(struct vga_text *vga);

/* Handle a guest's access to one of the three ports. Any thread. */
uint8_t vga_text_read(struct vga_text *vga, uint16_t port);
void vga_text_write(struct vga_text *vga, uint16_t port, uint8_t value);

/*
 * Writes a row of the screen, from 0, to text as a string without trailing spaces: in UTF-8, or in
 * ASCII, where lines become + - | and what has no likeness a question mark. cells has VGA_TEXT_SIZE
 * bytes, from VGA_TEXT_BASE on, which the guest may be writing. Returns its length in bytes.
 * Control characters are shown as a VGA's glyphs for them: nothing in text acts on a terminal.
 */
size_t vga_text_row(const struct vga_text *vga, const uint8_t *cells, unsigned row, bool utf8,
	char text[VGA_TEXT_ROW_MAX]);

struct snapshot_stream;

/* Transfers the registers to or from a stream (snapshot/stream.h). No CPU executes meanwhile. */
void vga_text_transfer(struct vga_text *vga, struct snapshot_stream *stream);

#endif
