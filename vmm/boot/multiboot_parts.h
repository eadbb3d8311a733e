/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT_PARTS_H
#define VMM_MULTIBOOT_PARTS_H

/*
 * A Multiboot image on its way into a machine, for the files that implement --boot multiboot.
 */

#include "boot/boot.h"
#include "boot/elf.h"
#include "boot/modules.h"
#include "boot/multiboot_header.h"
#include "boot/multiboot_info.h"
#include "boot/multiboot_sections.h"
#include "container.h"
#include "layout.h"

/*
 * Memory below 1 MiB is laid out as for Linux (boot/linux_guest.h) but for:
 *
 *	0x01000	a small stack, for kernels that use one before they have their own
 *	0x02000	free: an image may go here
 *	0x10000	boot information
 *	0xb8000	screen
 *	0xe0000	IDT, its stubs, and GDT; read-only, so that they stay valid
 */
#define MULTIBOOT_LOW_BASE 0x2000u
#define MULTIBOOT_INFO     0x10000u
#define MULTIBOOT_TABLES   SHADOW_BASE

#define MULTIBOOT_MEMORY_COUNT 4

struct boot_multiboot {
	struct boot boot;
	struct multiboot_header header;
	uint64_t file_size; /* of the image, bytes */
	bool is_elf;
	struct image image;
	struct multiboot_sections sections;
	struct boot_modules modules;
	struct multiboot_memory memory[MULTIBOOT_MEMORY_COUNT];
	uint32_t info_base, info_size; /* the boot information */
};

static inline struct boot_multiboot *multiboot_of(struct boot *boot)
{
	return container_of(boot, struct boot_multiboot, boot);
}

/* Writes the image and what it is told to memory: load() of the protocol. */
int multiboot_load(struct boot *boot, struct memory *memory, const struct boot_machine *machine);

/* Returns what the kernel is told; it is valid while kernel is. */
struct multiboot_content multiboot_content(const struct boot_multiboot *kernel);

/* Prints the report of `vole inspect`. Returns 0 or -errno, which is not said. */
int multiboot_inspect(
	const struct boot_multiboot *kernel, FILE *out, const struct boot_machine *machine);

#endif
