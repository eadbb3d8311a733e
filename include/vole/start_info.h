/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_START_INFO_H
#define VOLE_START_INFO_H

/*
 * The boot protocol: what a kernel finds when its first instruction runs. spec/boot.md tells it in
 * full; this header is its canonical form for C, C++ and assembly.
 *
 * The boot CPU enters the ELF entry point in 32-bit protected mode: paging and interrupts off, flat
 * 4 GiB segments, EAX = VOLE_BOOT_MAGIC, EBX = guest-physical address of struct start_info, and a
 * stack on which the entry point looks like a C function that was called with that address:
 *
 *	int entry(const struct start_info *info);
 *
 * Returning from it powers the machine off; the value becomes vole's exit status (0 to 119).
 */

#define VOLE_BOOT_MAGIC 0x656c6f76 /* the bytes "vole" */

/* Type of an ELF note of the owner "vole", without a value: the file is for this protocol, whatever
 * other notes and headers it has. */
#define VOLE_NOTE_BOOT 1

/* Segment selectors in the GDT that is loaded at entry. It stays valid: it is in read-only
 * memory. */
#define VOLE_SELECTOR_CODE 0x08
#define VOLE_SELECTOR_DATA 0x10

/* Descriptors of these two (Intel SDM 3, 3.4.5): 4 GiB from 0, 32-bit, ring 0, accessed. */
#define VOLE_GDT_FLAT_CODE 0x00cf9b000000ffff
#define VOLE_GDT_FLAT_DATA 0x00cf93000000ffff

/* Guest-physical RAM below this address belongs to the boot data; no kernel is loaded there. */
#define VOLE_BOOT_DATA_END 0x8000

/* Size of the command line, the terminating NUL counted. */
#define VOLE_CMDLINE_MAX 4096

/* The memory map has at most so many entries, and the machine so many modules. */
#define VOLE_MEMORY_MAP_MAX 128
#define VOLE_MODULES_MAX    16

/* memory_map_entry.flags */
#define VOLE_MEMORY_READ_ONLY 0x1

/* memory_map_entry.use */
#define VOLE_MEMORY_FREE   0
#define VOLE_MEMORY_KERNEL 1 /* the kernel, and the boot data below VOLE_BOOT_DATA_END */
#define VOLE_MEMORY_INIT   2 /* modules */

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <vole/language.h>

/* One range of RAM. All of RAM is covered exactly once, sorted by base; both numbers are multiples
 * of 4096. */
struct memory_map_entry {
	uint32_t base;
	uint32_t size; /* bytes */
	uint32_t flags;
	uint32_t use;
};

/* One virtio-mmio window of 4096 bytes; DeviceID in the window says what it is. */
struct device_map_entry {
	uint32_t base_addr;
	uint32_t interrupt_num; /* pin of the IOAPIC, edge-triggered, used by this device alone */
};

/* One file that was handed over with --module. */
struct module_entry {
	uint32_t base; /* a multiple of 4096 */
	uint32_t size; /* bytes; the rest of the last page is zero */
	uint32_t name; /* guest-physical address of a NUL-terminated string: the file's base name */
	uint32_t reserved; /* 0 */
};

struct start_info {
	/* The five words of the talk "KVM without QEMU". */
	uint32_t ioapic_base;
	uint32_t mem_size;    /* entries in the memory map */
	uint32_t mem_entries; /* guest-physical address of struct memory_map_entry[mem_size] */
	uint32_t dev_size;    /* entries in the device map */
	uint32_t dev_entries; /* guest-physical address of struct device_map_entry[dev_size] */

	/* vole's extension. It only ever grows at its end: a field is there if size covers it. */
	uint32_t size; /* bytes of this structure, from ioapic_base on */
	uint32_t apic_base;
	uint32_t cpu_count;      /* local APIC ids are 0 to cpu_count - 1; 0 is the boot CPU */
	uint32_t tsc_khz;        /* 0 where the host does not know it */
	uint32_t apic_timer_khz; /* input clock of the local APIC timer, before its divider */
	uint32_t cmdline;        /* guest-physical address of a NUL-terminated string */
	uint32_t module_count;
	uint32_t modules; /* guest-physical address of struct module_entry[module_count] */
};

VOLE_STATIC_ASSERT(sizeof(struct memory_map_entry) == 16, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct memory_map_entry, use) == 12, "boot protocol");
VOLE_STATIC_ASSERT(sizeof(struct device_map_entry) == 8, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct device_map_entry, interrupt_num) == 4, "boot protocol");
VOLE_STATIC_ASSERT(sizeof(struct module_entry) == 16, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct module_entry, name) == 8, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct start_info, dev_entries) == 16, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct start_info, size) == 20, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct start_info, apic_timer_khz) == 36, "boot protocol");
VOLE_STATIC_ASSERT(offsetof(struct start_info, modules) == 48, "boot protocol");
VOLE_STATIC_ASSERT(sizeof(struct start_info) == 52, "boot protocol");

#endif /* __ASSEMBLER__ */
#endif
