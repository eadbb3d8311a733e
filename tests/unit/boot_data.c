/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/boot_data.c: the memory map and the bytes of the boot data, and inspect.c beside it,
 * that shows both. */
#include "boot/boot_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vole/ports.h>

#include "boot/inspect.h"

#include "../capture.h"
#include "../elf_make.h"
#include "../tap.h"

#define MIB 0x100000u

static struct image_segment segment(uint32_t paddr, uint32_t size, bool writable)
{
	return (struct image_segment){
		.paddr = paddr,
		.vaddr = paddr,
		.memory_size = size,
		.writable = writable,
		.executable = !writable,
	};
}

/* --- the memory map --------------------------------------------------------------------------- */

static void expect_entry(const struct memory_map *map, unsigned index,
	struct memory_map_entry expected, const char *name)
{
	const struct memory_map_entry *got = &map->entries[index];

	if (!ok(index < map->count && memcmp(got, &expected, sizeof expected) == 0, "entry %u: %s",
		    index, name))
		printf("# base 0x%x size 0x%x flags %u use %u\n", got->base, got->size, got->flags,
			got->use);
}

static void test_map(void)
{
	struct image image = {.path = "k", .segment_count = 3};
	struct boot_module modules[] = {{"a", 1, 0}, {"b", 8192, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x100000, 0x1800, false);
	image.segments[1] = segment(0x101800, 0x100, false);
	image.segments[2] = segment(0x103ff0, 0x20, true);
	is(memory_map_build(&map, 16 * MIB, &image, modules, 2), 0, "a map is built");
	is(map.count, 8, "it has 8 entries");
	expect_entry(&map, 0, (struct memory_map_entry){0x1000, 0x3000, 1, 1},
		"RAM begins with boot data, which is the kernel's, read-only");
	expect_entry(&map, 1, (struct memory_map_entry){0x4000, 0x4000, 0, 1},
		"the first stack can be written");
	expect_entry(&map, 2, (struct memory_map_entry){0x8000, 0xf8000, 0, 0},
		"free between boot data and kernel");
	expect_entry(&map, 3, (struct memory_map_entry){0x100000, 0x2000, 1, 1},
		"two segments without PF_W on the same pages are one read-only entry");
	expect_entry(&map, 4, (struct memory_map_entry){0x102000, 0x1000, 0, 0},
		"a page between segments is free");
	expect_entry(&map, 5, (struct memory_map_entry){0x103000, 0x2000, 0, 1},
		"a writable segment, rounded out to pages");
	expect_entry(&map, 6, (struct memory_map_entry){0x105000, 0xef8000, 0, 0},
		"free up to the modules");
	expect_entry(&map, 7, (struct memory_map_entry){0xffd000, 0x3000, 0, 2},
		"modules at the end of RAM, in one entry");
	is(modules[0].base, 0xfff000, "the first module is the highest");
	is(modules[1].base, 0xffd000, "the second one is below it");
}

static void test_shared_page(void)
{
	struct image image = {.path = "k", .segment_count = 2};
	struct memory_map map;

	image.segments[0] = segment(0x100000, 0x1100, false);
	image.segments[1] = segment(0x101100, 0x100, true);
	is(memory_map_build(&map, 2 * MIB, &image, NULL, 0), 0, "segments may share a page");
	expect_entry(&map, 3, (struct memory_map_entry){0x100000, 0x1000, 1, 1},
		"the page before is read-only");
	expect_entry(&map, 4, (struct memory_map_entry){0x101000, 0x1000, 0, 1},
		"a page that a writable segment touches is writable");
}

/* Modules go around a kernel that is linked near the end of RAM. */
static void test_modules_around_kernel(void)
{
	struct image image = {.path = "k", .segment_count = 2};
	struct boot_module modules[] = {{"big", 0x3001, 0}, {"fits", 0x2000, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x80800, 0x100, false);
	image.segments[1] = segment(0xfc000, 0x1000, true);
	is(memory_map_build(&map, MIB, &image, modules, 2), 0, "modules go around the kernel");
	is(modules[0].base, 0xf8000, "below a segment where what is above is too small");
	is(modules[1].base, 0xf6000, "the next one below that");
	modules[0].size = 0x3000;
	is(memory_map_build(&map, MIB, &image, modules, 2), 0, "modules go around the kernel");
	is(modules[0].base, 0xfd000, "above the segment where it just fits");
	is(modules[1].base, 0xfa000, "the next one below the segment");
}

static void expect_refusal(uint32_t ram_size, const struct image *image,
	struct boot_module *modules, unsigned count, int error, const char *words)
{
	struct memory_map map;
	const char *said;
	int err;

	capture_begin();
	err = memory_map_build(&map, ram_size, image, modules, count);
	said = capture_end();
	is(-err, error, "is refused: %s", words);
	if (!ok(strstr(said, words) && capture_lines(said) == 1, "... in these words"))
		printf("# %s", said);
}

static void test_refusals(void)
{
	struct image image = {.path = "k", .segment_count = 1};
	struct boot_module module = {"initrd", MIB - 0x8000 - 0x1000 + 1, 0};
	struct boot_module huge[] = {{"a", 0xffffffff, 0}, {"b", 0x1000, 0}};
	struct memory_map map;

	image.segments[0] = segment(0x8000, 0x1000, true);
	expect_refusal(0, &image, NULL, 0, EINVAL, "memory size is 0");
	expect_refusal(
		MIB + 1, &image, NULL, 0, EINVAL, "memory size 1048577 is not a multiple of 4096");
	expect_refusal(RAM_MAX + PAGE_SIZE, &image, NULL, 0, EINVAL, "is over 3221225472 (3 GiB)");
	expect_refusal(VOLE_BOOT_DATA_END, &image, NULL, 0, EINVAL,
		"memory size 32768 is too small: the boot data alone takes 32768 bytes");
	expect_refusal(MIB, &image, &module, 1, ENOSPC,
		"initrd: module of 1011713 bytes does not fit into RAM; --memory 2M is enough");
	expect_refusal(MIB, &image, huge, 2, ENOSPC, "a: module of 4294967295 bytes does not fit");

	module.size--;
	is(memory_map_build(&map, MIB, &image, &module, 1), 0, "a module that just fits");
	is(module.base, 0x9000, "... fills what the kernel leaves");
	is(map.count, 3, "... so that nothing is free");
	is(memory_map_build(&map, 0x9000, &image, NULL, 0), 0, "RAM that the kernel just fits in");
	is(map.count, 2, "... boot data read-only, stack and kernel writable, nothing else");
	image.segments[0] = segment(MIB - 0x1000, 0x1000, true);
	is(memory_map_build(&map, MIB, &image, &module, 1), 0, "a module that just fits, below");
	is(module.base, 0x8000, "... fills all between boot data and kernel");
	image.segments[0] = segment(RAM_MAX - 1, 1, true);
	is(memory_map_build(&map, RAM_MAX, &image, NULL, 0), 0, "a segment at the end of 3 GiB");
}

/* These refusals need an image that is open; their words are with the image's kind. */
static void test_placements(void)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (const struct elf_kind *kind = elf_kinds; kind->name; kind++) {
		struct elf_file file;
		struct image image;
		struct memory_map map;

		if (kind->outcome == ELF_BAD_IMAGE)
			continue;
		elf_make(&file, kind);
		is(pwrite(fd, &file, file.len, 0), file.len, "%s: written", kind->name);
		is(image_open(&image, path), 0, "%s: opens", kind->name);
		if (kind->outcome == ELF_LOADS)
			is(memory_map_build(&map, 64 * MIB, &image, NULL, 0), 0, "%s: is placed",
				kind->name);
		else
			expect_refusal(64 * MIB, &image, NULL, 0, ENOEXEC, kind->refusal);
		image_free(&image);
	}
	close(fd);
}

/* --- any kernel's memory map ------------------------------------------------------------------ */

#define PAGES 256u

/* The use that a page of RAM should have, found page by page. */
struct page {
	uint32_t use;
	bool writable;
};

/* xorshift64: the same sequence every time. */
static uint32_t next_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % below;
}

/* Sorted segments that do not overlap; often several on a page, often touching. */
static void random_image(struct image *image, uint64_t *state, uint32_t ram_size)
{
	uint32_t at = VOLE_BOOT_DATA_END + next_random(state, 3) * next_random(state, 0x8000);
	unsigned count = 1 + next_random(state, IMAGE_SEGMENTS_MAX);

	image->segment_count = 0;
	while (image->segment_count < count) {
		uint32_t size = 1 + next_random(state, next_random(state, 2) ? 0x200 : 0x4000);

		if (at >= ram_size || size > ram_size - at)
			return;
		image->segments[image->segment_count++] = segment(at, size, next_random(state, 2));
		at += size + next_random(state, 2) * next_random(state, 0x3000);
	}
}

static void paint(struct page *pages, uint32_t base, uint32_t size, uint32_t use, bool writable)
{
	for (uint32_t page = base / PAGE_SIZE; page <= (base + size - 1) / PAGE_SIZE; page++) {
		pages[page].use = use;
		pages[page].writable |= writable;
	}
}

/* Whether the map says of every page what it should, and nothing twice. */
static bool map_is_right(const struct memory_map *map, const struct page *pages, uint32_t ram_size)
{
	uint32_t at = BOOT_DATA;

	for (unsigned i = 0; i < map->count; i++) {
		const struct memory_map_entry *e = &map->entries[i];

		if (e->base != at || e->size == 0 || e->size % PAGE_SIZE != 0)
			return false;
		if (i > 0 && e[-1].flags == e->flags && e[-1].use == e->use)
			return false;
		for (; at < e->base + e->size; at += PAGE_SIZE) {
			const struct page *page = &pages[at / PAGE_SIZE];
			bool read_only = page->use != VOLE_MEMORY_FREE && !page->writable;

			if (at >= ram_size || e->use != page->use)
				return false;
			if (e->flags != (read_only ? VOLE_MEMORY_READ_ONLY : 0))
				return false;
		}
	}
	return at == ram_size;
}

/* Whether the modules would fit below the lowest segment, which is one of the ways to place them.
 */
static bool surely_fit(const struct image *image, uint32_t ram_size,
	const struct boot_module *modules, unsigned count)
{
	uint32_t at =
		image->segment_count ? image->segments[0].paddr / PAGE_SIZE * PAGE_SIZE : ram_size;

	for (unsigned i = 0; i < count; i++) {
		if (at < VOLE_BOOT_DATA_END + modules[i].size)
			return false;
		at = (at - modules[i].size) / PAGE_SIZE * PAGE_SIZE;
	}
	return true;
}

/* Whether a map is as it should be, or its refusal is for modules that really do not fit. */
static bool random_map_is_right(uint64_t *state, unsigned *built)
{
	uint32_t ram_size = (9 + next_random(state, PAGES - 8)) * PAGE_SIZE;
	unsigned module_count = next_random(state, MODULES_MAX + 1);
	struct boot_module modules[MODULES_MAX];
	struct page pages[PAGES] = {{0}};
	struct image image = {.path = "k"};
	struct memory_map map;
	int err;

	random_image(&image, state, ram_size);
	for (unsigned i = 0; i < module_count; i++)
		modules[i] = (struct boot_module){"m", 1 + next_random(state, 0x8000), 0};
	capture_begin();
	err = memory_map_build(&map, ram_size, &image, modules, module_count);
	capture_end();

	paint(pages, BOOT_DATA, BOOT_STACK - BOOT_DATA, VOLE_MEMORY_KERNEL, false);
	paint(pages, BOOT_STACK, BOOT_STACK_TOP - BOOT_STACK, VOLE_MEMORY_KERNEL, true);
	for (unsigned i = 0; i < image.segment_count; i++)
		paint(pages, image.segments[i].paddr, image.segments[i].memory_size,
			VOLE_MEMORY_KERNEL, image.segments[i].writable);
	if (err)
		return err == -ENOSPC && !surely_fit(&image, ram_size, modules, module_count);
	(*built)++;
	for (unsigned i = 0; i < module_count; i++) {
		for (uint32_t page = 0; page <= (modules[i].size - 1) / PAGE_SIZE; page++)
			if (pages[modules[i].base / PAGE_SIZE + page].use != VOLE_MEMORY_FREE)
				return false;
		paint(pages, modules[i].base, modules[i].size, VOLE_MEMORY_INIT, true);
	}
	return map_is_right(&map, pages, ram_size);
}

static void test_random_maps(void)
{
	uint64_t state = 0x766f6c65;
	unsigned wrong = 0, built = 0;

	for (unsigned round = 0; round < 20000; round++)
		wrong += !random_map_is_right(&state, &built);
	is(wrong, 0,
		"20000 random kernels: the map covers RAM exactly once, sorted, in pages, and says "
		"use and flags of each; modules lie on free pages");
	ok(built > 5000 && built < 19000, "... %u of them fit into their RAM", built);
}

/* --- the boot data ---------------------------------------------------------------------------- */

static uint8_t ram[VOLE_BOOT_DATA_END];

static uint32_t word_at(uint32_t address)
{
	uint32_t word;

	memcpy(&word, ram + address, sizeof word);
	return word;
}

/* Whether [address, address + len) is within the boot data, not over the stack. */
static bool in_boot_data(uint32_t address, uint32_t len)
{
	return address >= BOOT_DATA && address < BOOT_STACK && len <= BOOT_STACK - address;
}

static bool is_zero(uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		if (ram[from] != 0)
			return false;
	return true;
}

static void test_idt(const struct boot_entry *entry)
{
	unsigned wrong_gates = 0, wrong_stubs = 0;

	is(entry->idt_limit, 2047, "the IDT has 256 gates");
	is(entry->idt_base % 8, 0, "... aligned (SDM 3, 6.10)");
	ok(in_boot_data(entry->idt_base, 2048) && in_boot_data(entry->exception_stubs, 1024),
		"... in boot data, as its stubs");
	for (unsigned i = 0; i < 256; i++) {
		uint32_t stub = entry->exception_stubs + 4 * i;
		uint32_t low = word_at(entry->idt_base + 8 * i);
		uint32_t high = word_at(entry->idt_base + 8 * i + 4);

		wrong_gates += low != (VOLE_SELECTOR_CODE << 16 | (stub & 0xffff)) ||
			       high != ((stub & 0xffff0000) | 0x8e00);
		wrong_stubs += word_at(stub) != (0xfeeb00e6 | VOLE_PORT_EXCEPTION << 8);
	}
	is(wrong_gates, 0,
		"SDM 3, 6.11: gate n leads to stub n: interrupt gate, 32 bits, present, ring 0");
	is(wrong_stubs, 0, "each stub is out %%al, $VOLE_PORT_EXCEPTION; jmp to itself");
}

static void test_entry(const struct boot_entry *entry)
{
	uint32_t stub = word_at(entry->esp);

	is(entry->eax, 0x656c6f76, "EAX has the magic number");
	ok(in_boot_data(entry->ebx, sizeof(struct start_info)), "EBX: start_info in boot data");
	is(word_at(entry->esp + 4), entry->ebx, "[ESP + 4] is the argument, start_info");
	is((entry->esp + 4) % 16, 0, "i386 ABI 2.2.2: the argument is aligned to 16 at a call");
	ok(entry->esp >= BOOT_STACK && entry->esp + 8 <= BOOT_STACK_TOP, "ESP is in the stack");

	is(entry->gdt_limit, 23, "the GDT has three descriptors");
	is(entry->gdt_base % 8, 0, "... aligned");
	ok(is_zero(entry->gdt_base, entry->gdt_base + 8), "SDM 3, 3.5.1: the first one is null");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_CODE), 0x0000ffff, "code: base 0, limit 4 GiB");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_CODE + 4), 0x00cf9b00,
		"SDM 3, 3.4.5: code, readable, accessed, present, 32-bit, pages");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_DATA), 0x0000ffff, "data: base 0, limit 4 GiB");
	is(word_at(entry->gdt_base + VOLE_SELECTOR_DATA + 4), 0x00cf9300,
		"SDM 3, 3.4.5: data, writable, accessed, present, 32-bit, pages");

	test_idt(entry);
	ok(in_boot_data(stub, 2), "[ESP] returns into the boot data");
	ok(ram[stub] == 0xe7 && ram[stub + 1] == VOLE_PORT_EXIT,
		"... to out %%eax, $VOLE_PORT_EXIT");
	is(word_at(entry->cpu_return), 0xfdebf4fa, "other CPUs return to cli; hlt; jmp to the hlt");
}

static const struct boot_module two_modules[] = {
	{"dir/initrd.img", 100, 0xfff000},
	{"plain", 8192, 0xffd000},
};

static void test_boot_data(void)
{
	static const struct memory_map map = {
		3, {{0x1000, 0x3000, 1, 1}, {0x4000, 0x4000, 0, 1}, {0x8000, 0xff8000, 0, 0}}};
	const struct boot_config config = {
		.cpu_count = 4,
		.device_count = 3,
		.tsc_khz = 2000000,
		.apic_timer_khz = 1000000,
		.cmdline = "root=/dev/vda quiet",
		.modules = two_modules,
		.module_count = 2,
	};
	struct boot_entry entry;
	struct start_info info;
	struct module_entry modules[2];

	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "boot data is written");
	test_entry(&entry);
	memcpy(&info, ram + entry.ebx, sizeof info);
	is(info.ioapic_base, 0xfec00000, "ioapic_base");
	is(info.mem_size, 3, "mem_size counts entries");
	ok(memcmp(ram + info.mem_entries, map.entries, 3 * sizeof *map.entries) == 0,
		"mem_entries is the address of the memory map");
	is(info.dev_size, 3, "dev_size counts entries");
	for (uint32_t i = 0; i < 3; i++) {
		is(word_at(info.dev_entries + 8 * i), 0xd0000000 + i * 0x1000,
			"device %u: base_addr", i);
		is(word_at(info.dev_entries + 8 * i + 4), i + 1, "device %u: interrupt_num", i);
	}
	is(info.size, 52, "size");
	is(info.apic_base, 0xfee00000, "apic_base");
	is(info.cpu_count, 4, "cpu_count");
	is(info.tsc_khz, 2000000, "tsc_khz");
	is(info.apic_timer_khz, 1000000, "apic_timer_khz");
	ok(strcmp((char *)ram + info.cmdline, config.cmdline) == 0, "cmdline");
	is(info.module_count, 2, "module_count");
	memcpy(modules, ram + info.modules, sizeof modules);
	is(modules[0].base, 0xfff000, "module: base");
	is(modules[0].size, 100, "module: size in bytes");
	is(modules[0].reserved, 0, "module: reserved");
	ok(strcmp((char *)ram + modules[0].name, "initrd.img") == 0, "module: base name");
	ok(strcmp((char *)ram + modules[1].name, "plain") == 0, "module: name without a folder");
	ok(is_zero(0, BOOT_DATA), "page 0, which the guest has not, stays zero");
	ok(is_zero(BOOT_STACK, entry.esp), "the stack below ESP stays zero");
}

/* The length of all names, if a machine has as many modules as possible, and all else is full,
 * too. */
#define NAME_LEN 159

/* The fullest machine: every table and string at its limit, nothing over anything else. */
static void test_full_boot_data(void)
{
	static struct memory_map map = {.count = MEMORY_MAP_MAX};
	char cmdline[VOLE_CMDLINE_MAX + 1], name[NAME_LEN + 1];
	struct boot_module modules[MODULES_MAX];
	struct boot_config config = {
		.cpu_count = 1,
		.device_count = DEVICE_COUNT,
		.cmdline = cmdline,
		.modules = modules,
		.module_count = MODULES_MAX,
	};
	struct boot_entry entry;
	struct start_info info;
	const char *said;
	unsigned wrong = 0;
	int err;

	for (unsigned i = 0; i < MEMORY_MAP_MAX; i++)
		map.entries[i] = (struct memory_map_entry){i, ~i, i, i};
	memset(cmdline, 'c', VOLE_CMDLINE_MAX);
	cmdline[VOLE_CMDLINE_MAX - 1] = '\0';
	memset(name, 'n', NAME_LEN);
	name[NAME_LEN] = '\0';
	for (unsigned i = 0; i < MODULES_MAX; i++)
		modules[i] = (struct boot_module){name, i + 1, i * 0x1000};

	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "the fullest machine has room");
	test_entry(&entry);
	memcpy(&info, ram + entry.ebx, sizeof info);
	ok(memcmp(ram + info.mem_entries, map.entries, sizeof map.entries) == 0,
		"... its memory map");
	for (uint32_t i = 0; i < DEVICE_COUNT; i++)
		wrong += word_at(info.dev_entries + 8 * i) != 0xd0000000 + i * 0x1000;
	is(wrong, 0, "... its device map");
	ok(strcmp((char *)ram + info.cmdline, cmdline) == 0, "... its command line");
	for (uint32_t i = 0; i < MODULES_MAX; i++) {
		struct module_entry module;

		memcpy(&module, ram + info.modules + i * sizeof module, sizeof module);
		wrong += module.size != i + 1 || module.base != i * 0x1000;
		wrong += strcmp((char *)ram + module.name, name) != 0;
	}
	is(wrong, 0, "... its modules with names of %u bytes", NAME_LEN);

	cmdline[VOLE_CMDLINE_MAX - 1] = 'c';
	cmdline[VOLE_CMDLINE_MAX] = '\0';
	capture_begin();
	err = boot_data_write(ram, &map, &config, &entry);
	said = capture_end();
	is(-err, ENOSPC, "a command line that is too long is refused");
	ok(strstr(said, "the guest's command line has 4096 bytes, of 4095 at most"),
		"... and why is said");
}

static void test_long_name(void)
{
	static const struct memory_map map = {1, {{0, 0x9000, 0, 0}}};
	static char name[BOOT_STACK - BOOT_DATA];
	const struct boot_module module = {name, 1, 0x8000};
	const struct boot_config config = {
		.cmdline = "", .modules = &module, .module_count = 1, .cpu_count = 1};
	struct boot_entry entry;
	const char *said;
	int err;

	memset(name, 'n', sizeof name - 1);
	memset(ram, 0, sizeof ram);
	capture_begin();
	err = boot_data_write(ram, &map, &config, &entry);
	said = capture_end();
	is(-err, ENOSPC, "names of modules that do not fit are refused");
	ok(strstr(said, "no room for the name of module nnn"), "... and why is said");
	ok(is_zero(BOOT_STACK, BOOT_STACK_TOP), "... and nothing is written over the stack");
}

/* --- inspect ---------------------------------------------------------------------------------- */

static void test_inspect(void)
{
	static const struct boot_device devices[] = {
		{"console", 0xd0000000, 1},
		{"block disk.img", 0xd0001000, 2},
	};
	static const char *const lines[] = {
		"Command line  quiet\n",
		"Machine       16 MiB of RAM, CPUs: 2;",
		"       0  0x00100000  0x0010003f  0x00000040   0x00000040  r-x\n",
		"       1  0x00102000  0x00102fff  0x00001000   0x00000020  rw-\n",
		"  0x00001000  0x00003fff      12 KiB  read-only   1 kernel (boot data)\n",
		"  0x00008000  0x000fffff     992 KiB  read/write  0 free\n",
		"  0x00100000  0x00100fff       4 KiB  read-only   1 kernel\n",
		"  0x00ffd000  0x00ffffff      12 KiB  read/write  2 init (modules)\n",
		"  0x00fff000       100 B  dir/initrd.img\n",
		"  0x00ffd000       8 KiB  plain\n",
		"  0xd0000000          1  console\n",
		"  0xd0001000          2  block disk.img\n",
		"  EIP  0x00100000  entry point: start\n",
		"  EAX  0x656c6f76  ",
		"  ESP  0x00007fec  ",
		"  CS   0x08 ",
		"  DS   0x10 ",
		"  GDT  0x00001c00  limit 0x17",
		"  IDT  0x00001000  limit 0x7ff",
	};
	struct boot_module modules[2] = {two_modules[0], two_modules[1]};
	const struct boot_config config = {
		.cpu_count = 2,
		.device_count = 2,
		.cmdline = "quiet",
		.modules = modules,
		.module_count = 2,
	};
	int fd = memfd_create("elf", MFD_CLOEXEC);
	struct memory_map map;
	struct boot_entry entry;
	struct elf_file file;
	struct image image;
	char path[64], *text;
	size_t len;
	FILE *out;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	elf_make(&file, &elf_kinds[0]);
	is(pwrite(fd, &file, file.len, 0), file.len, "inspect: written");
	is(image_open(&image, path), 0, "inspect: opens");
	is(memory_map_build(&map, 16 * MIB, &image, modules, 2), 0, "inspect: is placed");
	memset(ram, 0, sizeof ram);
	is(boot_data_write(ram, &map, &config, &entry), 0, "inspect: has boot data");

	out = open_memstream(&text, &len);
	is(inspect_print(out, &image, &map, &config, &entry, devices), 0, "inspect prints");
	fclose(out);
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!ok(strstr(text, lines[i]), "inspect: %.*s", (int)strcspn(lines[i], "\n"),
			    lines[i]))
			printf("# in:\n%s\n", text);
	free(text);

	out = fopen("/dev/full", "w");
	if (out) {
		is(-inspect_print(out, &image, &map, &config, &entry, devices), ENOSPC,
			"inspect: a full disk is an error");
		fclose(out);
	}
	image_free(&image);
	close(fd);
}

int main(void)
{
	test_map();
	test_shared_page();
	test_modules_around_kernel();
	test_refusals();
	test_placements();
	test_random_maps();
	test_boot_data();
	test_full_boot_data();
	test_long_name();
	test_inspect();
	return tap_done();
}
