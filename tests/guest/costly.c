/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repeats for ever what takes a VMM long that executes instructions by itself; the command line
 * says what: "scan", memory; "ports", an input string from a port; "device", loads from a device.
 * Ends by --timeout only, exit status 124.
 */

#include <vole/ports.h>

#include "check.h"
#include "string.h"

static uint8_t bytes[1 << 20];

static void scan(void)
{
	const uint8_t *at = bytes;
	uint32_t count = sizeof bytes;

	__asm__ volatile("repe scasb" : "+D"(at), "+c"(count) : "a"(0) : "memory", "cc");
}

static void input(void)
{
	uint8_t *to = bytes;
	uint32_t count = sizeof bytes;

	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(VOLE_PORT_DEBUG) : "memory");
	memset(bytes, 0, sizeof bytes);
}

static void load(uint32_t device)
{
	uint32_t count = 64;

	__asm__ volatile("rep lodsl" : "+S"(device), "+c"(count) : : "eax", "memory");
}

int main(const struct start_info *info)
{
	const struct device_map_entry *devices = (const void *)info->dev_entries;
	const char *what = (const char *)info->cmdline;

	for (;;)
		if (strcmp(what, "scan") == 0)
			scan();
		else if (strcmp(what, "ports") == 0)
			input();
		else
			load(devices[0].base_addr);
	return 0;
}
