/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A start_info for QEMU's microvm (with acpi=off, pic=off) and for Bochs, so that the guest library
 * finds there what vole would have told it.
 */
#include <vole/start_info.h>

#include "power.h"
#include "start.h"
#include "x86.h"

/* Eight virtio-mmio windows of 512 bytes on pins 5 and up: hw/i386/microvm.c of QEMU 7.2. */
#define WINDOW_COUNT 8
#define WINDOW_BASE  0xfeb00000u
#define WINDOW_SIZE  0x200u
#define WINDOW_PIN   5

/* RAM that every machine has here that runs this. */
#define FREE_BASE 0x400000u
#define FREE_SIZE 0x400000u

/* A write of these bytes powers Bochs off. */
#define BOCHS_SHUTDOWN_PORT 0x8900

/* What PVH passes (xen/include/public/arch-x86/hvm/start_info.h of Xen 4.17): its beginning. */
struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr;
};

void pvh_main(const struct hvm_start_info *hvm);

void pvh_main(const struct hvm_start_info *hvm)
{
	static struct device_map_entry devices[WINDOW_COUNT];
	static const struct memory_map_entry memory = {FREE_BASE, FREE_SIZE, 0, VOLE_MEMORY_FREE};
	/* Bochs has no command line. */
	static const char cmdline_of_rom[] = ROM_CMDLINE;
	const struct start_info info = {
		.ioapic_base = 0xfec00000,
		.mem_size = 1,
		.mem_entries = (uint32_t)&memory,
		.dev_size = hvm ? WINDOW_COUNT : 0,
		.dev_entries = (uint32_t)devices,
		.size = sizeof info,
		.apic_base = 0xfee00000,
		.cpu_count = 1,
		.cmdline = hvm ? (uint32_t)hvm->cmdline_paddr : (uint32_t)cmdline_of_rom,
	};
	int code;

	for (unsigned i = 0; i < WINDOW_COUNT; i++)
		devices[i] =
			(struct device_map_entry){WINDOW_BASE + i * WINDOW_SIZE, WINDOW_PIN + i};
	code = start(&info);
	if (!hvm)
		out8_string(BOCHS_SHUTDOWN_PORT, "Shutdown", 8);
	power_off((uint32_t)code);
}
