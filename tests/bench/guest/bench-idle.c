/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings every device up, prints "idle" and waits for interrupts that never come: what a machine
 * costs that has nothing to do. */

#include "block.h"
#include "console.h"
#include "mmio.h"
#include "printf.h"
#include "rng.h"
#include "start.h"
#include "x86.h"

static struct console console;
static struct rng rng;
static struct block disk;

static int bring_up(const struct device_map_entry *entry)
{
	switch (mmio_probe(entry)) {
	case VIRTIO_ID_CONSOLE:
		return console_init(&console, entry);
	case VIRTIO_ID_ENTROPY:
		return rng_init(&rng, entry);
	case VIRTIO_ID_BLOCK:
		return block_init(&disk, entry);
	default:
		return 0;
	}
}

int main(const struct start_info *info)
{
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (bring_up(&info_devices(info)[i]) != 0)
			return 1;
	printf("idle\n");
	for (;;)
		halt_once();
}
