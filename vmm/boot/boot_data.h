/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BOOT_DATA_H
#define VMM_BOOT_DATA_H

/*
 * The VMM's side of vole's boot protocol: lays out RAM and writes the boot data, without KVM or
 * allocation, so that all of it runs in unit tests. spec/boot.md describes the protocol.
 */

#include <stdint.h>

#include <vole/start_info.h>

#include "boot/elf.h"
#include "layout.h"

#define MEMORY_MAP_MAX VOLE_MEMORY_MAP_MAX
#define MODULES_MAX    VOLE_MODULES_MAX

/* One --module. */
struct boot_module {
	const char *path; /* not owned */
	uint32_t size;    /* bytes, not 0 */
	uint32_t base;    /* where memory_map_build() placed it */
};

struct memory_map {
	unsigned count;
	struct memory_map_entry entries[MEMORY_MAP_MAX];
};

/*
 * Lays out RAM, from BOOT_DATA on: boot data, the kernel's segments rounded out to pages, modules
 * at the top of RAM downwards, and what is free. A page is read-only if no segment that touches it
 * is writable. Sets base of each module (at most MODULES_MAX). Says on standard error what does not
 * fit.
 *   0
 *   -EINVAL  ram_size is no multiple of 4096, above RAM_MAX, or no more than the boot data takes
 *   -ENOEXEC a segment lies over the boot data or beyond RAM
 *   -ENOSPC  the modules do not fit
 */
int memory_map_build(struct memory_map *map, uint32_t ram_size, const struct image *image,
	struct boot_module *modules, unsigned module_count);

/* The content of start_info besides the memory map. */
struct boot_config {
	uint32_t cpu_count;
	uint32_t device_count; /* at most DEVICE_COUNT */
	uint32_t tsc_khz, apic_timer_khz;
	const char *cmdline; /* at most VOLE_CMDLINE_MAX - 1 bytes */
	const struct boot_module *modules;
	unsigned module_count; /* at most MODULES_MAX */
};

/* Bytes of the two places that entry functions return to, from cpu_return on. */
#define BOOT_RETURN_SIZE 16

/* The registers of the boot CPU at its first instruction. */
struct boot_entry {
	uint32_t eax, ebx, esp;
	uint32_t gdt_base, idt_base;
	uint16_t gdt_limit, idt_limit;
	uint32_t exception_stubs; /* of IDT_VECTORS, IDT_STUB_SIZE bytes each */
	uint32_t cpu_return;      /* where a secondary CPU's entry function returns to */
};

/*
 * Writes the boot data to ram, which is the host memory of guest-physical [0, VOLE_BOOT_DATA_END)
 * and all zero, and fills *entry. Returns 0, or -ENOSPC if the command line is too long or it, the
 * modules' names and the tables together do not fit (said on standard error).
 */
int boot_data_write(uint8_t *ram, const struct memory_map *map, const struct boot_config *config,
	struct boot_entry *entry);

#endif
