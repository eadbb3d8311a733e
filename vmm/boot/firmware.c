/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PC firmware, spec/boot-firmware.md: a BIOS image below 4 GiB, where the processor begins after a
 * reset, on a board that has of a PC what KVM has.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "boot/inspect.h"
#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "layout.h"
#include "log.h"

#define KIB 1024u

/* A small BIOS for QEMU alone: recognised, so that it can be refused by name. */
#define QBOOT_SIZE (64 * KIB)

/* SeaBIOS prints here if it reads VOLE_PORT_DEBUG back; QEMU has the same, as isa-debugcon. */
#define DEBUG_PORT 0x402

struct boot_firmware {
	struct boot boot;
	int fd; /* -1: empty */
	uint32_t size;
};

static struct boot_firmware *firmware_of(struct boot *boot)
{
	return container_of(boot, struct boot_firmware, boot);
}

static bool is_size(uint64_t size)
{
	return size == 128 * KIB || size == 256 * KIB;
}

/* The processor's first instruction is 16 bytes below the end (Intel SDM 3, 10.1.4). It is a jump,
 * as no more fits; mostly a far one to the copy below 1 MiB, and then this is a BIOS whatever its
 * size. So is U-Boot, which has CLI and CLD before a near jump. */
static const char *firmware_recognise(const struct boot_file *file)
{
	static const uint8_t jumps[] = {0xea, 0xe9, 0xeb}, u_boot[] = {0xfa, 0xfc, 0xe9};
	const uint8_t *reset = file->tail;

	if (file->size < sizeof file->tail || file->size % (64 * KIB) != 0)
		return NULL;
	if (reset[0] == 0xea && reset[3] == 0x00 && reset[4] == 0xf0)
		return "BIOS image";
	if (memcmp(reset, u_boot, sizeof u_boot) == 0)
		return "U-Boot";
	return (is_size(file->size) || file->size == QBOOT_SIZE) &&
			       memchr(jumps, reset[0], sizeof jumps)
		       ? "firmware with a jump at the reset vector"
		       : NULL;
}

static void add_region(struct boot *boot, uint32_t base, uint32_t size, bool read_only)
{
	boot->regions[boot->region_count++] = (struct memory_region){base, size, read_only};
}

static int firmware_open(struct boot **boot, const struct options *options)
{
	struct boot_firmware *firmware = calloc(1, sizeof *firmware);
	uint64_t size;

	if (!firmware) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	*boot = &firmware->boot;
	firmware->fd = file_open(options->kernel, &size);
	if (firmware->fd < 0)
		return EXIT_STATUS_KERNEL;
	if (!is_size(size)) {
		say("%s: firmware of %" PRIu64 " bytes; --boot firmware takes 128 or 256 KiB%s",
			options->kernel, size,
			size == QBOOT_SIZE ? " (qboot, which has 64 KiB, needs QEMU)" : "");
		return EXIT_STATUS_KERNEL;
	}
	if (memory_validate_pc_size(options->memory_size, "firmware") < 0)
		return EXIT_STATUS_VOLE;
	firmware->size = (uint32_t)size;
	firmware->boot.state = (struct entry_state){.mode = ENTRY_RESET};
	add_region(*boot, 0, LOW_RAM_END, false);
	add_region(*boot, ADAPTER_BASE, options->memory_size - ADAPTER_BASE, false);
	add_region(*boot, -firmware->size, firmware->size, true);
	return 0;
}

static int firmware_load(
	struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	struct boot_firmware *firmware = firmware_of(boot);
	uint8_t *rom = memory->host + memory->size - firmware->size;

	(void)machine;
	if (file_read(firmware->fd, boot->options->kernel, rom, firmware->size, 0) < 0)
		return EXIT_STATUS_KERNEL;
	/* A PC shows the last 128 KiB. The larger SeaBIOS copies the rest there itself, but only
	 * where it finds a chip set that it knows. */
	memcpy(memory->host + HIGH_RAM_BASE - firmware->size, rom, firmware->size);
	return 0;
}

static int firmware_show(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	static const char *const what[] = {
		"RAM", "RAM, with a copy of the image below 0x00100000", "the image"};
	char size[16];

	fprintf(out,
		"Firmware      %s, %u KiB\n"
		"Machine       %s of RAM, CPUs: %u; two PICs, IOAPIC, local APICs, PIT, CMOS\n",
		boot->options->kernel, firmware_of(boot)->size / KIB,
		inspect_size(size, boot->options->memory_size), machine->cpu_count);
	inspect_regions(out, boot, what);
	fprintf(out, "\nThe boot CPU at its first instruction: as after a reset\n"
		     "  CS:IP  f000:fff0  CS begins at 0xffff0000 until it is loaded: 16 bytes "
		     "below 4 GiB\n");
	return inspect_end(out);
}

static void firmware_close_files(struct boot *boot)
{
	file_close(&firmware_of(boot)->fd);
}

static void firmware_free(struct boot *boot)
{
	firmware_close_files(boot);
	free(firmware_of(boot));
}

const struct boot_protocol boot_firmware = {
	.name = "firmware",
	.takes = BOOT_TAKES_CPUS,
	.board =
		{
			.irqchip = ENGINE_IRQCHIP_PC,
			.halt = BOARD_HALT_ENDS,
			.reset = true,
			.open_bus = true,
			.cmos = true,
			.debug_port = true,
			.debug_port_number = DEBUG_PORT,
		},
	.recognise = firmware_recognise,
	.open = firmware_open,
	.load = firmware_load,
	.close_files = firmware_close_files,
	.show = firmware_show,
	.free = firmware_free,
};
