/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INSPECT_H
#define VMM_INSPECT_H

/*
 * `vole inspect`: what `run` would do with a kernel, in words and tables for a person who has not
 * seen a vole machine before.
 */

#include <stdint.h>
#include <stdio.h>

#include "boot/boot.h"
#include "boot/boot_data.h"
#include "boot/elf.h"

/* A number of bytes as a person says it, where that loses nothing. Returns text. */
const char *inspect_size(char text[16], uint32_t bytes);

/* Memory as a protocol laid it out; what has a name for the content of each region. */
void inspect_regions(FILE *out, const struct boot *boot, const char *const *what);

/* Flush what was written. 0 or -errno (not said anywhere). */
int inspect_end(FILE *out);

/*
 * Write the report to out (standard output, for the command) and flush it. devices has
 * config->device_count elements. 0, or -errno if not all could be written (not said anywhere)
 */
int inspect_print(FILE *out, const struct image *image, const struct memory_map *map,
	const struct boot_config *config, const struct boot_entry *entry,
	const struct boot_device *devices);

#endif
