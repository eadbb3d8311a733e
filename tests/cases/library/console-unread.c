/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel prints more than a pseudo-terminal holds, and nobody opens that.
 *   run: --console pty --timeout 60
 *   status: 0
 *   says: console is on /dev/pts/\d+
 *   says: --console pty: /dev/pts/\d+ is full, and nobody has it open: what the guest prints is lost
 *   says not: time-out
 *   prints: all 64 KiB are taken
 */
#include <vole/virtio_config.h>

#include "console.h"
#include "mmio.h"
#include "printf.h"
#include "start.h"

#define LINE  "sixteen letters\n"
#define LINES 4096

static struct console console;

int main(const struct start_info *info)
{
	const struct device_map_entry *device = info_devices(info);

	while (mmio_probe(device) != VIRTIO_ID_CONSOLE)
		device++;
	if (console_init(&console, device))
		return 1;
	for (unsigned i = 0; i < LINES; i++)
		if (console_write(&console, LINE, sizeof LINE - 1))
			return 1;
	printf("all 64 KiB are taken\n");
	return 0;
}
