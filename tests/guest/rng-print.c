/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws as many bytes as the command line says, 1 to 4096, and prints them as they are. Exit status
 * 0, or 2 if there were not so many. */

#include "check.h"
#include "console.h"
#include "rng.h"

#define LEN 4096

static struct console console;
static struct rng rng;

int main(const struct start_info *info)
{
	static uint8_t bytes[LEN];
	uint32_t len = cmdline_number(info, LEN);

	if (len > LEN || console_init(&console, find_device(info, VIRTIO_ID_CONSOLE)) ||
		rng_init(&rng, find_device(info, VIRTIO_ID_ENTROPY)))
		return 1;
	if (rng_read(&rng, bytes, len))
		return 2;
	return console_write(&console, bytes, len) ? 1 : 0;
}
