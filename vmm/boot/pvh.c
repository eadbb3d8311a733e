/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVH, spec/boot-linux.md: an ELF kernel, Linux's vmlinux or another, that says in a note for Xen
 * where it is entered in flat protected mode. What it is told is Xen's hvm_start_info
 * ("start_info.h" is xen/include/public/arch-x86/hvm/start_info.h, "pvh" is docs/misc/pvh.pandoc of
 * Xen 4.17). The board is that of a bzImage.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/elf.h"
#include "boot/linux_guest.h"
#include "boot/note.h"
#include "boot/pvh_note.h"
#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"

#define START_INFO_MAGIC   0x336ec578
#define START_INFO_VERSION 1 /* has a memory map */

struct pvh_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memory_map;
	uint32_t memory_map_entries, reserved;
};

struct pvh_module {
	uint64_t base, size, cmdline, reserved;
};

struct pvh_memory {
	uint64_t base, size;
	uint32_t type, reserved; /* types are those of the e820 map */
};

/* At LINUX_PARAMS. */
struct pvh_params {
	struct pvh_start_info info;
	struct pvh_module initrd;
	struct pvh_memory map[LINUX_MEMORY_ENTRIES];
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "start_info.h");
_Static_assert(sizeof(struct pvh_memory) == 24, "start_info.h");

/* No header says how long a command line may be, and where initial RAM disks may be; this is good
 * for all versions of Linux. */
#define CMDLINE_MAX 2047
#define INITRD_LAST 0x37ffffffu

struct boot_pvh {
	struct linux_guest guest;
	struct image image;
};

static struct boot_pvh *pvh_of(struct boot *boot)
{
	return container_of(boot, struct boot_pvh, guest.boot);
}

/* --- recognising it --------------------------------------------------------------------------- */

static bool have_xen_note(const uint8_t *notes, size_t len)
{
	uint32_t entry;

	return image_pvh_entry(notes, len, &entry) != -ENOENT;
}

static const char *pvh_recognise(const struct boot_file *file)
{
	if (!note_any(file, have_xen_note))
		return NULL;
	return file->head[EI_CLASS] == ELFCLASS64 ? "64-bit ELF executable for PVH"
						  : "32-bit ELF executable for PVH";
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_kernel(struct boot_pvh *kernel, const struct options *options)
{
	const struct image *image = &kernel->image;
	const struct image_segment *first = image->segments, *last;

	if (image_open_pvh(&kernel->image, options->kernel) < 0 ||
		image_find_pvh_entry(&kernel->image) < 0)
		return EXIT_STATUS_KERNEL;
	if (first->paddr < HIGH_RAM_BASE) {
		say("%s: program header %u is for 0x%x, below 1 MiB", options->kernel,
			first->header, first->paddr);
		return EXIT_STATUS_KERNEL;
	}
	last = &image->segments[image->segment_count - 1];
	return linux_place(&kernel->guest, options, first->paddr,
		(uint64_t)last->paddr + last->memory_size, INITRD_LAST);
}

static int pvh_open(struct boot **boot, const struct options *options)
{
	struct boot_pvh *kernel = calloc(1, sizeof *kernel);

	if (!kernel) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	linux_init(&kernel->guest);
	kernel->image = IMAGE_EMPTY;
	kernel->guest.boot.image = &kernel->image;
	*boot = &kernel->guest.boot;
	return open_kernel(kernel, options);
}

/* --- loading ---------------------------------------------------------------------------------- */

static void fill_params(struct pvh_params *params, const struct linux_guest *guest)
{
	struct linux_memory map[LINUX_MEMORY_ENTRIES];

	*params = (struct pvh_params){
		.info =
			{
				.magic = START_INFO_MAGIC,
				.version = START_INFO_VERSION,
				.cmdline = LINUX_CMDLINE,
				.memory_map = LINUX_PARAMS + offsetof(struct pvh_params, map),
				.memory_map_entries = LINUX_MEMORY_ENTRIES,
			},
	};
	if (guest->initrd_size > 0) {
		params->info.module_count = 1;
		params->info.modules = LINUX_PARAMS + offsetof(struct pvh_params, initrd);
		params->initrd =
			(struct pvh_module){.base = guest->initrd_base, .size = guest->initrd_size};
	}
	linux_memory_map(guest, map);
	for (unsigned i = 0; i < LINUX_MEMORY_ENTRIES; i++)
		params->map[i] = (struct pvh_memory){map[i].base, map[i].size, map[i].type, 0};
}

static int pvh_load(struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	struct boot_pvh *kernel = pvh_of(boot);
	const struct image *image = &kernel->image;
	int ret = linux_load(&kernel->guest, memory, machine, CMDLINE_MAX);
	struct pvh_params params;

	if (ret != 0)
		return ret;
	for (unsigned i = 0; i < image->segment_count; i++)
		if (image_load_segment(image, &image->segments[i],
			    memory->host + image->segments[i].paddr) < 0)
			return EXIT_STATUS_KERNEL;
	fill_params(&params, &kernel->guest);
	memcpy(memory->host + LINUX_PARAMS, &params, sizeof params);
	boot->state.eip = image->entry;
	boot->state.ebx = LINUX_PARAMS;
	return 0;
}

/* --- the protocol ----------------------------------------------------------------------------- */

static const char *pvh_symbol(struct boot *boot, uint64_t address, uint32_t *offset)
{
	return image_symbol(&pvh_of(boot)->image, address, offset);
}

static int pvh_locate(struct boot *boot, uint64_t linear, uint64_t *gpa)
{
	return image_locate(&pvh_of(boot)->image, linear, gpa);
}

static int pvh_show(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	const struct boot_pvh *kernel = pvh_of(boot);

	fprintf(out,
		"Kernel        %s: ELF executable, PVH entry\n"
		"Entry         EIP 0x%08x, EBX 0x%08x (hvm_start_info)\n",
		boot->options->kernel, kernel->image.entry, LINUX_PARAMS);
	return linux_show(&kernel->guest, out, machine, CMDLINE_MAX);
}

static void pvh_close_files(struct boot *boot)
{
	struct boot_pvh *kernel = pvh_of(boot);

	image_close(&kernel->image);
	linux_close_files(&kernel->guest);
}

static void pvh_free(struct boot *boot)
{
	struct boot_pvh *kernel = pvh_of(boot);

	image_free(&kernel->image);
	linux_close_files(&kernel->guest);
	free(kernel);
}

const struct boot_protocol boot_pvh = {
	.name = "linux",
	.takes = LINUX_TAKES,
	.board = LINUX_BOARD,
	.recognise = pvh_recognise,
	.open = pvh_open,
	.load = pvh_load,
	.close_files = pvh_close_files,
	.wants_reset = linux_wants_reset,
	.symbol = pvh_symbol,
	.locate = pvh_locate,
	.show = pvh_show,
	.free = pvh_free,
};
