/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives the virtio console 60 buffers of 4 KiB, more than a pipe holds, and ends at once, without waiting
 * for them. Buffer n is full of the n-th character from "A" on. Exit status 7.
 */

#include "check.h"
#include "console.h"

#define BUFFERS 60
#define LEN     4096

static struct console console;
static char text[BUFFERS][LEN];

int main(const struct start_info *info)
{
	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	for (unsigned i = 0; i < BUFFERS; i++) {
		struct virtq_buffer buffer = {text[i], LEN};

		memset(text[i], 'A' + (int)i, LEN);
		if (virtq_add(&console.transmit, &buffer, 1, 0, &console))
			return 2;
	}
	virtq_kick(&console.transmit);
	return 7;
}
