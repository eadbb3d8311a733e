/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw code on its way into memory: where it goes, where and how it begins, what is refused. */
#include "boot/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../refusal.h"
#include "../tap.h"
#include "exit_status.h"

#define RAM (2u << 20)

static char path[] = "/tmp/vole-flat-XXXXXX";
static const uint8_t code[] = {0x31, 0xc0, 0xe7, 0x10, 0x40, 0xeb, 0xfb};

static struct options options_of(const char *protocol, uint32_t load)
{
	return (struct options){
		.kernel = path,
		.boot = protocol,
		.memory_size = RAM,
		.cpu_count = 1,
		.has_load = true,
		.load = load,
	};
}

#define HANDLERS 0xf0000u

/* All of RAM, from 0 on, but for the page of the handlers. */
static bool is_all_memory(const struct boot *boot)
{
	uint32_t end = 0;
	bool good = true;

	for (unsigned i = 0; i < boot->region_count; i++) {
		const struct memory_region *region = &boot->regions[i];

		good &= region->base == end && region->read_only == (region->base == HANDLERS);
		end = region->base + region->size;
	}
	return good && end == RAM;
}

/* Whether each vector leads to the stub of its number, which writes the port for exceptions. */
static bool has_vectors(const struct memory *memory)
{
	bool good = true;

	for (uint32_t i = 0; i < 256; i++) {
		const uint8_t *at = memory->host + 4 * i;
		uint32_t stub = (uint32_t)(at[0] | at[1] << 8) + 16u * (at[2] | at[3] << 8);

		good &= stub == HANDLERS + 4 * i && memory->host[stub] == 0xe6 &&
			memory->host[stub + 1] == 0xfc;
	}
	return good;
}

/* Bytes that are not zero outside of the code and, if there are vectors, of these and their
 * handlers. */
static unsigned count_others(const struct memory *memory, uint32_t load, bool vectors)
{
	unsigned others = 0;

	for (uint32_t at = 0; at < RAM; at++) {
		bool in_code = at >= load && at < load + sizeof code;
		bool in_vectors = at < 0x400 || (at >= HANDLERS && at < HANDLERS + 0x400);

		others += !in_code && !(vectors && in_vectors) && memory->host[at] != 0;
	}
	return others;
}

/* Open and load at this address: is the code there, and nothing else but vectors, if they have
 * room? */
static void check_place(uint32_t load, uint16_t selector, uint32_t ip, bool vectors)
{
	struct options options = options_of("flat", load);
	struct memory memory = MEMORY_EMPTY;
	struct boot_machine machine = {.cpu_count = 1};
	struct boot *boot;

	is(boot_open(&boot, &options), 0, "0x%x: opened", load);
	is(boot->region_count, vectors ? 3 : 1, "0x%x: RAM, and a page of handlers", load);
	ok(vectors ? is_all_memory(boot)
		   : boot->regions[0].size == RAM && !boot->regions[0].read_only,
		"0x%x: RAM is from 0 to its size, all of it writable but for the handlers", load);
	if (memory_init(&memory, boot->regions, boot->region_count) == 0)
		is(boot->protocol->load(boot, &memory, &machine), 0, "0x%x: loaded", load);
	ok(memcmp(memory.host + load, code, sizeof code) == 0, "0x%x: the code is there", load);
	is(has_vectors(&memory), vectors, "0x%x: vectors", load);
	is(count_others(&memory, load, vectors), 0, "0x%x: all else is zero", load);
	is(boot->state.mode, ENTRY_REAL16, "0x%x: real mode", load);
	is(boot->state.code_selector, selector, "0x%x: CS", load);
	is(boot->state.data_selector, selector, "0x%x: all other segments as CS", load);
	is(boot->state.eip, ip, "0x%x: IP", load);
	ok(boot->state.eax == 0 && boot->state.ebx == 0 && boot->state.esi == 0 &&
			boot->state.esp == 0,
		"0x%x: other registers are 0", load);
	memory_free(&memory);
	boot_free(boot);
}

static void write_code(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
		exit(1);
}

static void check_refusals(void)
{
	struct options options = options_of("flat", 0x100001);

	boot_refuses(&options, EXIT_STATUS_KERNEL, "real mode begins at 0x100000 at most",
		"real mode begins at 0x100000 at most");
	options = options_of("flat", 0x8000);
	options.memory_size = 0x8000;
	boot_refuses(&options, EXIT_STATUS_KERNEL, "beyond RAM", "beyond RAM");
	options.load = 0x8000 - (uint32_t)sizeof code + 1;
	boot_refuses(&options, EXIT_STATUS_KERNEL, "beyond RAM", "beyond RAM");
	options.memory_size = 0x8001;
	boot_refuses(
		&options, EXIT_STATUS_VOLE, "not a multiple of 4096", "not a multiple of 4096");
	options = options_of("flat", 0);
	options.cpu_count = 2;
	boot_refuses(&options, EXIT_STATUS_VOLE, "takes no --cpus", "takes no --cpus");
	options = options_of("flat", 0);
	options.module_count = 1;
	boot_refuses(&options, EXIT_STATUS_VOLE, "takes no --module", "takes no --module");
	options = options_of("flat", 0);
	strcpy(options.cmdline, "a");
	boot_refuses(&options, EXIT_STATUS_VOLE, "takes no command line", "takes no command line");
	options = options_of("auto", 0);
	boot_refuses(&options, EXIT_STATUS_KERNEL, "raw code needs --boot flat",
		"raw code needs --boot flat");
	options = options_of("flat", 0);
	write_code("\177ELF....", 8);
	boot_refuses(&options, EXIT_STATUS_KERNEL, "an ELF file, not raw code",
		"an ELF file, not raw code");
	write_code("", 0);
	boot_refuses(&options, EXIT_STATUS_KERNEL, "the file is empty", "the file is empty");
	unlink(path);
	boot_refuses(&options, EXIT_STATUS_KERNEL, "No such file", "No such file");
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	write_code(code, sizeof code);
	check_place(0, 0, 0, false);
	check_place(0x3ff, 0, 0x3ff, false);
	check_place(0x400, 0, 0x400, true);
	check_place(0x7c00, 0, 0x7c00, true);
	check_place(0xffff, 0, 0xffff, true);
	check_place(0x10000, 0x1000, 0, true);
	check_place(0x1234f, 0x1234, 0xf, true);
	check_place(HANDLERS - sizeof code, 0xefff, 0x10 - sizeof code, true);
	check_place(HANDLERS - sizeof code + 1, 0xefff, 0x11 - sizeof code, false);
	check_place(HANDLERS + 0xfff, 0xf0ff, 0xf, false);
	check_place(HANDLERS + 0x1000, 0xf100, 0, true);
	check_place(0xfffff, 0xffff, 0xf, true);
	check_place(0x100000, 0xffff, 0x10, true);
	check_refusals();
	return tap_done();
}
