/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands the virtio console as many KiB as the command line says, or 64, in buffers of 4 KiB, and
 * powers off without waiting for any of them. Each KiB is 1023 letters and a newline. Exit status
 * 0.
 */

#include "check.h"
#include "console.h"
#include "memory.h"

#define KIB 1024

static struct console console;

int main(const struct start_info *info)
{
	const uint32_t pages = cmdline_number(info, 64) * KIB / PAGE_SIZE;
	char *text = pages_take(pages);

	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	memset(text, 'x', pages * PAGE_SIZE);
	for (uint32_t i = KIB - 1; i < pages * PAGE_SIZE; i += KIB)
		text[i] = '\n';
	for (uint32_t i = 0; i < pages; i++) {
		struct virtq_buffer page = {text + i * PAGE_SIZE, PAGE_SIZE};

		if (virtq_add(&console.ports[0].transmit, &page, 1, 0, text))
			return 1;
	}
	virtq_kick(&console.ports[0].transmit);
	return 0;
}
