/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 and 2, spec/boot-multiboot.md: most public 32-bit kernels have such a header, and
 * start in flat protected mode on a PC. The board is that of Linux with the parts of a PC that
 * these kernels look for. "MB1" and "MB2" are as in multiboot_header.h.
 */
#include "boot/multiboot_parts.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/ports.h>

#include "boot/linux_guest.h"
#include "boot/ram_advice.h"
#include "boot/refuse.h"
#include "chips/vga_text.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"

/* --- recognising it --------------------------------------------------------------------------- */

/* Whether a file that is no ELF file is of another kind. Code for a BIOS, or an image of a disk,
 * may well have a header in it that is not its own; an a.out executable has its own. */
static bool is_other(const struct boot_file *file, const uint8_t *head)
{
	const struct refusal *refusal = refusal_find(head, file->size);

	return (refusal && !refusal_may_be_multiboot(refusal)) || boot_firmware.recognise(file);
}

static bool is_x86_elf(const struct boot_file *file)
{
	Elf32_Ehdr header;

	if (file->head_len < sizeof header)
		return false;
	memcpy(&header, file->head, sizeof header);
	return header.e_ident[EI_DATA] == ELFDATA2LSB &&
	       (header.e_machine == EM_386 || header.e_machine == EM_X86_64);
}

/* Says why a header is not seen, by any loader. */
static void warn_of_mistake(const struct boot_file *file, const uint8_t *head, size_t len)
{
	struct multiboot_header header;
	const char *mistake = multiboot_find_mistake(&header, head, len);

	if (mistake)
		say("%s: the Multiboot %u header at offset 0x%x does not count: %s", file->path,
			header.version, header.offset, mistake);
}

static const char *multiboot_recognise(const struct boot_file *file)
{
	bool is_elf = file->head_len >= SELFMAG && memcmp(file->head, ELFMAG, SELFMAG) == 0;
	struct multiboot_header header = {.version = 0};
	uint8_t *head = NULL;
	ssize_t len;

	if (is_elf && !is_x86_elf(file))
		return NULL;
	head = malloc(MULTIBOOT2_HEAD);
	len = head ? file_read_some(file->fd, head, MULTIBOOT2_HEAD, 0) : 0;
	if (len > 0 && multiboot_find(&header, head, (size_t)len) && !is_elf &&
		is_other(file, head))
		header.version = 0;
	if (is_elf && len > 0 && header.version == 0)
		warn_of_mistake(file, head, (size_t)len);
	free(head);
	return header.version == 1   ? "Multiboot kernel"
	       : header.version == 2 ? "Multiboot 2 kernel"
				     : NULL;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Finds the header and validates it. 0 or -errno (said). */
static int read_header(struct boot_multiboot *kernel, const char *path)
{
	uint8_t *head = malloc(MULTIBOOT2_HEAD);
	uint64_t size;
	int fd = head ? file_open(path, &size) : -ENOMEM, ret = fd;
	size_t len;

	if (fd >= 0) {
		len = size < MULTIBOOT2_HEAD ? (size_t)size : MULTIBOOT2_HEAD;
		kernel->file_size = size;
		ret = file_read(fd, path, head, len, 0);
		kernel->is_elf = len >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
		close(fd);
	} else if (!head) {
		say("%s", error_text(ENOMEM));
	}
	if (ret == 0 && !multiboot_find(&kernel->header, head, len)) {
		say("%s: no Multiboot header: neither one of Multiboot 1 in the first %u bytes "
		    "(aligned to 4) nor one of Multiboot 2 in the first %u (aligned to 8)",
			path, MULTIBOOT1_HEAD, MULTIBOOT2_HEAD);
		ret = -ENOEXEC;
	}
	if (ret == 0)
		ret = multiboot_read(&kernel->header, head, len, path);
	free(head);
	return ret;
}

static int open_image(struct boot_multiboot *kernel, const char *path)
{
	struct image_segment segment;
	int ret;

	if (!kernel->header.has_addresses && !kernel->is_elf) {
		say("%s: a Multiboot header without addresses, and no ELF file: nothing says where "
		    "to load it (link it as ELF)",
			path);
		return -ENOEXEC;
	}
	if (!kernel->header.has_addresses)
		return image_open_multiboot(&kernel->image, path);
	ret = multiboot_segment(&kernel->header, kernel->file_size, path, &segment);
	return ret < 0 ? ret : image_open_segment(&kernel->image, path, &segment);
}

/* Moves a relocatable image to where the board has RAM and its header permits it, unless it is
 * there already. 0 or -ENOEXEC (said). */
static int relocate(struct boot_multiboot *kernel, const char *path)
{
	const struct multiboot_header *header = &kernel->header;
	struct image *image = &kernel->image;
	uint64_t mask = header->base_align - 1ull, min = header->base_min, base;
	uint32_t first = image->segments[0].paddr;
	const struct image_segment *last = &image->segments[image->segment_count - 1];
	uint64_t size = (uint64_t)last->paddr + last->memory_size - first;

	if (!header->is_relocatable)
		return 0;
	if (min < HIGH_RAM_BASE)
		min = HIGH_RAM_BASE;
	base = (min + mask) & ~mask;
	if (first >= min && (first & mask) == 0)
		base = first;
	if (base + size - 1 > header->base_max) {
		say("%s: the relocatable header tag leaves no place above 1 MiB: 0x%" PRIx64
		    " bytes between 0x%x and 0x%x, aligned to 0x%x",
			path, size, header->base_min, header->base_max, header->base_align);
		return -ENOEXEC;
	}
	for (unsigned i = 0; i < image->segment_count; i++)
		image->segments[i].paddr += (uint32_t)base - first;
	image->entry += (uint32_t)base - first;
	return 0;
}

/* An entry point of the header's, instead of that of the ELF header. 0 or -ENOEXEC (said). */
static int set_entry(struct boot_multiboot *kernel, const char *path)
{
	struct image *image = &kernel->image;

	if (!kernel->header.has_entry)
		return 0;
	image->entry = kernel->header.entry;
	for (unsigned i = 0; i < image->segment_count; i++)
		if (image->entry - image->segments[i].paddr < image->segments[i].memory_size)
			return 0;
	say("%s: the entry address 0x%x of the Multiboot header is in no segment", path,
		image->entry);
	return -ENOEXEC;
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool is_in(const struct image_segment *segment, uint32_t base, uint32_t end)
{
	return segment->paddr >= base && segment->paddr < end &&
	       segment->memory_size <= end - segment->paddr;
}

/* All of the image goes to memory of the board. A segment of ELF headers, which linkers put before
 * code at 1 MiB, may be in the part that a kernel can only read. need: where everything ends. 0 or
 * -ENOEXEC (said). */
static int check_segments(
	const struct boot_multiboot *kernel, const struct options *options, uint64_t need)
{
	const struct image *image = &kernel->image;
	char advice[RAM_ADVICE_SIZE];

	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (is_in(segment, MULTIBOOT_LOW_BASE, LINUX_MP_TABLE) ||
			is_in(segment, HIGH_RAM_BASE, options->memory_size) ||
			(!segment->writable &&
				is_in(segment, MULTIBOOT_TABLES + PAGE_SIZE, HIGH_RAM_BASE)))
			continue;
		ram_advice(advice, need);
		say("%s: 0x%x bytes at 0x%x are not in RAM, which is from 0x%x to 0x%x and from "
		    "0x%x to 0x%x; %s%s",
			options->kernel, segment->memory_size, segment->paddr, MULTIBOOT_LOW_BASE,
			LINUX_MP_TABLE - 1, HIGH_RAM_BASE, options->memory_size - 1,
			segment->paddr < HIGH_RAM_BASE ? "link it at 1 MiB or above" : advice,
			link_advice(image->segments[0].paddr));
		return -ENOEXEC;
	}
	return 0;
}

/* The symbols, which begin at kernel_end and end at end, go to RAM. need: where everything ends. 0
 * or -ENOEXEC (said). */
static int check_symbols(
	const struct options *options, uint64_t kernel_end, uint64_t end, uint64_t need)
{
	char advice[RAM_ADVICE_SIZE];

	if (end <= options->memory_size)
		return 0;
	say("%s: %" PRIu64 " bytes of symbols do not fit behind the kernel, which ends at "
	    "0x%" PRIx64 ": RAM ends at 0x%x; %s",
		options->kernel, end - kernel_end, kernel_end, options->memory_size,
		ram_advice(advice, need));
	return -ENOEXEC;
}

/* Opens the module of this index, and places it at the next page boundary. 0 or -errno (said). */
static int place_module(
	struct boot_multiboot *kernel, const struct options *options, unsigned index, uint64_t *end)
{
	const char *path = options->modules[index];
	uint64_t base = page_up(*end), size, need;
	uint32_t ram_end = options->memory_size;
	char advice[RAM_ADVICE_SIZE];
	int ret = modules_open(&kernel->modules, path, &size);

	if (ret < 0)
		return ret;
	if (base > ram_end || size > ram_end - base) {
		need = modules_end(options->modules + index, options->module_count - index, *end);
		say("%s: module of %" PRIu64 " bytes does not fit between 0x%" PRIx64
		    " and 0x%x, the end of RAM; %s",
			path, size, base, ram_end, ram_advice(advice, need));
		return -ENOSPC;
	}
	kernel->modules.entries[kernel->modules.count - 1].base = (uint32_t)base;
	*end = base + size;
	return 0;
}

/* A place for the boot information: below 1 MiB, where no kernel expects its free memory to begin,
 * around segments that are there, or behind all else. 0 or -ENOSPC (said). */
static int place_info(struct boot_multiboot *kernel, uint64_t end)
{
	const struct multiboot_content content = multiboot_content(kernel);
	uint64_t size = multiboot_info_write(kernel->header.version, &content, NULL, 0);
	uint64_t base = MULTIBOOT_INFO;
	char advice[RAM_ADVICE_SIZE];

	for (unsigned i = 0; i < kernel->image.segment_count; i++) {
		const struct image_segment *segment = &kernel->image.segments[i];

		if (segment->paddr < base + size && segment->paddr + segment->memory_size > base)
			base = (uint64_t)segment->paddr + segment->memory_size;
		base = (base + MULTIBOOT_INFO_ALIGN - 1) / MULTIBOOT_INFO_ALIGN *
		       MULTIBOOT_INFO_ALIGN;
	}
	if (base + size > LINUX_MP_TABLE)
		base = page_up(end);
	kernel->info_base = (uint32_t)base;
	kernel->info_size = (uint32_t)size;
	if (base + size <= LINUX_MP_TABLE || base + size <= kernel->boot.options->memory_size)
		return 0;
	say("%s: %" PRIu64 " bytes of boot information do not fit behind the kernel and its "
	    "modules, which end at 0x%" PRIx64 ": RAM ends at 0x%x; %s",
		kernel->boot.options->kernel, size, end, kernel->boot.options->memory_size,
		ram_advice(advice, base + size));
	return -ENOSPC;
}

static void add_region(struct boot *boot, uint32_t base, uint32_t end, bool read_only)
{
	boot->regions[boot->region_count++] = (struct memory_region){base, end - base, read_only};
}

static void set_memory_map(struct boot_multiboot *kernel, uint32_t ram_end)
{
	const struct multiboot_memory map[] = {
		{0, LINUX_MP_TABLE, LINUX_MEMORY_RAM},
		{LINUX_MP_TABLE, LOW_RAM_END - LINUX_MP_TABLE, LINUX_MEMORY_RESERVED},
		{SHADOW_BASE, HIGH_RAM_BASE - SHADOW_BASE, LINUX_MEMORY_RESERVED},
		{HIGH_RAM_BASE, ram_end - HIGH_RAM_BASE, LINUX_MEMORY_RAM},
	};

	_Static_assert(sizeof map == sizeof kernel->memory, "one structure has the map");
	memcpy(kernel->memory, map, sizeof map);
	add_region(&kernel->boot, 0, LOW_RAM_END, false);
	add_region(&kernel->boot, VGA_TEXT_BASE, VGA_TEXT_BASE + VGA_TEXT_SIZE, false);
	add_region(&kernel->boot, SHADOW_BASE, HIGH_RAM_BASE, true);
	add_region(&kernel->boot, HIGH_RAM_BASE, ram_end, false);
}

/* Lays out memory: the image where it goes, behind it symbols and modules, and the boot
 * information. 0, or the exit status of vole. */
static int place(struct boot_multiboot *kernel, const struct options *options)
{
	const struct image *image = &kernel->image;
	const struct image_segment *last = &image->segments[image->segment_count - 1];
	uint64_t kernel_end = (uint64_t)last->paddr + last->memory_size, end, need;

	if (kernel_end < HIGH_RAM_BASE)
		kernel_end = HIGH_RAM_BASE;
	end = kernel_end;
	if (multiboot_sections_read(&kernel->sections, image, &end) < 0)
		return EXIT_STATUS_KERNEL;
	need = modules_end(options->modules, options->module_count, end);
	if (check_segments(kernel, options, need) < 0 ||
		check_symbols(options, kernel_end, end, need) < 0)
		return EXIT_STATUS_KERNEL;
	for (unsigned i = 0; i < options->module_count; i++)
		if (place_module(kernel, options, i, &end) < 0)
			return EXIT_STATUS_VOLE;
	set_memory_map(kernel, options->memory_size);
	return place_info(kernel, end) < 0 ? EXIT_STATUS_VOLE : 0;
}

static int multiboot_open(struct boot **boot, const struct options *options)
{
	struct boot_multiboot *kernel = calloc(1, sizeof *kernel);
	const char *path = options->kernel;

	if (!kernel) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	kernel->image = IMAGE_EMPTY;
	kernel->boot.image = &kernel->image;
	kernel->sections = MULTIBOOT_SECTIONS_EMPTY;
	kernel->boot.options = options;
	*boot = &kernel->boot;
	if (memory_validate_pc_size(options->memory_size, "multiboot") < 0)
		return EXIT_STATUS_VOLE;
	if (read_header(kernel, path) < 0 || open_image(kernel, path) < 0 ||
		set_entry(kernel, path) < 0 || relocate(kernel, path) < 0)
		return EXIT_STATUS_KERNEL;
	return place(kernel, options);
}

/* --- the protocol ----------------------------------------------------------------------------- */

static const char *multiboot_symbol(struct boot *boot, uint64_t address, uint32_t *offset)
{
	return image_symbol(&multiboot_of(boot)->image, address, offset);
}

static int multiboot_locate(struct boot *boot, uint64_t linear, uint64_t *gpa)
{
	return image_locate(&multiboot_of(boot)->image, linear, gpa);
}

static int multiboot_show(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	return multiboot_inspect(multiboot_of(boot), out, machine);
}

static void multiboot_close_files(struct boot *boot)
{
	struct boot_multiboot *kernel = multiboot_of(boot);

	modules_close(&kernel->modules);
	image_close(&kernel->image);
}

static void multiboot_free(struct boot *boot)
{
	struct boot_multiboot *kernel = multiboot_of(boot);

	modules_close(&kernel->modules);
	multiboot_sections_free(&kernel->sections);
	image_free(&kernel->image);
	free(kernel);
}

const struct boot_protocol boot_multiboot = {
	.name = "multiboot",
	.takes = BOOT_TAKES_CPUS | BOOT_TAKES_CMDLINE | BOOT_TAKES_MODULES,
	.board =
		{
			.irqchip = ENGINE_IRQCHIP_PC,
			.exit_port = true,
			.exception_port = true,
			.any_exit_width = true,
			.halt = BOARD_HALT_ENDS,
			.reset = true,
			.keyboard = true,
			.screen = true,
			.open_bus = true,
			.debug_port = true,
			.debug_port_number = VOLE_PORT_DEBUG,
			.cmos = true,
			.device_max = LINUX_DEVICES,
			.pins = linux_pins,
			.serial = true,
			.ignores_out2 = true, /* xv6 and JOS do not set it */
		},
	.recognise = multiboot_recognise,
	.open = multiboot_open,
	.load = multiboot_load,
	.close_files = multiboot_close_files,
	.symbol = multiboot_symbol,
	.locate = multiboot_locate,
	.show = multiboot_show,
	.free = multiboot_free,
};
