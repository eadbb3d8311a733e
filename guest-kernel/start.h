/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_START_H
#define GUEST_START_H

/*
 * The beginning and the end of a kernel.
 *
 * The ELF entry point is entry (entry.S). It calls start(), which sets up what every kernel needs:
 * exceptions that are reported, the local APIC, interrupts on; and then main(), which is the
 * kernel. What main() returns becomes vole's exit status (0 to 119).
 *
 * main() runs on the stack that the VMM made: 16 KiB, and a store below it is caught.
 */

#include <vole/start_info.h>

/* The kernel. */
int main(const struct start_info *info);

/* Called by entry. A kernel with an entry point of its own calls it in the state of the boot
 * protocol. */
int start(const struct start_info *info);

/* Power the machine off. Any CPU. */
_Noreturn void power_off(uint32_t code);

/* The lists of start_info, which come as guest-physical addresses; paging is off, so these are
 * pointers. */

static inline const struct memory_map_entry *info_memory(const struct start_info *info)
{
	return (const struct memory_map_entry *)info->mem_entries;
}

static inline const struct device_map_entry *info_devices(const struct start_info *info)
{
	return (const struct device_map_entry *)info->dev_entries;
}

static inline const struct module_entry *info_modules(const struct start_info *info)
{
	return (const struct module_entry *)info->modules;
}

static inline const char *info_cmdline(const struct start_info *info)
{
	return (const char *)info->cmdline;
}

#endif
