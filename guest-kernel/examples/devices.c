/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel on the guest library: it lists the machine's devices on the virtio console, or on the
 * debug port where there is no console.
 *
 *	cc $(pkg-config --cflags vole-guest) -O2 -o devices.elf devices.c \
 *		$(pkg-config --libs vole-guest)
 *	vole run devices.elf
 */

#include <vole/virtio_config.h>

#include "console.h"
#include "printf.h"
#include "start.h"

static const char *kind(uint32_t id)
{
	switch (id) {
	case VIRTIO_ID_BLOCK:
		return "disk";
	case VIRTIO_ID_CONSOLE:
		return "console";
	case VIRTIO_ID_ENTROPY:
		return "entropy";
	default:
		return "unknown";
	}
}

int main(const struct start_info *info)
{
	static struct console console;
	const struct device_map_entry *devices = info_devices(info);

	for (uint32_t i = 0; i < info->dev_size; i++)
		if (mmio_probe(&devices[i]) == VIRTIO_ID_CONSOLE &&
			console_init(&console, &devices[i]) == 0)
			printf_to(console_print, &console);
	for (uint32_t i = 0; i < info->dev_size; i++)
		printf("%08x  interrupt %u  %s\n", devices[i].base_addr, devices[i].interrupt_num,
			kind(mmio_probe(&devices[i])));
	return 0;
}
