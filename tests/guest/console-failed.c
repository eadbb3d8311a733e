/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands the virtio console 256 KiB, in buffers of 4 KiB; once some of it is out, which is when the
 * host takes no more, gives up on the device and powers off. Exit status 0.
 */

#include "check.h"
#include "console.h"
#include "memory.h"

#define PAGES 64

static struct console console;

int main(const struct start_info *info)
{
	char *text = pages_take(PAGES);
	struct virtq *transmit = &console.ports[0].transmit;

	if (console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)))
		return 1;
	memset(text, 'x', PAGES * PAGE_SIZE);
	for (uint32_t i = 0; i < PAGES; i++) {
		struct virtq_buffer page = {text + i * PAGE_SIZE, PAGE_SIZE};

		if (virtq_add(transmit, &page, 1, 0, text))
			return 1;
	}
	virtq_kick(transmit);
	if (virtq_wait(transmit))
		return 1;
	mmio_give_up(&console.dev);
	return 0;
}
