/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT_SECTIONS_H
#define VMM_MULTIBOOT_SECTIONS_H

/*
 * The section headers of an ELF kernel, which Multiboot tells the kernel (MB1 3.3, "syms"; MB2
 * 3.6.7), and the sections that they lead to: symbol and string tables are loaded, and their
 * headers tell where. Sections of other types that are not part of the program, such as debugging
 * information, stay in the file, and their address is 0.
 */

#include <stdint.h>

#include "boot/elf.h"

struct multiboot_sections {
	uint32_t count;      /* 0: none */
	uint32_t entry_size; /* bytes of a header */
	uint32_t names;      /* index of the section that has the names of sections */
	uint8_t *headers;    /* count of them; NULL: none */
};

#define MULTIBOOT_SECTIONS_EMPTY ((struct multiboot_sections){.count = 0})

/*
 * Reads the headers of an image and places the sections that are loaded from *end on, which becomes
 * the end of the last one. An image that is no ELF file, or has no section headers, has none.
 * Returns 0, or -errno (said): -ENOEXEC if the headers or a section are not in the file or *end
 * would be over 4 GiB. Whether that is RAM the caller checks. The caller calls
 * multiboot_sections_free() whatever is returned.
 */
int multiboot_sections_read(
	struct multiboot_sections *sections, const struct image *image, uint64_t *end);

/* Copies the sections to host, which is the host memory of guest-physical 0. Returns 0 or -errno
 * (said). */
int multiboot_sections_load(
	const struct multiboot_sections *sections, const struct image *image, uint8_t *host);

void multiboot_sections_free(struct multiboot_sections *sections);

#endif
