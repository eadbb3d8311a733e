/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes as many KiB to the virtio console as the command line says, or 64. Each KiB begins with
 * its number in eight digits and a blank, goes on with the lower case letters again and again, and
 * ends with a newline. Exit status 0.
 *
 * With the word "after" behind that number, it first waits for a byte of input.
 */

#include "check.h"
#include "console.h"

#define BLOCK 1024

static struct console console;

int main(const struct start_info *info)
{
	static char block[BLOCK];
	const char *word = "";
	uint32_t count;

	if (!parse_number(info_cmdline(info), &count, &word))
		count = 64;

	for (unsigned i = 0; i < BLOCK; i++)
		block[i] = (char)('a' + i % 26);
	block[8] = ' ';
	block[BLOCK - 1] = '\n';

	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	if (strcmp(word, "after") == 0 && console_read_byte(&console) < 0)
		return 1;
	for (uint32_t n = 0; n < count; n++) {
		uint32_t rest = n;

		for (unsigned i = 8; i--; rest /= 10)
			block[i] = (char)('0' + rest % 10);
		if (console_write(&console, block, BLOCK))
			return 1;
	}
	return 0;
}
