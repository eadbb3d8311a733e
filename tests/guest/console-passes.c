/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands the virtio console a megabyte, which is more than it serves at a time, and prints meanwhile
 * on the debug port: a full stop after each look at the used ring, and how many buffers came back.
 * Exit status 0 when all have.
 */

#include "check.h"
#include "console.h"
#include "memory.h"

#define BUFFERS   32
#define PAGES     8
#define LOOKS_MAX 1000000

static struct console console;

int main(const struct start_info *info)
{
	char *text = pages_take(BUFFERS * PAGES);
	unsigned back = 0;
	uint32_t len;

	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	memset(text, 'x', BUFFERS * PAGES * PAGE_SIZE);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct virtq_buffer buffer = {text + i * PAGES * PAGE_SIZE, PAGES * PAGE_SIZE};

		if (virtq_add(&console.ports[0].transmit, &buffer, 1, 0, text))
			return 1;
	}
	virtq_kick(&console.ports[0].transmit);
	for (unsigned looks = 0; back < BUFFERS && looks < LOOKS_MAX; looks++) {
		unsigned before = back;

		while (virtq_take(&console.ports[0].transmit, &len))
			back++;
		printf(back == before ? "." : "%u", back - before);
	}
	return back == BUFFERS ? 0 : 1;
}
