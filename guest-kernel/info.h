/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_INFO_H
#define GUEST_INFO_H

/* The lists that start_info leads to. It has their guest-physical addresses; paging is off, so
 * these are pointers. */

#include <vole/start_info.h>

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
