/* SPDX-License-Identifier: BSD-2-Clause */
#include "loaded.h"

#include <stdio.h>

void image_write(const char *path, const void *bytes, size_t size)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0)
		perror(path);
}

int load_image(const struct options *options, const struct boot_machine *machine,
	struct boot **boot, struct memory *memory)
{
	int ret = boot_open(boot, options);

	if (ret == 0 && memory_init(memory, (*boot)->regions, (*boot)->region_count) < 0)
		ret = -1;
	return ret ? ret : (*boot)->protocol->load(*boot, memory, machine);
}

void unload_image(struct boot **boot, struct memory *memory)
{
	memory_free(memory);
	boot_free(*boot);
	*boot = NULL;
}
