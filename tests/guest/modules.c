/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints "NAME SIZE SUM" for each module, SUM being that of its bytes. Exit status 0. */

#include "check.h"
#include "memory.h"

static bool is_init(const struct start_info *info, uint32_t base)
{
	for (uint32_t i = 0; i < info->mem_size; i++) {
		const struct memory_map_entry *entry = &info_memory(info)[i];

		if (base - entry->base < entry->size)
			return entry->use == VOLE_MEMORY_INIT;
	}
	return false;
}

int main(const struct start_info *info)
{
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct module_entry *module = &info_modules(info)[i];
		const uint8_t *bytes = (const uint8_t *)module->base;
		uint32_t sum = 0, rest = 0, n;

		for (n = 0; n < module->size; n++)
			sum += bytes[n];
		for (; n % PAGE_SIZE; n++)
			rest |= bytes[n];
		printf("%s %u %u\n", (const char *)module->name, module->size, sum);
		check(module->base % PAGE_SIZE == 0, "a module begins on a page");
		check(rest == 0, "the rest of its last page is zero");
		check(is_init(info, module->base), "the memory map says init");
	}
	return check_done();
}
