/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT_PARTS_H
#define VMM_MULTIBOOT_PARTS_H

/*
 * A Multiboot image on its way into a machine, for the files that implement --boot multiboot.
 */

#include "boot/boot.h"
#include "boot/boot_data.h"
#include "boot/elf.h"
#include "boot/multiboot_header.h"
#include "boot/multiboot_info.h"
#include "boot/multiboot_sections.h"

#define MULTIBOOT_MEMORY_COUNT 4

struct boot_multiboot {
	struct boot boot;
	struct multiboot_header header;
	uint64_t file_size; /* of the image, bytes */
	bool is_elf;
	struct image image;
	struct multiboot_sections sections;
	unsigned module_count;
	struct boot_module modules[MODULES_MAX];
	int module_fds[MODULES_MAX];
	struct multiboot_memory memory[MULTIBOOT_MEMORY_COUNT];
	uint32_t info_base, info_size; /* the boot information */
};

/* Returns what the kernel is told; it is valid while kernel is. */
struct multiboot_content multiboot_content(const struct boot_multiboot *kernel);

/* Prints the report of `vole inspect`. Returns 0 or -errno, which is not said. */
int multiboot_inspect(
	const struct boot_multiboot *kernel, FILE *out, const struct boot_machine *machine);

#endif
