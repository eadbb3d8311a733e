/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints "help
" through the emerg_wr field of a console that was never set up (CON-DEV-01,
 * CON-DEV-09, virtio 5.3.5.1), as often as the command line says, or once. Exit status 0. */

#include <vole/virtio_console.h>
#include <vole/virtio_mmio.h>

#include "check.h"
#include "x86.h"

int main(const struct start_info *info)
{
	const struct device_map_entry *entry = find_device(info, VIRTIO_ID_CONSOLE);
	const unsigned emerg_wr =
		VIRTIO_MMIO_CONFIG + offsetof(struct virtio_console_config, emerg_wr);

	/* Only the low byte counts. */
	for (uint32_t count = cmdline_number(info, 1); count > 0; count--)
		for (const char *text = "help\n"; *text; text++)
			write32(entry->base_addr + emerg_wr, 0x12345600 | (uint8_t)*text);
	return 0;
}
