/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MODULES_H
#define VMM_MODULES_H

/*
 * The files of --module, on their way into guest memory: opened while the machine is laid out, so
 * that their sizes are known and they stay locked, and read once there is memory.
 */

#include <stdint.h>

#include "boot/boot_data.h"
#include "cpu/memory.h"

struct boot_modules {
	unsigned count;
	struct boot_module entries[MODULES_MAX];
	int fds[MODULES_MAX]; /* of as many as there are entries; -1: closed */
};

/* Opens the next module, of which there are fewer than MODULES_MAX yet, and sets *size to its
 * bytes, of which entries[] has the low 32: the caller judges them, and places the module. Returns
 * 0, or -errno (said). Undone by modules_close() whatever is returned. */
int modules_open(struct boot_modules *modules, const char *path, uint64_t *size);

/* Returns where modules end that are placed from end on, each on pages of its own, as paths has
 * them: to say how much RAM they need. One whose file cannot be had is as one of 0 bytes. */
uint64_t modules_end(const char *const *paths, unsigned count, uint64_t end);

/* Copies all modules to their places. Returns 0, or -errno (said). */
int modules_load(const struct boot_modules *modules, struct memory *memory);

/* Closes the files; entries[] stay. It may be called again. */
void modules_close(struct boot_modules *modules);

#endif
