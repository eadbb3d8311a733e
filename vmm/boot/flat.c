/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw code in real mode, spec/boot-flat.md: what most tutorials on KVM begin with. The file is
 * copied to an address, and that is where the CPU begins.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "boot/idt_stubs.h"
#include "boot/inspect.h"
#include "boot/ram_advice.h"
#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "layout.h"
#include "log.h"

/* The last address that can be written as selector and 16-bit offset with an offset this small. */
#define SELECTOR_MAX 0xffffu

/*
 * Interrupt vectors have four bytes each, from 0 on. They lead to handlers that report, where a PC
 * has its BIOS. Both are left out if the code takes the place of one of them.
 */
#define VECTORS_END 0x400u
#define HANDLERS    0xf0000u

struct boot_flat {
	struct boot boot;
	int fd; /* -1: empty */
	uint32_t size;
	bool has_vectors;
};

static struct boot_flat *flat_of(struct boot *boot)
{
	return container_of(boot, struct boot_flat, boot);
}

/* Nobody means the header of an ELF file to be run. 0 or -errno (said). */
static int check_content(const struct boot_flat *flat, const char *path, uint64_t size)
{
	char magic[4] = "";
	int ret = 0;

	if (size >= sizeof magic)
		ret = file_read(flat->fd, path, magic, sizeof magic, 0);
	if (ret == 0 && memcmp(magic, "\177ELF", sizeof magic) == 0) {
		say("%s: an ELF file, not raw code, which objcopy -O binary makes of one", path);
		ret = -ENOEXEC;
	}
	return ret;
}

/* Does the code fit? 0 or -errno (said). */
static int check_place(const struct options *options, uint64_t size)
{
	uint32_t ram = options->memory_size;
	char advice[RAM_ADVICE_SIZE];

	if (options->load > REAL_MODE_MAX)
		say("--load 0x%x: real mode begins at 0x%x at most", options->load, REAL_MODE_MAX);
	else if (options->load >= ram || size > ram - options->load)
		say("%s: %" PRIu64 " bytes at 0x%x are beyond RAM, which has %u; %s",
			options->kernel, size, options->load, ram,
			ram_advice(advice, options->load + size));
	else
		return 0;
	return -EINVAL;
}

/*
 * IP is the address and all segments begin at 0, so that code linked for its address finds its
 * data. IP has 16 bits, though: from 64 KiB on, all segments begin as near below the code as they
 * can.
 */
static struct entry_state entry_state(uint32_t load)
{
	uint32_t selector = load >> 16 == 0 ? 0 : load >> 4;

	if (selector > SELECTOR_MAX)
		selector = SELECTOR_MAX;
	return (struct entry_state){
		.mode = ENTRY_REAL16,
		.eip = load - 16 * selector,
		.code_selector = (uint16_t)selector,
		.data_selector = (uint16_t)selector,
	};
}

static void add_region(struct boot *boot, uint32_t base, uint32_t end, bool read_only)
{
	if (end > base)
		boot->regions[boot->region_count++] =
			(struct memory_region){base, end - base, read_only};
}

/* RAM, and the page of the handlers, which may be behind all RAM. */
static void add_memory(struct boot_flat *flat, const struct options *options)
{
	uint32_t ram = options->memory_size, end = options->load + flat->size;

	flat->has_vectors = options->load >= VECTORS_END &&
			    (end <= HANDLERS || options->load >= HANDLERS + PAGE_SIZE);
	if (!flat->has_vectors) {
		add_region(&flat->boot, 0, ram, false);
		return;
	}
	add_region(&flat->boot, 0, ram < HANDLERS ? ram : HANDLERS, false);
	add_region(&flat->boot, HANDLERS, HANDLERS + PAGE_SIZE, true);
	add_region(&flat->boot, HANDLERS + PAGE_SIZE, ram, false);
}

static int flat_open(struct boot **boot, const struct options *options)
{
	struct boot_flat *flat = calloc(1, sizeof *flat);
	uint64_t size;

	if (!flat) {
		say("%s", error_text(ENOMEM));
		return EXIT_STATUS_VOLE;
	}
	*boot = &flat->boot;
	flat->fd = file_open(options->kernel, &size);
	if (flat->fd < 0)
		return EXIT_STATUS_KERNEL;
	if (memory_validate_size(options->memory_size) < 0)
		return EXIT_STATUS_VOLE;
	if (check_content(flat, options->kernel, size) < 0 || check_place(options, size) < 0)
		return EXIT_STATUS_KERNEL;
	flat->size = (uint32_t)size;
	flat->boot.state = entry_state(options->load);
	add_memory(flat, options);
	return 0;
}

/* Vectors that lead to the stubs of an IDT, which have no use for the mode of the CPU. */
static void write_vectors(struct boot *boot, uint8_t *host)
{
	struct idt_stubs table;

	idt_stubs_fill(&table, HANDLERS, 0);
	memcpy(host + HANDLERS, table.stubs, sizeof table.stubs);
	for (uint32_t i = 0; i < IDT_VECTORS; i++) {
		const uint16_t vector[] = {(uint16_t)(i * IDT_STUB_SIZE), HANDLERS / 16};

		memcpy(host + i * sizeof vector, vector, sizeof vector);
	}
	boot->exception_stubs = HANDLERS;
}

static int flat_load(struct boot *boot, struct memory *memory, const struct boot_machine *machine)
{
	const struct options *options = boot->options;
	struct boot_flat *flat = flat_of(boot);

	(void)machine;
	if (file_read(flat->fd, options->kernel, memory->host + options->load, flat->size, 0) < 0)
		return EXIT_STATUS_KERNEL;
	if (flat->has_vectors)
		write_vectors(boot, memory->host);
	return 0;
}

static int flat_show(struct boot *boot, FILE *out, const struct boot_machine *machine)
{
	static const char *const what[] = {"RAM", "handlers that report", "RAM"};
	const struct entry_state *state = &boot->state;
	char size[16];

	(void)machine;
	fprintf(out,
		"Code          %s, %u bytes at 0x%08x\n"
		"Machine       %s of RAM, one CPU; no devices and no interrupts, so hlt is the "
		"end\n",
		boot->options->kernel, flat_of(boot)->size, boot->options->load,
		inspect_size(size, boot->options->memory_size));
	inspect_regions(out, boot, what);
	fprintf(out,
		"\nThe CPU at its first instruction: real mode, interrupts off\n"
		"  CS:IP  %04x:%04x\n"
		"  SS:SP  %04x:%04x  the first push writes to the end of that segment\n"
		"  DS     %04x       ES, FS, GS too\n",
		state->code_selector, state->eip, state->data_selector, state->esp,
		state->data_selector);
	return inspect_end(out);
}

static void flat_close_files(struct boot *boot)
{
	file_close(&flat_of(boot)->fd);
}

static void flat_free(struct boot *boot)
{
	flat_close_files(boot);
	free(flat_of(boot));
}

const struct boot_protocol boot_flat = {
	.name = "flat",
	.takes = BOOT_TAKES_LOAD,
	.board =
		{
			.irqchip = ENGINE_IRQCHIP_NONE,
			.halt = BOARD_HALT_STOPS,
			.exception_port = true,
			.open_bus = true,
		},
	.open = flat_open,
	.load = flat_load,
	.close_files = flat_close_files,
	.show = flat_show,
	.free = flat_free,
};
