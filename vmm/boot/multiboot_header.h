/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT_HEADER_H
#define VMM_MULTIBOOT_HEADER_H

/*
 * The header of a Multiboot image: what the image asks its loader for. "MB1" is the Multiboot
 * Specification 0.6.96, "MB2" the Multiboot2 Specification 2.0, whose names the fields and flags
 * have. A header is hostile input; functions that refuse one say on standard error what is wrong
 * with which file, once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/elf.h"

/* A header lies in so many first bytes of an image: of Multiboot 1 (MB1 3.1), of 2 (MB2 3.1). */
#define MULTIBOOT1_HEAD 8192
#define MULTIBOOT2_HEAD 32768

struct multiboot_header {
	unsigned version; /* 1 or 2; 0: none was found */
	uint32_t offset;  /* in the file, bytes */

	/* Address fields (MB1 3.1.3), address tag (MB2 3.1.5): where an image goes that need not be
	 * ELF. load_end and bss_end are 0 if they are left out. */
	bool has_addresses;
	uint32_t header_addr, load_addr, load_end, bss_end;

	bool has_entry; /* address fields, or entry address tag: it replaces an ELF entry point */
	uint32_t entry;

	/* Relocatable header tag (MB2 3.1.13): the image may be moved to a multiple of base_align,
	 * a power of two, such that it lies in [base_min, base_max]. */
	bool is_relocatable;
	uint32_t base_min, base_max, base_align;
};

/* Looks for a header in head, the first bytes of an image: MULTIBOOT2_HEAD of them, or all if it
 * has fewer. Sets version and offset. An image with headers of both versions is Multiboot 1.
 * Returns whether there is one. */
bool multiboot_find(struct multiboot_header *header, const uint8_t *head, size_t len);

/* Looks in head, as multiboot_find() does, which found nothing, for a header that a mistake keeps
 * loaders from seeing. Returns what is wrong with it, and sets version and offset; NULL if there is
 * none. */
const char *multiboot_find_mistake(
	struct multiboot_header *header, const uint8_t *head, size_t len);

/* Reads the header that multiboot_find() found in head, and validates it: vole can do everything
 * that it requires. Returns 0 or -ENOEXEC (said). */
int multiboot_read(
	struct multiboot_header *header, const uint8_t *head, size_t len, const char *path);

/* Translates the addresses of a header that has_addresses to a segment of a file of this size, and
 * validates them. Returns 0 or -ENOEXEC (said). */
int multiboot_segment(const struct multiboot_header *header, uint64_t file_size, const char *path,
	struct image_segment *segment);

#endif
