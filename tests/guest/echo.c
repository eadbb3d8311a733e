/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints "ready" on the virtio console, then every byte that it is sent, until a q. Exit status 0.
 */

#include "check.h"
#include "console.h"

static struct console console;

int main(const struct start_info *info)
{
	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	if (console_write(&console, "ready\n", 6))
		return 1;
	for (;;) {
		int byte = console_read_byte(&console);
		char c = (char)byte;

		if (byte < 0)
			return 1;
		if (console_write(&console, &c, 1))
			return 1;
		if (c == 'q')
			return 0;
	}
}
