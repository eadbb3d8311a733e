/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INSPECT_H
#define VMM_INSPECT_H

/*
 * `vole inspect`: what `run` would do with a kernel, in words and tables for a person who has not
 * seen a vole machine before.
 */

#include <stdint.h>
#include <stdio.h>

#include "boot.h"
#include "boot_data.h"
#include "elf.h"

/*
 * Write the report to out (standard output, for the command) and flush it. devices has
 * config->device_count elements. 0, or -errno if not all could be written (not said anywhere)
 */
int inspect_print(FILE *out, const struct image *image, const struct memory_map *map,
	const struct boot_config *config, const struct boot_entry *entry,
	const struct boot_device *devices);

#endif
