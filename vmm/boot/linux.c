/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's own boot protocol, spec/boot-linux.md: a bzImage, entered in flat protected mode.
 * "boot.rst" is Documentation/x86/boot.rst of Linux 6.1, whose names the fields of its header have.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bootparam.h"
#include "boot/linux_guest.h"
#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"

#define SECTOR         512u
#define PARAGRAPH      16ull
#define BOOT_FLAG      0xaa55
#define HEADER_MAGIC   0x53726448 /* "HdrS" */
#define VERSION_MIN    0x0206     /* says how long the command line may be */
#define VERSION_ADDR   0x020a     /* has pref_address and init_size */
#define LOADER_UNKNOWN 0xff       /* boot.rst: a loader without a number of its own */
#define VIDEO_NORMAL   0xffff

struct boot_linux {
	struct linux_guest guest;
	int fd; /* -1: empty */
	struct setup_header header;
	uint64_t code_offset; /* in the file, of what runs in protected mode */
	uint32_t code_size;   /* bytes */
};

static struct boot_linux *linux_of(struct boot *boot)
{
	return container_of(boot, struct boot_linux, guest.boot);
}

/* --- judging an image ------------------------------------------------------------------------- */

/* The setup header out of the beginning of a file. Whether there is one. */
static bool get_header(const uint8_t *head, size_t len, struct setup_header *header)
{
	size_t offset = offsetof(struct boot_params, hdr);

	if (len < offset + sizeof *header)
		return false;
	memcpy(header, head + offset, sizeof *header);
	return header->boot_flag == BOOT_FLAG && header->header == HEADER_MAGIC;
}

static const char *linux_recognise(const struct boot_file *file)
{
	struct setup_header header;

	return get_header(file->head, file->head_len, &header) ? "Linux kernel (bzImage)" : NULL;
}

/* Can this kernel be started by the 32-bit boot protocol? 0 or -ENOEXEC (said). */
static int check_header(const struct setup_header *header, const char *path)
{
	if (header->version < VERSION_MIN)
		say("%s: Linux boot protocol %u.%02u is too old; vole needs 2.06 (Linux 2.6.22)",
			path, header->version >> 8, header->version & 0xff);
	else if (!(header->loadflags & LOADED_HIGH))
		say("%s: a zImage, which is loaded below 1 MiB; vole loads bzImages", path);
	else if (header->syssize == 0)
		say("%s: a Linux kernel without code for protected mode (syssize is 0)", path);
	else if (header->code32_start == 0)
		say("%s: a bzImage without an entry in protected mode (code32_start is 0), as "
		    "iPXE's: its code in real mode needs a BIOS, as QEMU has one",
			path);
	else if (header->relocatable_kernel &&
		 (header->kernel_alignment == 0 ||
			 (header->kernel_alignment & (header->kernel_alignment - 1)) != 0))
		say("%s: kernel_alignment 0x%x is not a power of two", path,
			header->kernel_alignment);
	else
		return 0;
	return -ENOEXEC;
}

/* Where in the file the code is, and that all of it is there. The header counts paragraphs of 16
 * bytes; the last one need not be complete, as it is not in iPXE's and memtest86+'s images. 0 or
 * -ENOEXEC (said). */
static int find_code(struct boot_linux *kernel, const char *path, uint64_t file_size)
{
	const struct setup_header *header = &kernel->header;
	unsigned setup_sects = header->setup_sects ? header->setup_sects : 4; /* boot.rst */
	uint64_t code_size = header->syssize * PARAGRAPH, end;

	kernel->code_offset = (setup_sects + 1) * SECTOR;
	end = kernel->code_offset + code_size;
	if (end > file_size && end - file_size < PARAGRAPH) {
		code_size -= end - file_size;
		end = file_size;
	}
	if (end > file_size) {
		say("%s: truncated: the kernel ends at 0x%" PRIx64 ", the file at 0x%" PRIx64, path,
			end, file_size);
		return -ENOEXEC;
	}
	if (code_size > UINT32_MAX) {
		say("%s: 0x%" PRIx64 " bytes of code do not fit below 4 GiB", path, code_size);
		return -ENOEXEC;
	}
	kernel->code_size = (uint32_t)code_size;
	return 0;
}

/*
 * Where the kernel is loaded, and where the memory ends that it takes before it looks at the memory
 * map. A relocatable one is loaded where it prefers to run; another one moves itself there from 1
 * MiB. 0 or -ENOEXEC (said).
 */
static int find_place(
	const struct boot_linux *kernel, const char *path, uint64_t *base, uint64_t *end)
{
	const struct setup_header *header = &kernel->header;
	uint64_t runs_at = HIGH_RAM_BASE;
	uint64_t size = kernel->code_size;

	*base = HIGH_RAM_BASE;
	if (header->version >= VERSION_ADDR && header->pref_address != 0)
		runs_at = header->pref_address;
	if (runs_at < HIGH_RAM_BASE || runs_at > UINT32_MAX) {
		say("%s: pref_address 0x%" PRIx64 " is not between 1 MiB and 4 GiB", path, runs_at);
		return -ENOEXEC;
	}
	if (header->relocatable_kernel) {
		uint64_t mask = header->kernel_alignment - 1ull;

		*base = runs_at = (runs_at + mask) & ~mask;
	}
	if (header->version >= VERSION_ADDR && header->init_size > size)
		size = header->init_size;
	*end = runs_at + size;
	if (*end < *base + kernel->code_size)
		*end = *base + kernel->code_size;
	return 0;
}

static int open_kernel(struct boot_linux *kernel, const struct options *options)
{
	const char *path = options->kernel;
	uint8_t head[sizeof(struct boot_params)];
	uint64_t size, base, end;
	size_t len;

	kernel->fd = file_open(path, &size);
	if (kernel->fd < 0)
		return EXIT_STATUS_KERNEL;
	len = size < sizeof head ? (size_t)size : sizeof head;
	if (file_read(kernel->fd, path, head, len, 0) < 0)
		return EXIT_STATUS_KERNEL;
	if (!get_header(head, len, &kernel->header)) {
		say("%s: %s", path,
			len >= 2 && memcmp(head, "MZ", 2) == 0
				? "an EFI executable and no bzImage; it needs EFI firmware"
				: "not a Linux kernel: no bzImage header, and no ELF file with a "
				  "PVH entry");
		return EXIT_STATUS_KERNEL;
	}
	if (check_header(&kernel->header, path) < 0 || find_code(kernel, path, size) < 0 ||
		find_place(kernel, path, &base, &end) < 0)
		return EXIT_STATUS_KERNEL;
	return linux_place(&kernel->guest, options, base, end, kernel->header.initrd_addr_max);
}

static int linux_open(struct boot **boot, const struct options *options)
{
	struct boot_linux *kernel = calloc(1, sizeof *kernel);

	if (!kernel) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	linux_init(&kernel->guest);
	kernel->fd = -1;
	*boot = &kernel->guest.boot;
	return open_kernel(kernel, options);
}

/* --- loading ---------------------------------------------------------------------------------- */

/* The part of the header that this kernel has: up to where its jump at 0x200 goes. */
static size_t header_len(const struct setup_header *header)
{
	size_t len = offsetof(struct setup_header, header) + (header->jump >> 8);

	return len < sizeof *header ? len : sizeof *header;
}

static void fill_memory_map(struct boot_params *params, const struct linux_guest *guest)
{
	struct linux_memory map[LINUX_MEMORY_ENTRIES];

	linux_memory_map(guest, map);
	for (unsigned i = 0; i < LINUX_MEMORY_ENTRIES; i++)
		params->e820_table[i] =
			(struct boot_e820_entry){map[i].base, map[i].size, map[i].type};
	params->e820_entries = LINUX_MEMORY_ENTRIES;
}

/* boot.rst, "32-bit boot protocol": the header of the image, and what a loader has to add. */
static void fill_params(struct boot_params *params, const struct boot_linux *kernel)
{
	const struct linux_guest *guest = &kernel->guest;

	memset(params, 0, sizeof *params);
	memcpy(&params->hdr, &kernel->header, header_len(&kernel->header));
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.vid_mode = VIDEO_NORMAL;
	params->hdr.code32_start = guest->kernel_base;
	params->hdr.cmd_line_ptr = LINUX_CMDLINE;
	params->hdr.ramdisk_image = guest->initrd_base;
	params->hdr.ramdisk_size = guest->initrd_size;
	fill_memory_map(params, guest);
}

static int linux_load_kernel(
	struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	struct boot_linux *kernel = linux_of(boot);
	struct linux_guest *guest = &kernel->guest;
	int ret = linux_load(guest, memory, machine, kernel->header.cmdline_size);
	struct boot_params params;

	if (ret != 0)
		return ret;
	if (file_read(kernel->fd, boot->options->kernel, memory->host + guest->kernel_base,
		    kernel->code_size, kernel->code_offset) < 0)
		return EXIT_STATUS_KERNEL;
	fill_params(&params, kernel);
	memcpy(memory->host + LINUX_PARAMS, &params, sizeof params);
	boot->state.eip = guest->kernel_base;
	boot->state.esi = LINUX_PARAMS;
	return 0;
}

/* --- the protocol ----------------------------------------------------------------------------- */

static int linux_show_kernel(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	const struct boot_linux *kernel = linux_of(boot);
	const struct setup_header *header = &kernel->header;

	fprintf(out,
		"Kernel        %s: bzImage, %s-bit, boot protocol %u.%02u, 32-bit entry\n"
		"Entry         EIP 0x%08x, ESI 0x%08x (boot_params)\n"
		"Initial RAM   disk at 0x%08x at most, command line of %u bytes at most\n",
		boot->options->kernel,
		header->version >= 0x020c && header->xloadflags & XLF_KERNEL_64 ? "64" : "32",
		header->version >> 8, header->version & 0xff, kernel->guest.kernel_base,
		LINUX_PARAMS, header->initrd_addr_max, header->cmdline_size);
	return linux_show(&kernel->guest, out, machine, header->cmdline_size);
}

static void linux_close_kernel(struct boot *boot)
{
	struct boot_linux *kernel = linux_of(boot);

	file_close(&kernel->fd);
	linux_close_files(&kernel->guest);
}

static void linux_free_kernel(struct boot *boot)
{
	linux_close_kernel(boot);
	free(linux_of(boot));
}

const struct boot_protocol boot_linux = {
	.name = "linux",
	.takes = LINUX_TAKES,
	.board = LINUX_BOARD,
	.recognise = linux_recognise,
	.open = linux_open,
	.load = linux_load_kernel,
	.close_files = linux_close_kernel,
	.wants_reset = linux_wants_reset,
	.show = linux_show_kernel,
	.free = linux_free_kernel,
};
