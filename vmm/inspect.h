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
#include "elf.h"

/* One device of the machine, as the device map has it, and what it is. */
struct inspect_device {
	char name[64]; /* "console stdio", "block disk.img"; cut if longer */
	uint32_t base;
	uint32_t pin; /* of the IOAPIC */
};

/*
 * Write the report to out (standard output, for the command) and flush it. devices has
 * config->device_count elements. 0, or -errno if not all could be written (not said anywhere)
 */
int inspect_print(FILE *out, const struct image *image, const struct memory_map *map,
	const struct boot_config *config, const struct boot_entry *entry,
	const struct inspect_device *devices);

#endif
