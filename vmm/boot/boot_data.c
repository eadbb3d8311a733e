/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/boot_data.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <vole/ports.h>

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

static uint32_t page_down(uint32_t address)
{
	return address & ~(PAGE_SIZE - 1);
}

/* address is at most RAM_MAX, so this does not wrap. */
static uint32_t page_up(uint32_t address)
{
	return page_down(address + PAGE_SIZE - 1);
}

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

static int place_segment(struct regions *regions, uint32_t ram_size, const struct image *image,
	const struct image_segment *segment)
{
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
		    "give more with --memory",
			image->path, segment->header, segment->paddr, last, ram_size);
		return -ENOEXEC;
	}
	region_add(regions, (struct region){page_down(segment->paddr), page_up(last + 1),
				    VOLE_MEMORY_KERNEL, segment->writable});
	return 0;
}

/* Place a module at the highest free pages below top, which becomes its base. */
static int place_module(struct regions *regions, uint32_t *top, const struct image *image,
	struct boot_module *module)
{
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
		say("%s: module of %u bytes does not fit into RAM; give more with --memory",
			module->path, module->size);
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
	uint32_t top = ram_size;
	int err = check_ram_size(ram_size);

	region_add(&regions, (struct region){0, BOOT_STACK, VOLE_MEMORY_KERNEL, false});
	region_add(&regions, (struct region){BOOT_STACK, BOOT_STACK_TOP, VOLE_MEMORY_KERNEL, true});
	for (unsigned i = 0; !err && i < image->segment_count; i++)
		err = place_segment(&regions, ram_size, image, &image->segments[i]);
	for (unsigned i = 0; !err && i < module_count; i++)
		err = place_module(&regions, &top, image, &modules[i]);
	if (err)
		return err;

	map->count = 0;
	for (uint32_t at = 0; at < ram_size;) {
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

/* The page of tables has room for the fullest machine, each table rounded up to 8 bytes. */
_Static_assert(3 * 8 + 2 * 8 + MEMORY_MAP_MAX * sizeof(struct memory_map_entry) +
			       DEVICE_COUNT * sizeof(struct device_map_entry) +
			       MODULES_MAX * sizeof(struct module_entry) +
			       sizeof(struct start_info) + 8 <=
		       BOOT_STRINGS - BOOT_TABLES,
	"one page of tables");

/* Where the boot data goes, piece by piece. */
struct writer {
	uint8_t *ram;
	uint32_t at, end;
};

/* Copy len bytes and return their guest-physical address, or 0 if there is no room. */
static uint32_t put(struct writer *writer, const void *bytes, size_t len)
{
	uint32_t at = writer->at;

	if (len > writer->end - at)
		return 0;
	memcpy(writer->ram + at, bytes, len);
	/* What follows may be a structure of words. */
	writer->at = (uint32_t)((at + len + 7) & ~(size_t)7);
	return at;
}

static uint32_t put_base_name(struct writer *strings, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return put(strings, name, strlen(name) + 1);
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

/* 0 if a name does not fit. */
static uint32_t put_modules(
	struct writer *tables, struct writer *strings, const struct boot_config *config)
{
	struct module_entry modules[MODULES_MAX];

	for (unsigned i = 0; i < config->module_count; i++) {
		const struct boot_module *module = &config->modules[i];
		uint32_t name = put_base_name(strings, module->path);

		if (name == 0) {
			say("no room for the name of module %s", module->path);
			return 0;
		}
		modules[i] = (struct module_entry){
			.base = module->base, .size = module->size, .name = name};
	}
	return put(tables, modules, config->module_count * sizeof *modules);
}

int boot_data_write(uint8_t *ram, const struct memory_map *map, const struct boot_config *config,
	struct boot_entry *entry)
{
	static const uint64_t gdt[] = {
		[VOLE_SELECTOR_CODE / 8] = GDT_FLAT_CODE,
		[VOLE_SELECTOR_DATA / 8] = GDT_FLAT_DATA,
	};
	struct writer tables = {ram, BOOT_TABLES, BOOT_STRINGS};
	struct writer strings = {ram, BOOT_STRINGS, BOOT_STACK};
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
	uint32_t frame[2];

	if (cmdline_len > VOLE_CMDLINE_MAX) {
		say("the guest's command line has %zu bytes, of %u at most", cmdline_len - 1,
			VOLE_CMDLINE_MAX - 1);
		return -ENOSPC;
	}
	info.cmdline = put(&strings, config->cmdline, cmdline_len);
	entry->gdt_base = put(&tables, gdt, sizeof gdt);
	entry->gdt_limit = sizeof gdt - 1;
	entry->cpu_return = put(&tables, cpu_return, sizeof cpu_return);
	frame[0] = put(&tables, boot_cpu_return, sizeof boot_cpu_return);
	info.mem_entries = put(&tables, map->entries, map->count * sizeof *map->entries);
	info.dev_entries = put_devices(&tables, config->device_count);
	info.modules = put_modules(&tables, &strings, config);
	if (info.modules == 0)
		return -ENOSPC;
	frame[1] = put(&tables, &info, sizeof info);

	/* As if called: [ESP] is the return address and ESP + 4, where the argument is, a multiple
	 * of 16 (System V ABI for i386, 2.2.2). */
	entry->esp = BOOT_STACK_TOP - 16 - 4;
	memcpy(ram + entry->esp, frame, sizeof frame);
	entry->eax = VOLE_BOOT_MAGIC;
	entry->ebx = frame[1];
	return 0;
}
