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

/* Writes a number of bytes to text in MiB, KiB or bytes: the largest unit that is exact. Returns
 * text. */
const char *inspect_size(char text[16], uint32_t bytes);

/* Prints the memory that a protocol laid out; what[n] names the content of region n. */
void inspect_regions(FILE *out, const struct boot *boot, const char *const *what);

/* Prints the segments of an image. */
void inspect_segments(FILE *out, const struct image *image);

/* Prints the windows and interrupts of count virtio-mmio devices. */
void inspect_devices(FILE *out, const struct boot_device *devices, unsigned count);

/* Flushes out. Returns 0 or -errno, which is not said. */
int inspect_end(FILE *out);

/*
 * Prints the report to out (standard output, for the command) and flushes it. devices has
 * config->device_count elements. Returns 0, or -errno, which is not said, if a write failed.
 */
int inspect_print(FILE *out, struct image *image, const struct memory_map *map,
	const struct boot_config *config, const struct boot_entry *entry,
	const struct boot_device *devices);

#endif
