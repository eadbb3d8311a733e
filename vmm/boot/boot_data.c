/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/boot_data.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <vole/ports.h>

#include "boot/idt_stubs.h"
#include "boot/ram_advice.h"
#include "cpu/memory.h"
#include "layout.h"
#include "log.h"

/* --- the memory map --------------------------------------------------------------------------- */

/* What some pages are used for. Only the kernel's segments share pages, with one another. */
struct region {
	uint32_t base, end;
	uint32_t use;
	bool writable;
};

#define REGIONS_MAX (2 + IMAGE_SEGMENTS_MAX + MODULES_MAX)

struct regions {
	unsigned count;
	struct region regions[REGIONS_MAX];
};

/* Entries begin and end only where a region does. */
_Static_assert(2 * REGIONS_MAX + 1 <= MEMORY_MAP_MAX, "the memory map always has room");

static void region_add(struct regions *regions, struct region region)
{
	regions->regions[regions->count++] = region;
}

static int check_ram_size(uint32_t ram_size)
{
	int ret = memory_validate_size(ram_size);

	if (ret == 0 && ram_size <= VOLE_BOOT_DATA_END) {
		say("memory size %u is too small: the boot data alone takes %u bytes", ram_size,
			VOLE_BOOT_DATA_END);
		ret = -EINVAL;
	}
	return ret;
}

/* Returns an end of RAM that is high enough for all: modules go behind the kernel if nowhere
 * else. */
static uint64_t end_of_all(
	const struct image *image, const struct boot_module *modules, unsigned module_count)
{
	uint64_t end = VOLE_BOOT_DATA_END + 1;

	/* Segments are sorted. */
	for (unsigned i = 0; i < image->segment_count; i++)
		end = (uint64_t)image->segments[i].paddr + image->segments[i].memory_size;
	end = page_up(end);
	for (unsigned i = 0; i < module_count; i++)
		end += page_up(modules[i].size);
	return end;
}

/* need: the RAM for all, as end_of_all() has it. */
static int place_segment(struct regions *regions, uint32_t ram_size, uint64_t need,
	const struct image *image, const struct image_segment *segment)
{
	char advice[RAM_ADVICE_SIZE];
	uint32_t last = segment->paddr + segment->memory_size - 1;

	if (segment->paddr < VOLE_BOOT_DATA_END) {
		say("%s: program header %u: 0x%x-0x%x overlaps the boot data, 0x0-0x%x",
			image->path, segment->header, segment->paddr, last, VOLE_BOOT_DATA_END - 1);
		return -ENOEXEC;
	}
	if (last >= RAM_MAX) {
		say("%s: program header %u: 0x%x-0x%x overlaps the devices, which have all from "
		    "0x%x on",
			image->path, segment->header, segment->paddr, last, RAM_MAX);
		return -ENOEXEC;
	}
	if (last >= ram_size) {
		say("%s: program header %u: 0x%x-0x%x lies beyond RAM of 0x%x bytes; "
		    "%s%s",
			image->path, segment->header, segment->paddr, last, ram_size,
			ram_advice(advice, need), link_advice(image->segments[0].paddr));
		return -ENOEXEC;
	}
	region_add(regions, (struct region){page_down(segment->paddr), page_up(last + 1),
				    VOLE_MEMORY_KERNEL, segment->writable});
	return 0;
}

/* Place a module at the highest free pages below top, which becomes its base. */
static int place_module(struct regions *regions, uint32_t *top, uint64_t need,
	const struct image *image, struct boot_module *module)
{
	char advice[RAM_ADVICE_SIZE];
	uint32_t end = *top;

	/* Segments are sorted, so what was passed is never met again. */
	for (unsigned i = image->segment_count; i-- > 0;) {
		const struct image_segment *segment = &image->segments[i];
		uint32_t segment_end = page_up(segment->paddr + segment->memory_size);

		if (segment_end <= end && end - segment_end >= module->size)
			break;
		if (segment->paddr < end)
			end = page_down(segment->paddr);
	}
	if (end - VOLE_BOOT_DATA_END < module->size) {
		say("%s: module of %u bytes does not fit into RAM; %s", module->path, module->size,
			ram_advice(advice, need));
		return -ENOSPC;
	}
	module->base = page_down(end - module->size);
	*top = module->base;
	region_add(regions, (struct region){module->base, end, VOLE_MEMORY_INIT, true});
	return 0;
}

/* Adjacent entries that say the same become one. */
static void map_add(struct memory_map *map, struct memory_map_entry entry)
{
	struct memory_map_entry *last = map->count ? &map->entries[map->count - 1] : NULL;

	if (last && last->flags == entry.flags && last->use == entry.use)
		last->size += entry.size;
	else
		map->entries[map->count++] = entry;
}

/* The entry that begins at base: up to where the next region begins or ends. */
static struct memory_map_entry entry_at(
	const struct regions *regions, uint32_t base, uint32_t ram_size)
{
	uint32_t end = ram_size, use = VOLE_MEMORY_FREE;
	bool writable = false;

	for (unsigned i = 0; i < regions->count; i++) {
		const struct region *region = &regions->regions[i];
		uint32_t edge = base < region->base ? region->base : region->end;

		if (base >= region->end)
			continue;
		if (edge < end)
			end = edge;
		if (base < region->base)
			continue;
		use = region->use;
		writable |= region->writable;
	}
	return (struct memory_map_entry){
		.base = base,
		.size = end - base,
		.flags = use != VOLE_MEMORY_FREE && !writable ? VOLE_MEMORY_READ_ONLY : 0,
		.use = use,
	};
}

int memory_map_build(struct memory_map *map, uint32_t ram_size, const struct image *image,
	struct boot_module *modules, unsigned module_count)
{
	struct regions regions = {0};
	uint64_t need = end_of_all(image, modules, module_count);
	uint32_t top = ram_size;
	int err = check_ram_size(ram_size);

	region_add(&regions, (struct region){BOOT_DATA, BOOT_STACK, VOLE_MEMORY_KERNEL, false});
	region_add(&regions, (struct region){BOOT_STACK, BOOT_STACK_TOP, VOLE_MEMORY_KERNEL, true});
	for (unsigned i = 0; !err && i < image->segment_count; i++)
		err = place_segment(&regions, ram_size, need, image, &image->segments[i]);
	for (unsigned i = 0; !err && i < module_count; i++)
		err = place_module(&regions, &top, need, image, &modules[i]);
	if (err)
		return err;

	map->count = 0;
	for (uint32_t at = BOOT_DATA; at < ram_size;) {
		struct memory_map_entry entry = entry_at(&regions, at, ram_size);

		map_add(map, entry);
		at += entry.size;
	}
	return 0;
}

/* --- the boot data ---------------------------------------------------------------------------- */

/* Where entry functions return to. The machine is off after the write; what follows is for a
 * monitor that takes its time. */
static const uint8_t boot_cpu_return[] = {
	0xe7, VOLE_PORT_EXIT, /* out %eax, $VOLE_PORT_EXIT */
	0xfa,                 /* cli */
	0xf4,                 /* hlt */
	0xeb, 0xfd,           /* jmp to the hlt, in case of an NMI */
};

static const uint8_t cpu_return[] = {
	0xfa,       /* cli */
	0xf4,       /* hlt */
	0xeb, 0xfd, /* jmp to the hlt, in case of an NMI */
};

/* The tables of the fullest machine and the longest command line fit, each rounded up to 8 bytes.
 * Names of modules may have the rest. */
_Static_assert(IDT_VECTORS *(8 + IDT_STUB_SIZE) + 3 * 8 + 2 * 8 +
			       MEMORY_MAP_MAX * sizeof(struct memory_map_entry) +
			       DEVICE_COUNT * sizeof(struct device_map_entry) +
			       MODULES_MAX * sizeof(struct module_entry) +
			       sizeof(struct start_info) + 8 + VOLE_CMDLINE_MAX <=
		       BOOT_STACK - BOOT_DATA,
	"tables and command line have room");

/* Where the boot data goes, piece by piece. */
struct writer {
	uint8_t *ram;
	uint32_t at, end;
};

/* Leave room for len bytes and return their guest-physical address, or 0 if there is none. */
static uint32_t leave(struct writer *writer, size_t len)
{
	uint32_t at = writer->at;

	if (len > writer->end - at)
		return 0;
	/* What follows may be a structure of words. */
	writer->at = (uint32_t)((at + len + 7) & ~(size_t)7);
	return at;
}

/* Copy len bytes there. */
static uint32_t put(struct writer *writer, const void *bytes, size_t len)
{
	uint32_t at = leave(writer, len);

	if (at != 0)
		memcpy(writer->ram + at, bytes, len);
	return at;
}

/* The IDT, and behind it its stubs. */
static void put_idt(struct writer *tables, struct boot_entry *entry)
{
	struct idt_stubs table;

	idt_stubs_fill(&table, tables->at, VOLE_SELECTOR_CODE);
	entry->idt_limit = sizeof table.idt - 1;
	entry->idt_base = put(tables, &table, sizeof table);
	entry->exception_stubs = entry->idt_base + offsetof(struct idt_stubs, stubs);
}

static uint32_t put_base_name(struct writer *tables, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return put(tables, name, strlen(name) + 1);
}

static uint32_t put_devices(struct writer *tables, uint32_t count)
{
	struct device_map_entry devices[DEVICE_COUNT];

	for (uint32_t i = 0; i < count; i++)
		devices[i] = (struct device_map_entry){
			.base_addr = DEVICE_BASE + i * VIRTIO_MMIO_WINDOW_SIZE,
			.interrupt_num = FIRST_PIN + i,
		};
	return put(tables, devices, count * sizeof *devices);
}

/* Names go behind all else, and the table of modules where room was left for it. Returns false if a
 * name does not fit. */
static bool put_modules(struct writer *tables, uint32_t at, const struct boot_config *config)
{
	for (unsigned i = 0; i < config->module_count; i++) {
		const struct boot_module *module = &config->modules[i];
		struct module_entry entry = {
			.base = module->base,
			.size = module->size,
			.name = put_base_name(tables, module->path),
		};

		if (entry.name == 0) {
			say("no room for the name of module %s", module->path);
			return false;
		}
		memcpy(tables->ram + at + i * sizeof entry, &entry, sizeof entry);
	}
	return true;
}

/* The registers and the stack of the boot CPU, as if it had been called: [ESP] is the return
 * address and ESP + 4, where the argument is, a multiple of 16 (System V ABI for i386, 2.2.2). */
static void put_frame(uint8_t *ram, struct boot_entry *entry, uint32_t to, uint32_t info)
{
	uint32_t frame[2] = {to, info};

	entry->eax = VOLE_BOOT_MAGIC;
	entry->ebx = info;
	entry->esp = BOOT_STACK_TOP - 16 - 4;
	memcpy(ram + entry->esp, frame, sizeof frame);
}

int boot_data_write(uint8_t *ram, const struct memory_map *map, const struct boot_config *config,
	struct boot_entry *entry)
{
	static const uint64_t gdt[] = {
		[VOLE_SELECTOR_CODE / 8] = GDT_FLAT_CODE,
		[VOLE_SELECTOR_DATA / 8] = GDT_FLAT_DATA,
	};
	struct writer tables = {ram, BOOT_DATA, BOOT_STACK};
	size_t cmdline_len = strlen(config->cmdline) + 1;
	struct start_info info = {
		.ioapic_base = IOAPIC_BASE,
		.mem_size = map->count,
		.dev_size = config->device_count,
		.size = sizeof info,
		.apic_base = APIC_BASE,
		.cpu_count = config->cpu_count,
		.tsc_khz = config->tsc_khz,
		.apic_timer_khz = config->apic_timer_khz,
		.module_count = config->module_count,
	};
	uint32_t info_at, return_at;

	if (cmdline_len > VOLE_CMDLINE_MAX) {
		say("the guest's command line has %zu bytes, of %u at most", cmdline_len - 1,
			VOLE_CMDLINE_MAX - 1);
		return -ENOSPC;
	}
	put_idt(&tables, entry);
	entry->gdt_base = put(&tables, gdt, sizeof gdt);
	entry->gdt_limit = sizeof gdt - 1;
	entry->cpu_return = put(&tables, cpu_return, sizeof cpu_return);
	return_at = put(&tables, boot_cpu_return, sizeof boot_cpu_return);
	info.mem_entries = put(&tables, map->entries, map->count * sizeof *map->entries);
	info.dev_entries = put_devices(&tables, config->device_count);
	info.modules = leave(&tables, config->module_count * sizeof(struct module_entry));
	info_at = leave(&tables, sizeof info);
	info.cmdline = put(&tables, config->cmdline, cmdline_len);
	if (!put_modules(&tables, info.modules, config))
		return -ENOSPC;
	memcpy(ram + info_at, &info, sizeof info);
	put_frame(ram, entry, return_at, info_at);
	return 0;
}
