/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BOOTPARAM_H
#define VMM_BOOTPARAM_H

/*
 * The setup header of a bzImage and the page of parameters that Linux is entered with, for hosts
 * whose <asm/bootparam.h> is that of another processor, or is not there. Fields and their names are
 * those of Documentation/x86/boot.rst and zero-page.rst of Linux 6.1; all are little-endian.
 */

#include <stddef.h>
#include <stdint.h>

/* Bits of loadflags and xloadflags. */
#define LOADED_HIGH   (1u << 0) /* code for protected mode is loaded at 1 MiB or above */
#define XLF_KERNEL_64 (1u << 0) /* there is a 64-bit entry */

/* Begins at offset 0x1f1 of an image. Later versions of the protocol have more of it. */
struct setup_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize; /* in units of 16 bytes */
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint16_t jump;
	uint32_t header;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
} __attribute__((packed));

struct boot_e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

#define E820_MAX_ENTRIES_ZEROPAGE 128

/* One page. The parts that vole leaves at 0 have no names here. */
struct boot_params {
	uint8_t unused_000[0x1e8];
	uint8_t e820_entries;
	uint8_t unused_1e9[0x1f1 - 0x1e9];
	struct setup_header hdr;
	uint8_t unused_26c[0x2d0 - 0x26c];
	struct boot_e820_entry e820_table[E820_MAX_ENTRIES_ZEROPAGE];
	uint8_t unused_cd0[0x1000 - 0xcd0];
} __attribute__((packed));

_Static_assert(offsetof(struct setup_header, header) == 0x202 - 0x1f1, "boot.rst: header");
_Static_assert(offsetof(struct setup_header, kernel_info_offset) == 0x268 - 0x1f1,
	"boot.rst: kernel_info_offset");
_Static_assert(offsetof(struct boot_params, hdr) == 0x1f1, "zero-page.rst: hdr");
_Static_assert(offsetof(struct boot_params, e820_table) == 0x2d0, "zero-page.rst: e820_table");
_Static_assert(sizeof(struct boot_params) == 0x1000, "zero-page.rst: one page");

#endif
