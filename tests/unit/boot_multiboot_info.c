/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot information tells a Multiboot kernel of its command line, modules, symbols, memory and
 * screen. */
#include <stdlib.h>
#include <unistd.h>

#include "../multiboot_fixture.h"

static char module_paths[2][40] = {"/tmp/vole-unit-module-XXXXXX", "/tmp/vole-unit-module-XXXXXX"};

static const char *text(uint32_t at)
{
	return (const char *)memory.host + at;
}

static void put_modules(void)
{
	for (unsigned i = 0; i < 2; i++) {
		char text[16];

		image_write(
			module_paths[i], text, (size_t)snprintf(text, sizeof text, "module %u", i));
		options.modules[i] = module_paths[i];
	}
	options.module_count = 2;
	strcpy(options.cmdline, "one two");
}

static const uint64_t memory_map[4][3] = {
	{0, 0x9f000, 1},
	{0x9f000, 0x1000, 2},
	{0xe0000, 0x20000, 2},
	{0x100000, 15u << 20, 1},
};

/* Whether a text is the kernel's path and what follows it on its command line. */
static bool is_cmdline(const char *line)
{
	size_t len = strlen(kernel_path);

	return strncmp(line, kernel_path, len) == 0 && strcmp(line + len, " one two") == 0;
}

/* The names of symbols, by section headers at this address in memory. */
static void check_sections(uint32_t headers)
{
	Elf32_Shdr sections[4];

	memcpy(sections, memory.host + headers, sizeof sections);
	is(sections[1].sh_addr, BASE, "a section of the program is where it was linked");
	is(word(sections[2].sh_addr + sizeof(Elf32_Sym) + 4, 4), BASE + 8, "symbols are loaded");
	ok(strcmp(text(sections[3].sh_addr + 1), "kernel_main") == 0, "and their names");
}

static void check_module(unsigned number, uint32_t start, uint32_t end, uint32_t name)
{
	is(start % 4096, 0, "module %u: at a page boundary", number);
	is(end - start, 8, "module %u: size", number);
	is(word(start + 7, 2), '0' + number, "module %u: bytes", number);
	ok(strcmp(text(name), module_paths[number]) == 0, "module %u: name", number);
}

static void test_info1(void)
{
	uint32_t info, map, modules, bad = 0;

	header1(3);
	put_file();
	put_modules();
	is(load(), 0, "Multiboot 1 with all that it tells");
	info = boot->state.ebx;
	is(word(info, 4), 0x126d, "MB1 3.3: flags");
	is(word(info + 4, 4), 0x9f000 / 1024, "MB1 3.3: mem_lower");
	is(word(info + 8, 4), 15 * 1024, "MB1 3.3: mem_upper");
	ok(is_cmdline(text((uint32_t)word(info + 16, 4))), "MB1 3.3: cmdline");
	is(word(info + 20, 4), 2, "MB1 3.3: mods_count");
	modules = (uint32_t)word(info + 24, 4);
	for (unsigned i = 0; i < 2; i++)
		check_module(i, (uint32_t)word(modules + 16 * i, 4),
			(uint32_t)word(modules + 16 * i + 4, 4),
			(uint32_t)word(modules + 16 * i + 8, 4));
	is(word(info + 28, 8), 4 | 40ull << 32, "MB1 3.3: syms: number and size of headers");
	is(word(info + 40, 4), 3, "MB1 3.3: syms: names of sections");
	check_sections((uint32_t)word(info + 36, 4));
	is(word(info + 44, 4), 4 * 24, "MB1 3.3: mmap_length");
	map = (uint32_t)word(info + 48, 4);
	for (unsigned i = 0; i < 4; i++)
		bad += word(map + 24 * i, 4) != 20 ||
		       word(map + 24 * i + 4, 8) != memory_map[i][0] ||
		       word(map + 24 * i + 12, 8) != memory_map[i][1] ||
		       word(map + 24 * i + 20, 4) != memory_map[i][2];
	is(bad, 0, "MB1 3.3: size, base, length and type of each range");
	ok(strcmp(text((uint32_t)word(info + 64, 4)), "vole") == 0, "MB1 3.3: boot_loader_name");
	is(word(info + 88, 8), 0xb8000, "MB1 3.3: framebuffer_addr");
	is(word(info + 96, 8), 160 | 80ull << 32, "MB1 3.3: framebuffer_pitch and width");
	is(word(info + 104, 6), 25 | 16ull << 32 | 2ull << 40,
		"MB1 3.3: framebuffer_height, bpp and type");
	unload();
}

/* The address of a tag of the boot information, or 0. Counts what is wrong with tags to *bad. */
static uint32_t find_tag(uint32_t info, uint32_t type, unsigned number, unsigned *bad)
{
	uint32_t at = info + 8, end = info + (uint32_t)word(info, 4);

	while (word(at, 4) != 0) {
		uint32_t size = (uint32_t)word(at + 4, 4);

		if (word(at, 4) == type && number-- == 0)
			return at;
		*bad += size < 8 || at + size > end - 8;
		at += (size + 7) / 8 * 8;
	}
	*bad += word(at + 4, 4) != 8 || at + 8 != end;
	return 0;
}

static void test_info2(void)
{
	unsigned bad = 0;
	uint32_t info, tag;

	header2(10, 24, BASE, 0xffffffff, 0x1000, 0, 0, 8);
	put_file();
	put_modules();
	is(load(), 0, "Multiboot 2 with all that it tells");
	info = boot->state.ebx;
	is(info % 8, 0, "MB2 3.6: aligned to 8");
	ok(is_cmdline(text(find_tag(info, 1, 0, &bad) + 8)), "MB2 3.6: command line");
	ok(strcmp(text(find_tag(info, 2, 0, &bad) + 8), "vole") == 0, "MB2 3.6: loader name");
	for (unsigned i = 0; i < 2; i++) {
		tag = find_tag(info, 3, i, &bad);
		check_module(i, (uint32_t)word(tag + 8, 4), (uint32_t)word(tag + 12, 4), tag + 16);
	}
	is(word(find_tag(info, 4, 0, &bad) + 8, 8), 0x9f000 / 1024 | (15 * 1024ull) << 32,
		"MB2 3.6: basic memory information");
	tag = find_tag(info, 6, 0, &bad);
	is(word(tag + 4, 8), (16 + 4 * 24) | 24ull << 32, "MB2 3.6: four entries of 24 bytes");
	for (unsigned i = 0; i < 4; i++)
		bad += word(tag + 16 + 24 * i, 8) != memory_map[i][0] ||
		       word(tag + 24 + 24 * i, 8) != memory_map[i][1] ||
		       word(tag + 32 + 24 * i, 8) != memory_map[i][2];
	tag = find_tag(info, 8, 0, &bad);
	is(word(tag + 8, 8), 0xb8000, "MB2 3.6: framebuffer: address");
	is(word(tag + 16, 8), 160 | 80ull << 32, "MB2 3.6: framebuffer: pitch and width");
	is(word(tag + 24, 6), 25 | 16ull << 32 | 2ull << 40, "MB2 3.6: framebuffer: text");
	tag = find_tag(info, 9, 0, &bad);
	is(word(tag + 8, 8), 4 | 40ull << 32, "MB2 3.6: number and size of section headers");
	is(word(tag + 16, 4), 3, "MB2 3.6: names of sections");
	check_sections(tag + 20);
	is(word(find_tag(info, 21, 0, &bad) + 8, 4), BASE, "MB2 3.6: load base address");
	is(find_tag(info, 5, 0, &bad), 0, "MB2 3.6: no BIOS boot device");
	is(bad, 0, "MB2 3.6: tags follow each other up to the last one, and ranges are right");
	unload();
	header2(0, 8);
	put_file();
	file.elf.elf.e_shnum = 0;
	file.elf.elf.e_shoff = 0;
	put_file();
	load();
	is(find_tag(boot->state.ebx, 9, 0, &bad), 0, "MB2 3.6: no sections, no tag");
	is(find_tag(boot->state.ebx, 3, 0, &bad), 0, "MB2 3.6: no modules, no tag");
	is(find_tag(boot->state.ebx, 21, 0, &bad), 0,
		"MB2 3.6: load base address of relocatable images only");
	unload();
}

static void test_room(void)
{
	header1(0);
	put_file();
	put_modules();
	file.elf.segment.p_memsz = (15u << 20) - 4096;
	put_file();
	options.modules[0] = module_paths[0];
	options.modules[1] = module_paths[1];
	options.module_count = 2;
	boot_refuses(
		&options, 125, "module of 8 bytes does not fit between", "no room for a module");
	options.module_count = 17;
	header1(0);
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = 0x2000;
	file.elf.segment.p_memsz = 0x9d000;
	file.elf.elf.e_entry = 0x2000;
	put_file();
	is(load(), 0, "an image that takes all memory below 1 MiB");
	ok(boot->state.ebx >= BASE, "has its boot information above");
	is(word(boot->state.ebx, 4), 0x126d, "complete");
	unload();
}

/* The advice names the RAM for kernel, symbols and all modules, whichever is met first. */
static void test_advice(void)
{
	static const char advice[] = "--memory 10M is enough";

	header1(0);
	file.elf.segment.p_memsz = 1u << 20;
	put_file();
	put_modules();
	if (truncate(module_paths[0], 3 << 20) != 0 || truncate(module_paths[1], 4 << 20) != 0)
		return;
	options.memory_size = (1u << 20) + 65536;
	boot_refuses(&options, 127, advice, "no room for the kernel");
	options.memory_size = 2u << 20;
	boot_refuses(&options, 127, advice, "no room for its symbols");
	options.memory_size = 3u << 20;
	boot_refuses(&options, 125, advice, "no room for its first module");
	options.memory_size = 8u << 20;
	boot_refuses(&options, 125, advice, "no room for its second module");
	options.memory_size = 10u << 20;
	is(load(), 0, "it is enough");
	unload();
}

int main(void)
{
	close(mkstemp(kernel_path));
	close(mkstemp(module_paths[0]));
	close(mkstemp(module_paths[1]));
	test_info1();
	test_info2();
	test_room();
	test_advice();
	unlink(kernel_path);
	unlink(module_paths[0]);
	unlink(module_paths[1]);
	return tap_done();
}
