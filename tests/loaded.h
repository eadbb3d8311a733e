/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LOADED_H
#define TESTS_LOADED_H

/* An image that a test has written to a file, loaded into memory by its boot protocol. */

#include <stddef.h>

#include "boot/boot.h"
#include "cpu/memory.h"

/* Writes an image's bytes to a file; says so on standard error if that fails. */
void image_write(const char *path, const void *bytes, size_t size);

/* Opens the image that the options name and loads it for a machine. Returns 0, or the exit status
 * of vole, or -1 if there is no memory. The caller calls unload_image() whatever is returned. */
int load_image(const struct options *options, const struct boot_machine *machine,
	struct boot **boot, struct memory *memory);
void unload_image(struct boot **boot, struct memory *memory);

#endif
