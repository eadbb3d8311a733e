/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT_INFO_H
#define VMM_MULTIBOOT_INFO_H

/*
 * The boot information that a Multiboot kernel is given: for Multiboot 1 a structure and what it
 * points to (MB1 3.3), for Multiboot 2 a sequence of tags (MB2 3.6). Both tell the same: memory,
 * command line, modules, boot loader name, ELF sections, and a screen in text mode.
 */

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_data.h"
#include "boot/multiboot_sections.h"

/* What EAX has at entry, by which the kernel knows its loader (MB1 3.2, MB2 3.3). */
#define MULTIBOOT1_MAGIC 0x2badb002
#define MULTIBOOT2_MAGIC 0x36d76289

#define MULTIBOOT_INFO_ALIGN 8 /* MB2 3.6 */

#define MULTIBOOT_LOADER "vole"

/* A range of the memory map, and its type as in the e820 map. */
struct multiboot_memory {
	uint64_t base, size;
	uint32_t type; /* 1: RAM; 2: reserved */
};

/* The content of the boot information. Pointers are not owned. */
struct multiboot_content {
	const char *kernel;    /* the first word of the command line */
	const char *arguments; /* the rest of it, or "" */
	uint32_t lower_kib;    /* RAM from 0 on, in KiB */
	uint32_t upper_kib;    /* RAM from 1 MiB on */
	const struct multiboot_memory *memory;
	unsigned memory_count;
	const struct boot_module *modules;
	unsigned module_count;
	const struct multiboot_sections *sections;
	bool has_load_base; /* the image was relocatable; it was loaded at: */
	uint32_t load_base;
};

/*
 * Writes the information for Multiboot version 1 or 2 to dst, which is at guest-physical address
 * base, a multiple of MULTIBOOT_INFO_ALIGN, and all zero. Returns the number of bytes written. If
 * dst is NULL, it returns that number only.
 */
uint64_t multiboot_info_write(
	unsigned version, const struct multiboot_content *content, uint8_t *dst, uint32_t base);

#endif
