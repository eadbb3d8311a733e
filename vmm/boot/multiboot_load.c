/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "boot/idt_stubs.h"
#include "boot/linux_guest.h"
#include "boot/mptable.h"
#include "boot/multiboot_parts.h"
#include "chips/vga_text.h"
#include "exit_status.h"

/* Any selector will do (MB1 3.2). Kernels that load a GDT of their own and forget CS, as xv6 does,
 * mostly have their code segment here, as QEMU has. */
#define CODE_SELECTOR 0x08

/* At MULTIBOOT_TABLES. */
struct tables {
	struct idt_stubs idt;
	uint64_t gdt[3];
};

_Static_assert(sizeof(struct tables) <= PAGE_SIZE, "the tables have a page");

/* Writes the tables to dst, and sets the state of the boot CPU except the entry point and
 * registers. */
static void write_tables(struct boot *boot, uint8_t *dst)
{
	struct tables tables = {.gdt = {0, GDT_FLAT_CODE, GDT_FLAT_DATA}};

	idt_stubs_fill(&tables.idt, MULTIBOOT_TABLES, CODE_SELECTOR);
	memcpy(dst, &tables, sizeof tables);
	boot->exception_stubs = MULTIBOOT_TABLES + offsetof(struct tables, idt.stubs);
	boot->state = (struct entry_state){
		.mode = ENTRY_FLAT32,
		.esp = MULTIBOOT_LOW_BASE,
		.code_selector = CODE_SELECTOR,
		.data_selector = CODE_SELECTOR + 8,
		.gdt_base = MULTIBOOT_TABLES + offsetof(struct tables, gdt),
		.gdt_limit = sizeof tables.gdt - 1,
		.idt_base = MULTIBOOT_TABLES,
		.idt_limit = sizeof tables.idt.idt - 1,
	};
}

struct multiboot_content multiboot_content(const struct boot_multiboot *kernel)
{
	return (struct multiboot_content){
		.kernel = kernel->boot.options->kernel,
		.arguments = kernel->boot.options->cmdline,
		.lower_kib = LINUX_MP_TABLE / 1024,
		.upper_kib = (kernel->boot.options->memory_size - HIGH_RAM_BASE) / 1024,
		.memory = kernel->memory,
		.memory_count = MULTIBOOT_MEMORY_COUNT,
		.modules = kernel->modules.entries,
		.module_count = kernel->modules.count,
		.sections = &kernel->sections,
		.has_load_base = kernel->header.is_relocatable,
		.load_base = kernel->image.segments[0].paddr,
	};
}

/* What firmware leaves for a kernel: a blank screen; and its data area, which says how much memory
 * there is below the MP table, and where COM1 and the CRT controller are (IBM Personal System/2
 * and Personal Computer BIOS Interface Technical Reference, "BIOS data area"). */
static void write_firmware_data(uint8_t *host)
{
	static const struct {
		uint16_t address, value;
	} words[] = {
		{0x400, SERIAL_PORT},
		{0x40e, LINUX_MP_POINTER / 16},
		{0x413, LINUX_MP_TABLE / 1024},
		{0x449, 3 /* video mode */},
		{0x44a, VGA_TEXT_COLUMNS},
		{0x44c, VGA_TEXT_COLUMNS * VGA_TEXT_ROWS * 2},
		{0x463, VGA_CRTC_INDEX},
		{0x484, VGA_TEXT_ROWS - 1},
	};
	const uint16_t blank = VGA_TEXT_BLANK;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		memcpy(host + words[i].address, &words[i].value, sizeof words[i].value);
	for (unsigned i = 0; i < VGA_TEXT_COLUMNS * VGA_TEXT_ROWS; i++)
		memcpy(host + VGA_TEXT_BASE + i * sizeof blank, &blank, sizeof blank);
}

int multiboot_load(struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	struct boot_multiboot *kernel = multiboot_of(boot);
	const struct image *image = &kernel->image;
	const struct multiboot_content content = multiboot_content(kernel);

	for (unsigned i = 0; i < image->segment_count; i++)
		if (image_load_segment(image, &image->segments[i],
			    memory->host + image->segments[i].paddr) < 0)
			return EXIT_STATUS_KERNEL;
	if (multiboot_sections_load(&kernel->sections, image, memory->host) < 0)
		return EXIT_STATUS_KERNEL;
	if (modules_load(&kernel->modules, memory) < 0)
		return EXIT_STATUS_VOLE;
	multiboot_info_write(kernel->header.version, &content, memory->host + kernel->info_base,
		kernel->info_base);
	write_firmware_data(memory->host);
	mptable_write(memory->host + LINUX_MP_TABLE, LINUX_MP_TABLE,
		memory->host + LINUX_MP_POINTER, machine->cpu_count);
	write_tables(boot, memory->host + MULTIBOOT_TABLES);
	boot->state.eip = image->entry;
	boot->state.eax = kernel->header.version == 1 ? MULTIBOOT1_MAGIC : MULTIBOOT2_MAGIC;
	boot->state.ebx = kernel->info_base;
	return 0;
}
