/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "chips/vga_text.h"
#include "log.h"
#include "machine/vm.h"

int screen_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	if (len != 1 && !(len == 2 && port == VGA_CRTC_INDEX))
		return -ENXIO;
	for (unsigned i = 0; i < len; i++) {
		uint16_t number = (uint16_t)(port + i);

		if (is_write)
			vga_text_write(&vm->screen, number, data[i]);
		else
			data[i] = vga_text_read(&vm->screen, number);
	}
	return 0;
}

/* Whether the user's terminal shows UTF-8, by the variables that choose a locale, in their order
 * (locale(7)). libc would look for the locale's files, and nothing is opened once a guest runs. */
static bool has_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *locale = NULL, *codeset = NULL;

	for (unsigned i = 0; i < 3 && (!locale || !*locale); i++)
		locale = getenv(names[i]);
	for (; locale && *locale; locale++)
		if (*locale == '.')
			codeset = locale + 1;
	return codeset &&
	       (strncasecmp(codeset, "UTF-8", 5) == 0 || strncasecmp(codeset, "utf8", 4) == 0);
}

/* Reads the screen. Returns how many rows there are down to the last one that is not empty. */
static unsigned read_rows(struct vm *vm, char rows[VGA_TEXT_ROWS][VGA_TEXT_ROW_MAX])
{
	const uint8_t *cells = vm->memory.host + VGA_TEXT_BASE;
	bool utf8 = has_utf8();
	unsigned count = 0;

	for (unsigned row = 0; row < VGA_TEXT_ROWS; row++)
		if (vga_text_row(&vm->screen, cells, row, utf8, rows[row]) > 0)
			count = row + 1;
	return count;
}

void screen_show(struct vm *vm)
{
	char rows[VGA_TEXT_ROWS][VGA_TEXT_ROW_MAX];
	unsigned count;

	if (!vm->boot->protocol->board.screen || !vm->options->screen)
		return;
	count = read_rows(vm, rows);
	if (count == 0)
		return;
	say("the guest's screen, %u x %u:", VGA_TEXT_COLUMNS, VGA_TEXT_ROWS);
	for (unsigned row = 0; row < count; row++)
		say("|%s%s", *rows[row] ? " " : "", rows[row]);
}

void screen_describe(struct vm *vm, struct text *text)
{
	char rows[VGA_TEXT_ROWS][VGA_TEXT_ROW_MAX];
	unsigned count;

	if (!vm->boot->protocol->board.screen) {
		text_line(text, "this machine has no screen; that of a Multiboot kernel has one");
		return;
	}
	count = read_rows(vm, rows);
	if (count == 0)
		text_line(text, "the screen is empty");
	for (unsigned row = 0; row < count; row++)
		text_line(text, "|%s%s", *rows[row] ? " " : "", rows[row]);
}
