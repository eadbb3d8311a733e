/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vole's own boot protocol, spec/boot.md: a 32-bit ELF executable in flat protected mode, on a
 * machine without legacy, with start_info.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vole/ports.h>

#include "boot/boot.h"
#include "boot/boot_data.h"
#include "boot/elf.h"
#include "boot/inspect.h"
#include "boot/modules.h"
#include "boot/note.h"
#include "container.h"
#include "cpu/memory.h"
#include "error_text.h"
#include "exit_status.h"
#include "log.h"

struct boot_vole {
	struct boot boot;
	struct image image;
	struct boot_modules modules;
	struct memory_map map;
};

static struct boot_vole *vole_of(struct boot *boot)
{
	return container_of(boot, struct boot_vole, boot);
}

/* The loader says what is wrong with an ELF file of another kind; so all of them come here. */
static const char *vole_recognise(const struct boot_file *file)
{
	return file->head_len >= 4 && memcmp(file->head, "\177ELF", 4) == 0 ? "ELF executable"
									    : NULL;
}

static bool have_vole_note(const uint8_t *notes, size_t len)
{
	struct note note;

	while (note_next(&notes, &len, &note))
		if (note.type == VOLE_NOTE_BOOT && note_is_of(&note, "vole"))
			return true;
	return false;
}

static bool vole_claims(const struct boot_file *file)
{
	return note_any(file, have_vole_note);
}

/* The next module, which is read later. 0 or -errno (said). */
static int open_module(struct boot_vole *vole, const char *path)
{
	uint64_t size;
	int ret = modules_open(&vole->modules, path, &size);

	if (ret == 0 && size > RAM_MAX) {
		say("%s: module of %" PRIu64 " bytes does not fit into any RAM", path, size);
		ret = -EFBIG;
	}
	return ret;
}

static void add_regions(struct boot_vole *vole)
{
	for (unsigned i = 0; i < vole->map.count; i++) {
		const struct memory_map_entry *entry = &vole->map.entries[i];

		vole->boot.regions[vole->boot.region_count++] = (struct memory_region){
			.base = entry->base,
			.size = entry->size,
			.read_only = entry->flags & VOLE_MEMORY_READ_ONLY,
		};
	}
}

static int vole_open(struct boot **boot, const struct options *options)
{
	struct boot_vole *vole = calloc(1, sizeof *vole);
	int ret;

	if (!vole) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	vole->image = IMAGE_EMPTY;
	vole->boot.image = &vole->image;
	*boot = &vole->boot;
	if (image_open(&vole->image, options->kernel) < 0)
		return EXIT_STATUS_KERNEL;
	for (unsigned i = 0; i < options->module_count; i++)
		if (open_module(vole, options->modules[i]) < 0)
			return EXIT_STATUS_VOLE;
	ret = memory_map_build(&vole->map, options->memory_size, &vole->image,
		vole->modules.entries, vole->modules.count);
	if (ret < 0)
		return ret == -ENOEXEC ? EXIT_STATUS_KERNEL : EXIT_STATUS_VOLE;
	add_regions(vole);
	return 0;
}

static struct boot_config config_of(
	const struct boot_vole *vole, const struct boot_machine *machine)
{
	return (struct boot_config){
		.cpu_count = machine->cpu_count,
		.device_count = machine->device_count,
		.tsc_khz = machine->tsc_khz,
		.apic_timer_khz = machine->apic_timer_khz,
		.cmdline = vole->boot.options->cmdline,
		.modules = vole->modules.entries,
		.module_count = vole->modules.count,
	};
}

static int vole_load(struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	struct boot_vole *vole = vole_of(boot);
	struct boot_config config;
	struct boot_entry entry;

	for (unsigned i = 0; i < vole->image.segment_count; i++) {
		const struct image_segment *segment = &vole->image.segments[i];

		if (image_load_segment(&vole->image, segment, memory->host + segment->paddr) < 0)
			return EXIT_STATUS_KERNEL;
	}
	if (modules_load(&vole->modules, memory) < 0)
		return EXIT_STATUS_VOLE;
	config = config_of(vole, machine);
	if (boot_data_write(memory->host, &vole->map, &config, &entry) < 0)
		return EXIT_STATUS_VOLE;
	boot->state = (struct entry_state){
		.mode = ENTRY_FLAT32,
		.eax = entry.eax,
		.ebx = entry.ebx,
		.eip = vole->image.entry,
		.esp = entry.esp,
		.code_selector = VOLE_SELECTOR_CODE,
		.data_selector = VOLE_SELECTOR_DATA,
		.gdt_base = entry.gdt_base,
		.idt_base = entry.idt_base,
		.gdt_limit = entry.gdt_limit,
		.idt_limit = entry.idt_limit,
	};
	boot->exception_stubs = entry.exception_stubs;
	boot->cpu_return = entry.cpu_return;
	return 0;
}

/* The parts of the boot data, for a guest that stumbles into them. */
static const char *boot_data_name(uint32_t address, uint32_t *offset)
{
	static const struct {
		uint32_t base;
		const char *name;
	} parts[] = {
		{BOOT_STACK, "boot stack"},
		{BOOT_DATA, "boot data"},
	};
	unsigned i = 0;

	while (address < parts[i].base)
		i++;
	*offset = address - parts[i].base;
	return parts[i].name;
}

static const char *vole_own_name(const struct boot *boot, uint64_t address, uint32_t *offset)
{
	if (address >= boot->cpu_return && address - boot->cpu_return < BOOT_RETURN_SIZE) {
		*offset = (uint32_t)address - boot->cpu_return;
		return "return from the entry function";
	}
	if (address >= BOOT_DATA && address < VOLE_BOOT_DATA_END)
		return boot_data_name((uint32_t)address, offset);
	return NULL;
}

static const char *vole_symbol(struct boot *boot, uint64_t address, uint32_t *offset)
{
	const char *name = vole_own_name(boot, address, offset);

	return name ? name : image_symbol(&vole_of(boot)->image, address, offset);
}

static int vole_locate(struct boot *boot, uint64_t linear, uint64_t *gpa)
{
	return image_locate(&vole_of(boot)->image, linear, gpa);
}

static int vole_show(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	struct boot_vole *vole = vole_of(boot);
	struct boot_config config = config_of(vole, machine);
	uint8_t *boot_data = calloc(1, VOLE_BOOT_DATA_END);
	struct boot_entry entry;
	int ret = -ENOMEM;

	if (boot_data)
		ret = boot_data_write(boot_data, &vole->map, &config, &entry);
	if (ret == 0)
		ret = inspect_print(
			out, &vole->image, &vole->map, &config, &entry, machine->devices);
	free(boot_data);
	return ret;
}

static void vole_close_files(struct boot *boot)
{
	struct boot_vole *vole = vole_of(boot);

	modules_close(&vole->modules);
	image_close(&vole->image);
}

static void vole_free(struct boot *boot)
{
	struct boot_vole *vole = vole_of(boot);

	modules_close(&vole->modules);
	image_free(&vole->image);
	free(vole);
}

const struct boot_protocol boot_vole = {
	.name = "vole",
	.takes = BOOT_TAKES_CPUS | BOOT_TAKES_CMDLINE | BOOT_TAKES_MODULES,
	.board =
		{
			.irqchip = ENGINE_IRQCHIP_APIC,
			.halt = BOARD_HALT_FAILS,
			.exit_port = true,
			.cpu_port = true,
			.exception_port = true,
			.checkpoint_port = true,
			.mark_port = true,
			.debug_port = true,
			.debug_port_number = VOLE_PORT_DEBUG,
			.device_max = DEVICE_COUNT,
			.console = true,
			.rng = true,
		},
	.recognise = vole_recognise,
	.claims = vole_claims,
	.open = vole_open,
	.load = vole_load,
	.close_files = vole_close_files,
	.symbol = vole_symbol,
	.own_name = vole_own_name,
	.locate = vole_locate,
	.show = vole_show,
	.free = vole_free,
};
