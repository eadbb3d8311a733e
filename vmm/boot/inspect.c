/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/inspect.h"

#include <errno.h>
#include <inttypes.h>

#include <vole/start_info.h>

#include "layout.h"

const char *inspect_size(char text[16], uint32_t bytes)
{
	if (bytes && bytes % (1 << 20) == 0)
		snprintf(text, 16, "%u MiB", bytes >> 20);
	else if (bytes && bytes % (1 << 10) == 0)
		snprintf(text, 16, "%u KiB", bytes >> 10);
	else
		snprintf(text, 16, "%u B", bytes);
	return text;
}

void inspect_regions(FILE *out, const struct boot *boot, const char *const *what)
{
	fprintf(out, "\nMemory\n  first       last              size  access      content\n");
	for (unsigned i = 0; i < boot->region_count; i++) {
		const struct memory_region *region = &boot->regions[i];
		char size[16];

		fprintf(out, "  0x%08x  0x%08x  %10s  %-10s  %s\n", region->base,
			region->base + region->size - 1, inspect_size(size, region->size),
			region->read_only ? "read-only" : "read/write", what[i]);
	}
}

int inspect_end(FILE *out)
{
	errno = 0;
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

static void print_place(FILE *out, struct image *image, uint32_t address)
{
	uint32_t offset;
	const char *symbol = image_symbol(image, address, &offset);

	if (!symbol)
		fprintf(out, "(no symbol)");
	else if (offset == 0)
		fprintf(out, "%s", symbol);
	else
		fprintf(out, "%s+0x%x", symbol, offset);
}

void inspect_segments(FILE *out, const struct image *image)
{
	bool virtual = false;

	for (unsigned i = 0; i < image->segment_count; i++)
		virtual |= image->segments[i].vaddr != image->segments[i].paddr;

	fprintf(out,
		"\nSegments of the kernel, copied to RAM at their physical addresses\n"
		"  header  first       last        memory size  file size   access%s\n",
		virtual ? "  linked at" : "");
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		fprintf(out, "  %6u  0x%08x  0x%08x  0x%08x   0x%08x  r%c%c", segment->header,
			segment->paddr, segment->paddr + segment->memory_size - 1,
			segment->memory_size, segment->file_size, segment->writable ? 'w' : '-',
			segment->executable ? 'x' : '-');
		if (virtual)
			fprintf(out, "     0x%08" PRIx64, segment->vaddr);
		fprintf(out, "\n");
	}
}

static const char *use_name(const struct memory_map_entry *entry)
{
	switch (entry->use) {
	case VOLE_MEMORY_KERNEL:
		return entry->base < VOLE_BOOT_DATA_END ? "1 kernel (boot data)" : "1 kernel";
	case VOLE_MEMORY_INIT:
		return "2 init (modules)";
	default:
		return "0 free";
	}
}

static void print_memory_map(FILE *out, const struct memory_map *map)
{
	fprintf(out, "\nMemory map: all RAM, as start_info lists it\n"
		     "  first       last              size  access      use\n");
	for (unsigned i = 0; i < map->count; i++) {
		const struct memory_map_entry *entry = &map->entries[i];
		char size[16];

		fprintf(out, "  0x%08x  0x%08x  %10s  %-10s  %s\n", entry->base,
			entry->base + entry->size - 1, inspect_size(size, entry->size),
			entry->flags & VOLE_MEMORY_READ_ONLY ? "read-only" : "read/write",
			use_name(entry));
	}
}

void inspect_devices(FILE *out, const struct boot_device *devices, unsigned count)
{
	fprintf(out, "\nDevice map: virtio-mmio windows of %d bytes\n", VIRTIO_MMIO_WINDOW_SIZE);
	if (count == 0) {
		fprintf(out, "  none\n");
		return;
	}
	fprintf(out, "  window      interrupt  device\n");
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "  0x%08x  %9u  %s\n", devices[i].base, devices[i].pin,
			devices[i].name);
}

static void print_modules(FILE *out, const struct boot_config *config)
{
	if (config->module_count == 0)
		return;
	fprintf(out, "\nModules\n  first             size  file\n");
	for (unsigned i = 0; i < config->module_count; i++) {
		char size[16];

		fprintf(out, "  0x%08x  %10s  %s\n", config->modules[i].base,
			inspect_size(size, config->modules[i].size), config->modules[i].path);
	}
}

static void print_entry(FILE *out, struct image *image, const struct boot_entry *entry)
{
	fprintf(out,
		"\nThe boot CPU at its first instruction: 32-bit protected mode, paging and "
		"interrupts off\n"
		"  EIP  0x%08x  entry point: ",
		image->entry);
	print_place(out, image, image->entry);
	fprintf(out,
		"\n"
		"  EAX  0x%08x  VOLE_BOOT_MAGIC\n"
		"  EBX  0x%08x  struct start_info\n"
		"  ESP  0x%08x  [ESP] returns into power-off with EAX as exit status, "
		"[ESP + 4] = EBX\n"
		"  CS   0x%02x        flat code segment, 0 to 4 GiB\n"
		"  DS   0x%02x        flat data segment, 0 to 4 GiB; ES, FS, GS, SS too\n"
		"  GDT  0x%08x  limit 0x%x; in read-only memory, stays valid\n"
		"  IDT  0x%08x  limit 0x%x; has vole report exceptions; stays valid too\n",
		entry->eax, entry->ebx, entry->esp, VOLE_SELECTOR_CODE, VOLE_SELECTOR_DATA,
		entry->gdt_base, entry->gdt_limit, entry->idt_base, entry->idt_limit);
}

int inspect_print(FILE *out, struct image *image, const struct memory_map *map,
	const struct boot_config *config, const struct boot_entry *entry,
	const struct boot_device *devices)
{
	const struct memory_map_entry *last = &map->entries[map->count - 1];
	char size[16];

	fprintf(out,
		"Kernel        %s\n"
		"Command line  %s\n"
		"Machine       %s of RAM, CPUs: %u; IOAPIC at 0x%08x, local APICs at 0x%08x\n",
		image->path, *config->cmdline ? config->cmdline : "(empty)",
		inspect_size(size, last->base + last->size), config->cpu_count, IOAPIC_BASE,
		APIC_BASE);
	inspect_segments(out, image);
	print_memory_map(out, map);
	print_modules(out, config);
	inspect_devices(out, devices, config->device_count);
	print_entry(out, image, entry);
	return inspect_end(out);
}
