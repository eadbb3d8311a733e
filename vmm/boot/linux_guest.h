/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINUX_GUEST_H
#define VMM_LINUX_GUEST_H

/*
 * The common part of both protocols that start Linux (spec/boot-linux.md): the board, which has the
 * parts of a PC that KVM has in the kernel, a serial port and virtio-mmio devices; the memory
 * layout; the command line; the initial RAM disk.
 */

#include "boot/boot.h"
#include "layout.h"

/*
 * Memory below 1 MiB:
 *
 *	0x00000	page 0, as firmware left it: nothing but the word for a reset
 *	0x01000	GDT
 *	0x02000	what the boot protocol has: boot_params, or Xen's start info
 *	0x04000	command line
 *	0x08000	free
 *	0x9f000	MP table, and what points to it; not RAM, the memory map says
 *	0xa0000	nothing
 *	0xe0000	where firmware would be: read-only zeros, so that looking for tables there is quick
 */
#define LINUX_GDT         VOLE_LINUX_GDT
#define LINUX_PARAMS      VOLE_LINUX_PARAMS
#define LINUX_CMDLINE     VOLE_LINUX_CMDLINE
#define LINUX_CMDLINE_MAX VOLE_LINUX_CMDLINE_MAX /* bytes, NUL included */
#define LINUX_FREE        VOLE_LINUX_FREE
#define LINUX_MP_TABLE    VOLE_LINUX_MP_TABLE
#define LINUX_MP_POINTER  VOLE_LINUX_MP_POINTER /* MP 4: in the last KiB of memory below 640 KiB */

#define LINUX_SELECTOR_CODE 0x10 /* Linux, Documentation/x86/boot.rst, "32-bit boot protocol" */
#define LINUX_SELECTOR_DATA 0x18

#define LINUX_DEVICES 10

#define LINUX_TAKES (BOOT_TAKES_CPUS | BOOT_TAKES_CMDLINE | BOOT_TAKES_INITRD)

/* clang-format off */
#define LINUX_BOARD {                                                                              \
	.irqchip = ENGINE_IRQCHIP_PC,                                                              \
	.lacking = "an FPU and 64-bit mode",                                                       \
	.exit_port = true,                                                                         \
	.halt = BOARD_HALT_ENDS,                                                                   \
	.reset = true,                                                                             \
	.open_bus = true,                                                                          \
	.untouched = "it finds them if it has CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES, which "          \
		     "kernels of distributions often lack",                                        \
	.device_max = LINUX_DEVICES,                                                               \
	.pins = linux_pins,                                                                        \
	.serial = true,                                                                            \
	.rng = true,                                                                               \
}
/* clang-format on */

/* ISA interrupts of the devices. A PC uses 0, 2, 4, 8 and 13 itself, and kernels expect a keyboard
 * at 1. */
extern const uint8_t linux_pins[LINUX_DEVICES];

struct linux_guest {
	struct boot boot;
	uint32_t kernel_base, kernel_end;  /* RAM that the kernel uses at its start */
	int initrd_fd;                     /* -1: empty */
	uint32_t initrd_base, initrd_size; /* size 0: none */
};

/* An entry of the memory map that a kernel is told. */
struct linux_memory {
	uint64_t base, size;
	uint32_t type; /* as in the e820 map: */
};

#define LINUX_MEMORY_RAM      1
#define LINUX_MEMORY_RESERVED 2
#define LINUX_MEMORY_ENTRIES  4

/* Makes guest empty; all that it owns is the file that linux_close_files() closes, once or more
 * often. */
void linux_init(struct linux_guest *guest);
void linux_close_files(struct linux_guest *guest);

/*
 * Lays out memory around a kernel that uses [base, end) first. The initial RAM disk, if there is
 * one, ends at or below initrd_last. Returns 0, or the exit status of vole (said).
 */
int linux_place(struct linux_guest *guest, const struct options *options, uint64_t base,
	uint64_t end, uint32_t initrd_last);

void linux_memory_map(
	const struct linux_guest *guest, struct linux_memory map[LINUX_MEMORY_ENTRIES]);

/*
 * Writes GDT, MP table, command line (at most cmdline_max bytes) and initial RAM disk, and sets the
 * state of the boot CPU except the entry point. The caller writes the kernel and its parameters.
 * Returns 0, or the exit status of vole (said).
 */
int linux_load(struct linux_guest *guest, struct memory *memory, const struct boot_machine *machine,
	size_t cmdline_max);

/* Returns whether the guest wants a reset: software tells firmware in the word at 0x472 how to
 * reset, and Linux does so before it causes a triple fault. */
bool linux_wants_reset(const struct memory *memory);

/* Prints the common part of the report of vole inspect. Returns 0 or -errno. */
int linux_show(const struct linux_guest *guest, FILE *out, const struct boot_machine *machine,
	size_t cmdline_max);

#endif
