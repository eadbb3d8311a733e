/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "boot/inspect.h"
#include "boot/linux_guest.h"
#include "boot/multiboot_parts.h"
#include "chips/vga_text.h"

static void print_range(FILE *out, uint64_t base, uint64_t size, const char *what)
{
	fprintf(out, "  0x%08" PRIx64 "  0x%08" PRIx64 "  %10" PRIu64 "  %s\n", base,
		base + size - 1, size, what);
}

static void print_memory_map(FILE *out, const struct boot_multiboot *kernel)
{
	fprintf(out, "\nMemory map, as the kernel is told it\n"
		     "  first       last              size  use\n");
	for (unsigned i = 0; i < MULTIBOOT_MEMORY_COUNT; i++)
		print_range(out, kernel->memory[i].base, kernel->memory[i].size,
			kernel->memory[i].type == LINUX_MEMORY_RAM ? "1 RAM" : "2 reserved");
}

static void print_content(FILE *out, const struct boot_multiboot *kernel)
{
	fprintf(out, "\nIn RAM besides\n  first       last              size  what\n");
	print_range(out, kernel->info_base, kernel->info_size, "boot information");
	print_range(out, LINUX_MP_TABLE, LOW_RAM_END - LINUX_MP_TABLE, "MP table");
	print_range(out, VGA_TEXT_BASE, VGA_TEXT_SIZE, "screen in text mode");
	print_range(out, MULTIBOOT_TABLES, PAGE_SIZE, "GDT and IDT");
	for (unsigned i = 0; i < kernel->modules.count; i++) {
		const struct boot_module *module = &kernel->modules.entries[i];

		fprintf(out, "  0x%08x  0x%08x  %10u  module %s\n", module->base,
			module->base + module->size - 1, module->size, module->path);
	}
}

static void print_entry(FILE *out, const struct boot_multiboot *kernel)
{
	bool is_first = kernel->header.version == 1;

	fprintf(out,
		"\nThe boot CPU at its first instruction: 32-bit protected mode, paging and "
		"interrupts off\n"
		"  EIP  0x%08x  entry point\n"
		"  EAX  0x%08x  Multiboot %u\n"
		"  EBX  0x%08x  boot information\n"
		"  ESP  0x%08x  a stack of 4 KiB; the kernel sets up its own\n",
		kernel->image.entry, is_first ? MULTIBOOT1_MAGIC : MULTIBOOT2_MAGIC,
		kernel->header.version, kernel->info_base, MULTIBOOT_LOW_BASE);
}

int multiboot_inspect(
	const struct boot_multiboot *kernel, FILE *out, const struct boot_machine *machine)
{
	const struct options *options = kernel->boot.options;
	char size[16];

	fprintf(out,
		"Kernel        %s: Multiboot %u, header at offset 0x%x, %s\n"
		"Command line  %s%s%s\n"
		"Machine       %s of RAM, CPUs: %u; a PC's PICs, IOAPIC, local APICs, PIT, CMOS, "
		"COM1\n",
		options->kernel, kernel->header.version, kernel->header.offset,
		kernel->header.has_addresses ? "loaded by the header's addresses" : "ELF",
		options->kernel, *options->cmdline ? " " : "", options->cmdline,
		inspect_size(size, options->memory_size), machine->cpu_count);
	inspect_segments(out, &kernel->image);
	print_memory_map(out, kernel);
	print_content(out, kernel);
	inspect_devices(out, machine->devices, machine->device_count);
	print_entry(out, kernel);
	return inspect_end(out);
}
