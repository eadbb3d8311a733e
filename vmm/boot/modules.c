/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/modules.h"

#include <sys/stat.h>

#include "io/file.h"
#include "layout.h"

int modules_open(struct boot_modules *modules, const char *path, uint64_t *size)
{
	int fd = file_open(path, size);

	if (fd < 0)
		return fd;
	modules->fds[modules->count] = fd;
	modules->entries[modules->count++] =
		(struct boot_module){.path = path, .size = (uint32_t)*size};
	return 0;
}

uint64_t modules_end(const char *const *paths, unsigned count, uint64_t end)
{
	struct stat st;

	for (unsigned i = 0; i < count; i++)
		if (stat(paths[i], &st) == 0 && S_ISREG(st.st_mode))
			end = page_up(end) + (uint64_t)st.st_size;
	return end;
}

int modules_load(const struct boot_modules *modules, struct memory *memory)
{
	for (unsigned i = 0; i < modules->count; i++) {
		const struct boot_module *module = &modules->entries[i];
		int ret = file_read(modules->fds[i], module->path, memory->host + module->base,
			module->size, 0);

		if (ret < 0)
			return ret;
	}
	return 0;
}

void modules_close(struct boot_modules *modules)
{
	for (unsigned i = 0; i < modules->count; i++)
		file_close(&modules->fds[i]);
}
