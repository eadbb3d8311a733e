/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include "info.h"

static uint32_t free_begin, free_end; /* multiples of PAGE_SIZE */

void memory_init(const struct start_info *info)
{
	const struct memory_map_entry *entry = info_memory(info);

	for (uint32_t i = 0; i < info->mem_size; i++, entry++) {
		if (entry->use != VOLE_MEMORY_FREE || entry->flags & VOLE_MEMORY_READ_ONLY)
			continue;
		if (entry->size <= free_end - free_begin)
			continue;
		free_begin = entry->base;
		free_end = entry->base + entry->size;
	}
}

void *pages_take(unsigned count)
{
	if (count > (free_end - free_begin) / PAGE_SIZE)
		return NULL;
	free_end -= count * PAGE_SIZE;
	return (void *)free_end;
}
