/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/linux_guest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/inspect.h"
#include "boot/mptable.h"
#include "boot/ram_advice.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"

/* A PC's BIOS data area, 40:72: 0x1234 for a warm reset, else a cold one. */
#define RESET_FLAG      0x472
#define RESET_FLAG_NONE 0xffff /* as nobody writes it */

const uint8_t linux_pins[LINUX_DEVICES] = {5, 9, 10, 11, 12, 7, 6, 3, 14, 15};

void linux_init(struct linux_guest *guest)
{
	*guest = (struct linux_guest){.initrd_fd = -1};
}

void linux_close_files(struct linux_guest *guest)
{
	file_close(&guest->initrd_fd);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Checks that an initial RAM disk of size bytes fits between the kernel's end and limit, below
 * which the kernel looks for it, however much RAM there is. 0, or the exit status of vole
 * (said). */
static int check_initrd_limit(
	const struct options *options, uint64_t size, uint64_t kernel_end, uint64_t limit)
{
	if (page_up(kernel_end) + page_up(size) <= page_down(limit))
		return 0;
	say("%s: %" PRIu64 " bytes do not fit between the kernel, which ends at 0x%" PRIx64
	    ", and 0x%" PRIx64 ", below which the kernel looks for it",
		options->initrd, size, kernel_end, limit);
	return EXIT_STATUS_KERNEL;
}

/* Places the initial RAM disk of size bytes, which is open, as high as it may be. */
static int place_initrd(
	struct linux_guest *guest, const struct options *options, uint64_t size, uint64_t limit)
{
	uint64_t bottom = page_up(guest->kernel_end), top = options->memory_size;
	char advice[RAM_ADVICE_SIZE];

	if (top > limit)
		top = limit;
	if (size > top || page_down(top - size) < bottom) {
		say("%s: %" PRIu64 " bytes do not fit between the kernel, which ends at 0x%" PRIx64
		    ", and 0x%" PRIx64 ", the end of RAM; %s",
			options->initrd, size, bottom, top,
			ram_advice(advice, bottom + page_up(size)));
		return EXIT_STATUS_KERNEL;
	}
	guest->initrd_base = (uint32_t)page_down(top - size);
	guest->initrd_size = (uint32_t)size;
	return 0;
}

static void add_region(struct boot *boot, uint32_t base, uint32_t end, bool read_only)
{
	boot->regions[boot->region_count++] = (struct memory_region){base, end - base, read_only};
}

int linux_place(struct linux_guest *guest, const struct options *options, uint64_t base,
	uint64_t end, uint32_t initrd_last)
{
	uint64_t initrd_size = 0, initrd_limit = initrd_last + 1ull;
	char advice[RAM_ADVICE_SIZE];

	if (options->initrd)
		guest->initrd_fd = file_open(options->initrd, &initrd_size);
	if (options->initrd && guest->initrd_fd < 0)
		return EXIT_STATUS_VOLE;
	if (memory_validate_size(options->memory_size) < 0)
		return EXIT_STATUS_VOLE;
	if (options->initrd && check_initrd_limit(options, initrd_size, end, initrd_limit) != 0)
		return EXIT_STATUS_KERNEL;
	if (end > options->memory_size) {
		say("%s: the kernel needs RAM up to 0x%" PRIx64 ", and there is RAM up to 0x%x; "
		    "%s%s",
			options->kernel, end, options->memory_size,
			ram_advice(advice, page_up(end) + page_up(initrd_size)),
			link_advice((uint32_t)base));
		return EXIT_STATUS_KERNEL;
	}
	guest->kernel_base = (uint32_t)base;
	guest->kernel_end = (uint32_t)end;
	add_region(&guest->boot, 0, LOW_RAM_END, false);
	add_region(&guest->boot, SHADOW_BASE, HIGH_RAM_BASE, true);
	add_region(&guest->boot, HIGH_RAM_BASE, options->memory_size, false);
	return options->initrd ? place_initrd(guest, options, initrd_size, initrd_limit) : 0;
}

void linux_memory_map(
	const struct linux_guest *guest, struct linux_memory map[LINUX_MEMORY_ENTRIES])
{
	const struct memory_region *high = &guest->boot.regions[guest->boot.region_count - 1];
	const struct linux_memory entries[LINUX_MEMORY_ENTRIES] = {
		{0, LINUX_MP_TABLE, LINUX_MEMORY_RAM},
		{LINUX_MP_TABLE, LOW_RAM_END - LINUX_MP_TABLE, LINUX_MEMORY_RESERVED},
		{SHADOW_BASE, HIGH_RAM_BASE - SHADOW_BASE, LINUX_MEMORY_RESERVED},
		{high->base, high->size, LINUX_MEMORY_RAM},
	};

	memcpy(map, entries, sizeof entries);
}

/* --- what the kernel is told ------------------------------------------------------------------ */

/* The kernel's command line: the devices, then what the user gave. Its length, at most max; or
 * -E2BIG (said). */
static int write_cmdline(const struct linux_guest *guest, const struct boot_machine *machine,
	size_t max, char cmdline[LINUX_CMDLINE_MAX])
{
	const char *given = guest->boot.options->cmdline;
	size_t len = 0;

	/* The devices first: what follows "--" on Linux's own command line is not the kernel's. */
	for (unsigned i = 0; i < machine->device_count; i++)
		len += (size_t)snprintf(cmdline + len, LINUX_CMDLINE_MAX - len,
			"virtio_mmio.device=4K@0x%x:%u ", machine->devices[i].base,
			machine->devices[i].pin);
	if (!*given && len > 0)
		len--;
	if (max > LINUX_CMDLINE_MAX - 1)
		max = LINUX_CMDLINE_MAX - 1;
	if (len + strlen(given) > max) {
		say("%s: a command line of %zu bytes, with the devices; this kernel takes %zu",
			guest->boot.options->kernel, len + strlen(given), max);
		return -E2BIG;
	}
	strcpy(cmdline + len, given);
	return (int)(len + strlen(given));
}

static int load_initrd(const struct linux_guest *guest, struct memory *memory)
{
	if (guest->initrd_size == 0)
		return 0;
	return file_read(guest->initrd_fd, guest->boot.options->initrd,
		memory->host + guest->initrd_base, guest->initrd_size, 0);
}

int linux_load(struct linux_guest *guest, struct memory *memory, const struct boot_machine *machine,
	size_t cmdline_max)
{
	static const uint64_t gdt[] = {
		[LINUX_SELECTOR_CODE / 8] = GDT_FLAT_CODE,
		[LINUX_SELECTOR_DATA / 8] = GDT_FLAT_DATA,
	};
	static const uint16_t reset_flag = RESET_FLAG_NONE;

	if (write_cmdline(guest, machine, cmdline_max, (char *)memory->host + LINUX_CMDLINE) < 0 ||
		load_initrd(guest, memory) < 0)
		return EXIT_STATUS_VOLE;
	memcpy(memory->host + RESET_FLAG, &reset_flag, sizeof reset_flag);
	memcpy(memory->host + LINUX_GDT, gdt, sizeof gdt);
	mptable_write(memory->host + LINUX_MP_TABLE, LINUX_MP_TABLE,
		memory->host + LINUX_MP_POINTER, machine->cpu_count);
	guest->boot.state = (struct entry_state){
		.mode = ENTRY_FLAT32,
		.code_selector = LINUX_SELECTOR_CODE,
		.data_selector = LINUX_SELECTOR_DATA,
		.gdt_base = LINUX_GDT,
		.gdt_limit = sizeof gdt - 1,
	};
	return 0;
}

bool linux_wants_reset(const struct memory *memory)
{
	uint16_t flag;

	return gmem_read(&memory->gmem, RESET_FLAG, &flag, sizeof flag) == 0 &&
	       flag != RESET_FLAG_NONE;
}

/* --- inspect ---------------------------------------------------------------------------------- */

static void print_range(FILE *out, uint64_t base, uint64_t size, const char *what)
{
	fprintf(out, "  0x%08" PRIx64 "  0x%08" PRIx64 "  %10" PRIu64 "  %s\n", base,
		base + size - 1, size, what);
}

int linux_show(const struct linux_guest *guest, FILE *out, const struct boot_machine *machine,
	size_t cmdline_max)
{
	struct linux_memory map[LINUX_MEMORY_ENTRIES];
	char cmdline[LINUX_CMDLINE_MAX];

	if (write_cmdline(guest, machine, cmdline_max, cmdline) < 0)
		return -E2BIG;
	linux_memory_map(guest, map);
	fprintf(out, "\nMemory map, as the kernel is told it\n"
		     "  first       last              size  use\n");
	for (unsigned i = 0; i < LINUX_MEMORY_ENTRIES; i++)
		print_range(out, map[i].base, map[i].size,
			map[i].type == LINUX_MEMORY_RAM ? "1 RAM" : "2 reserved");
	fprintf(out, "\nIn RAM\n  first       last              size  what\n");
	print_range(out, LINUX_GDT, PAGE_SIZE, "GDT");
	print_range(out, LINUX_PARAMS, PAGE_SIZE, "boot parameters");
	print_range(out, LINUX_CMDLINE, strlen(cmdline) + 1, "command line");
	print_range(out, LINUX_MP_TABLE, LOW_RAM_END - LINUX_MP_TABLE, "MP table");
	print_range(out, guest->kernel_base, guest->kernel_end - guest->kernel_base, "kernel");
	if (guest->initrd_size > 0)
		print_range(
			out, guest->initrd_base, guest->initrd_size, guest->boot.options->initrd);
	fprintf(out, "\nVirtio-mmio devices, as the command line names them\n"
		     "  window      interrupt  device\n");
	for (unsigned i = 0; i < machine->device_count; i++)
		fprintf(out, "  0x%08x  %9u  %s\n", machine->devices[i].base,
			machine->devices[i].pin, machine->devices[i].name);
	fprintf(out, "\nCommand line  %s\n", cmdline);
	return inspect_end(out);
}
