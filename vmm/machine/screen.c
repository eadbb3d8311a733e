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

void screen_show(struct vm *vm)
{
	const uint8_t *cells = vm->memory.host + VGA_TEXT_BASE;
	char rows[VGA_TEXT_ROWS][VGA_TEXT_ROW_MAX];
	bool utf8 = has_utf8();
	unsigned count = 0;

	if (!vm->boot->protocol->board.screen || !vm->options->screen)
		return;
	for (unsigned row = 0; row < VGA_TEXT_ROWS; row++)
		if (vga_text_row(&vm->screen, cells, row, utf8, rows[row]) > 0)
			count = row + 1;
	if (count == 0)
		return;
	say("the guest's screen, %u x %u:", VGA_TEXT_COLUMNS, VGA_TEXT_ROWS);
	for (unsigned row = 0; row < count; row++)
		say("|%s%s", *rows[row] ? " " : "", rows[row]);
}
