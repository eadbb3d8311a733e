/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 and 2 on images made here, without an engine: which header is found, what is refused,
 * where an image goes, what the kernel is told. "MB1" is the Multiboot Specification 0.6.96, "MB2"
 * the Multiboot2 Specification 2.0.
 */
#include "boot/boot.h"

#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../capture.h"
#include "../loaded.h"
#include "../refusal.h"
#include "../tap.h"

#define BASE     0x100000u
#define HIGHER   0xc0100000u /* where a kernel for the higher half is linked */
#define CODE_LEN 0x1000u
#define BSS_LEN  0x2000u
#define MAGIC1   0x1badb002u
#define MAGIC2   0xe85250d6u

static char kernel_path[] = "/tmp/vole-unit-multiboot-XXXXXX";
static char module_paths[2][40] = {"/tmp/vole-unit-module-XXXXXX", "/tmp/vole-unit-module-XXXXXX"};

/* An ELF file with one segment, in which the header is, and a symbol table. */
struct file {
	Elf32_Ehdr elf;
	Elf32_Phdr segment;
	uint8_t code[CODE_LEN];
	Elf32_Sym symbols[2];
	char strings[16];
	Elf32_Shdr sections[4];
};

static union {
	struct file elf;
	uint8_t bytes[0x9000];
} file;
static size_t file_len;

#define HEADER 0x80 /* of Multiboot, in code[] */

static void good(void)
{
	memset(&file, 0, sizeof file);
	file.elf.elf = (Elf32_Ehdr){
		.e_ident = ELFMAG,
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = BASE + 0x10,
		.e_phoff = offsetof(struct file, segment),
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 1,
		.e_shoff = offsetof(struct file, sections),
		.e_shentsize = sizeof(Elf32_Shdr),
		.e_shnum = 4,
		.e_shstrndx = 3,
	};
	file.elf.elf.e_ident[EI_CLASS] = ELFCLASS32;
	file.elf.elf.e_ident[EI_DATA] = ELFDATA2LSB;
	file.elf.elf.e_ident[EI_VERSION] = EV_CURRENT;
	file.elf.segment = (Elf32_Phdr){PT_LOAD, offsetof(struct file, code), BASE, BASE, CODE_LEN,
		CODE_LEN + BSS_LEN, PF_R | PF_W | PF_X, 4096};
	memset(file.elf.code, 0x90, CODE_LEN);
	file.elf.symbols[1] = (Elf32_Sym){1, BASE + 8, 0x20, STT_FUNC, 0, 1};
	memcpy(file.elf.strings, "\0kernel_main", 13);
	file.elf.sections[1] = (Elf32_Shdr){0, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, BASE,
		offsetof(struct file, code), CODE_LEN, 0, 0, 1, 0};
	file.elf.sections[2] = (Elf32_Shdr){0, SHT_SYMTAB, 0, 0, offsetof(struct file, symbols),
		sizeof file.elf.symbols, 3, 0, 4, sizeof(Elf32_Sym)};
	file.elf.sections[3] = (Elf32_Shdr){0, SHT_STRTAB, 0, 0, offsetof(struct file, strings),
		sizeof file.elf.strings, 0, 0, 1, 0};
	file_len = sizeof file.elf;
}

static void put(uint8_t *at, const uint32_t *words, unsigned count)
{
	if (count > 0)
		memcpy(at, words, count * sizeof *words);
}

/* A Multiboot 1 header at this offset, with more fields behind its three (MB1 3.1). */
static void header1_at(size_t offset, uint32_t flags, const uint32_t *fields, unsigned count)
{
	const uint32_t words[] = {MAGIC1, flags, -(MAGIC1 + flags)};

	put(file.bytes + offset, words, 3);
	put(file.bytes + offset + 12, fields, count);
}

#define HEADER_OFFSET (offsetof(struct file, code) + HEADER)

static void header1(uint32_t flags)
{
	good();
	header1_at(HEADER_OFFSET, flags, NULL, 0);
}

/* A Multiboot 2 header with these words as tags (MB2 3.1). */
static void header2_at(size_t offset, const uint32_t *tags, unsigned count)
{
	const uint32_t len = 16 + 4 * count;
	const uint32_t words[] = {MAGIC2, 0, len, -(MAGIC2 + len)};

	put(file.bytes + offset, words, 4);
	put(file.bytes + offset + 16, tags, count);
}

#define header2(...)                                                              \
	do {                                                                      \
		const uint32_t tags_[] = {__VA_ARGS__};                           \
		good();                                                           \
		header2_at((HEADER_OFFSET + 7) / 8 * 8, tags_, sizeof tags_ / 4); \
	} while (0)

static struct options options;
static struct boot *boot;
static struct memory memory;

static void put_file(void)
{
	image_write(kernel_path, &file, file_len);
	options = (struct options){
		.kernel = kernel_path, .boot = "auto", .memory_size = 16u << 20, .cpu_count = 1};
}

/* Loads what options name. Returns the status. */
static int load(void)
{
	static const struct boot_machine machine = {.cpu_count = 1};

	return load_image(&options, &machine, &boot, &memory);
}

static void unload(void)
{
	unload_image(&boot, &memory);
}

static uint64_t word(uint32_t at, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, memory.host + at, len);
	return value;
}

static const char *text(uint32_t at)
{
	return (const char *)memory.host + at;
}

static void refused(const char *words, const char *name)
{
	put_file();
	options.boot = "multiboot";
	boot_refuses(&options, 127, words, name);
}

/* --- recognising ------------------------------------------------------------------------------ */

/* Which protocol takes the file, or "". */
static const char *taken_by(void)
{
	static char name[16];

	put_file();
	capture_begin();
	*name = '\0';
	if (boot_open(&boot, &options) == 0)
		snprintf(name, sizeof name, "%s", boot->protocol->name);
	boot_free(boot);
	boot = NULL;
	capture_end();
	return name;
}

#define takes(protocol, name) ok(strcmp(taken_by(), protocol) == 0, name)

static void test_places(void)
{
	const uint32_t addresses[] = {BASE, BASE, 0, 0, BASE};
	const uint32_t tags[] = {2, 24, BASE, BASE, 0, 0, 3, 12, BASE, 0, 0, 8};

	good();
	takes("vole", "an ELF file without a header is vole's own");
	for (size_t at = 0; at <= 8192 - 32; at += 8192 - 32) {
		memset(&file, 0, sizeof file);
		file_len = 8192;
		header1_at(at, 0x10000, addresses, 5);
		takes("multiboot", "MB1 3.1: a header that ends in the first 8192 bytes");
	}
	memset(&file, 0, sizeof file);
	file_len = sizeof file;
	header1_at(8192 - 8, 0x10000, addresses, 5);
	takes("", "MB1 3.1: not one that ends behind them");
	header1_at(2, 0x10000, addresses, 5);
	takes("", "MB1 3.1: nor one that is not aligned to 4");
	header1_at(0, 0x10000, addresses, 5);
	file.bytes[8]++;
	takes("", "MB1 3.1.2: nor one with another checksum");

	for (size_t at = 0; at <= 32768 - 64; at += 32768 - 64) {
		memset(&file, 0, sizeof file);
		header2_at(at, tags, 12);
		takes("multiboot", "MB2 3.1: a header that ends in the first 32768 bytes");
	}
	memset(&file, 0, sizeof file);
	header2_at(4, tags, 12);
	takes("", "MB2 3.1: not one that is not aligned to 8");
	header2_at(32768, tags, 12);
	takes("", "MB2 3.1: nor one behind them");
	header2_at(0, tags, 12);
	file.bytes[12]++;
	takes("", "MB2 3.1.2: nor one with another checksum");
}

/* vole says these words of an ELF file that has this at an offset instead of a header. */
static void mistake(size_t offset, uint32_t flags, uint32_t checksum, const char *words)
{
	const uint32_t header[] = {MAGIC1, flags, checksum};
	const char *said;

	good();
	file_len = sizeof file;
	put(file.bytes + offset, header, 3);
	put_file();
	capture_begin();
	boot_open(&boot, &options);
	boot_free(boot);
	boot = NULL;
	said = capture_end();
	if (!ok(strstr(said, words), "a header that does not count: %s", words))
		printf("# %s", said);
}

static void test_mistakes(void)
{
	mistake(0x4000, 0, -MAGIC1,
		"Multiboot 1 header at offset 0x4000 does not count: it is not in");
	mistake(0x1001, 0, -MAGIC1,
		"header at offset 0x1001 does not count: it is not aligned to 4");
	mistake(0x1000, 3, -MAGIC1, "flags and checksum do not add up to 0");
	good();
	put(file.bytes + 0x1000, (const uint32_t[]){MAGIC1, 0x24448b90, 0}, 3);
	put_file();
	capture_begin();
	boot_open(&boot, &options);
	boot_free(boot);
	boot = NULL;
	ok(!strstr(capture_end(), "does not count"), "a loader's code is no header");
}

static void test_others(void)
{
	const uint32_t addresses[] = {BASE, BASE, 0, 0, BASE}, aout[] = {0413, 0x100, 0};

	memset(&file, 0, sizeof file);
	file_len = 8192;
	header1_at(64, 0x10000, addresses, 5);
	put(file.bytes, aout, 3);
	header1_at(64, 0x10000, (const uint32_t[]){BASE + 64, BASE, 0, 0, BASE + 64}, 5);
	takes("multiboot", "an a.out executable with a header is one");
	memset(file.bytes, 0, 64);
	takes("multiboot", "as is raw code");
	memcpy(file.bytes + 510, "\x55\xaa", 2);
	takes("", "a disk image with one in it is none");
	memset(file.bytes + 510, 0, 2);
	memcpy(file.bytes, "\x1f\x8b\x08", 3);
	takes("", "nor is a compressed file");
	header1(0);
	file.elf.elf.e_machine = EM_ARM;
	takes("", "nor an ELF file for another processor");
}

/* --- headers ---------------------------------------------------------------------------------- */

static void test_header1(void)
{
	good();
	refused("no Multiboot header", "a file without a header");
	header1(0x7);
	refused("requires a graphics mode", "MB1 3.1.4: a linear framebuffer");
	memset(file.elf.code + HEADER + 12, 0, 32);
	file.elf.code[HEADER + 32] = 1;
	takes("multiboot", "MB1 3.1.4: but text mode is there");
	header1(0x8);
	refused("requires what vole does not have: flags 0x8", "MB1 3.1.2: an unknown flag");
	header1(0x80000000);
	takes("multiboot", "MB1 3.1.2: an unknown flag that need not be known");
	good();
	file_len = 8192;
	header1_at(8192 - 16, 0x10000, NULL, 0);
	refused("header at offset 0x1ff0 is cut off", "MB1 3.1.3: fields behind the 8192 bytes");
}

/* With these address fields: header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr. */
#define addresses(...)                                    \
	do {                                              \
		const uint32_t fields_[] = {__VA_ARGS__}; \
		memset(&file, 0, sizeof file);            \
		file_len = 0x2000;                        \
		header1_at(0x40, 0x10000, fields_, 5);    \
	} while (0)

static void test_address_fields(void)
{
	addresses(BASE + 0x20, BASE, BASE + 0x1000, BASE + 0x3000, BASE + 8);
	file.bytes[0x20] = 0xb8; /* at load_addr */
	file.bytes[0x101f] = 0xb9;
	file.bytes[0x1020] = 0xba; /* at load_end_addr */
	put_file();
	is(load(), 0, "MB1 3.1.3: raw code with addresses is loaded");
	is(word(BASE, 1), 0xb8, "MB1 3.1.3: from load_addr");
	is(word(BASE + 0xfff, 2), 0xb9, "MB1 3.1.3: up to load_end_addr");
	is(boot->state.eip, BASE + 8, "MB1 3.1.3: and entered at entry_addr");
	unload();
	addresses(BASE + 0x40, BASE, 0, 0, BASE + 0x1fff);
	file.bytes[0x1fff] = 0xb8;
	put_file();
	is(load(), 0, "MB1 3.1.3: without ends, the whole file is loaded");
	is(word(BASE + 0x1fff, 1), 0xb8, "MB1 3.1.3: to its last byte");
	unload();

	addresses(BASE + 0x44, BASE, 0, 0, BASE);
	refused("begin before the file", "MB1 3.1.3: load_addr is before the file's beginning");
	addresses(BASE, BASE + 4, 0, 0, BASE);
	refused("begin before the file", "MB1 3.1.3: load_addr is behind header_addr");
	addresses(BASE, BASE, BASE - 1, 0, BASE);
	refused("do not ascend", "MB1 3.1.3: load_end_addr is before load_addr");
	addresses(BASE, BASE, BASE + 0x10, BASE + 0xf, BASE);
	refused("do not ascend", "MB1 3.1.3: bss_end_addr is before load_end_addr");
	addresses(BASE, BASE, BASE + 0x1fc1, 0, BASE);
	refused("truncated: load_end_addr 0x101fc1", "MB1 3.1.3: load_end_addr is behind the file");
	addresses(BASE, BASE, 0, 0, BASE + 0x1fc0);
	refused("entry address 0x101fc0 is not in the image", "MB1 3.1.3: entry_addr is outside");
	addresses(0xfffff000, 0xfffff000, 0, 0, 0xfffff000);
	refused("reach over 4 GiB", "MB1 3.1.3: load_addr is too near to 4 GiB");
	addresses(BASE, BASE, 0, 0x1000001, BASE);
	refused("are not in RAM", "MB1 3.1.3: bss_end_addr is beyond RAM");
	addresses(0x9e000, 0x9e000, 0, 0, 0x9e000);
	refused("are not in RAM", "MB1 3.1.3: an image in the MP table");
}

static void test_header2(void)
{
	header2(1, 16, 4, 6, 4, 12, 3, 0, 6, 8, 0x10005, 20, 1024, 768, 32, 0, 0, 8);
	takes("multiboot", "MB2 3.1: tags that vole can fulfil, and an optional framebuffer");
	header2(5, 20, 80, 25, 0, 0, 0, 8);
	takes("multiboot", "MB2 3.1.10: a screen in text mode");
	header2(7, 8, 9, 12, BASE, 0, 0, 8);
	takes("multiboot", "MB2 3.1.7: tags for EFI mean nothing here");
	header2(0x10077, 8, 0x10001, 12, 99, 0, 0, 8);
	takes("multiboot", "MB2 3.1.3: optional tags need not be known");
	header2(5, 20, 1024, 768, 32, 0, 0, 8);
	refused("requires a graphics mode", "MB2 3.1.10: a framebuffer");
	header2(0x77, 8, 0, 8);
	refused("a tag of type 119", "MB2 3.1.3: an unknown tag");
	header2(1, 12, 22, 0, 0, 8);
	refused("boot information of type 22", "MB2 3.1.4: unknown information");
	header2(2, 24, BASE, BASE, 0, 0, 0, 8);
	refused("no entry address tag", "MB2 3.1.5: addresses without an entry point");
	header2(3, 8, 0, 8);
	refused("type 3 in the Multiboot 2 header has 8 bytes, not 12", "MB2 3.1.3: a short tag");
	header2(6, 7, 0, 8);
	refused("a tag of type 6 and 7 bytes in 16", "MB2 3.1.3: a tag of 7 bytes");
	header2(6, 0xfffffff8, 0, 8);
	refused("a tag of type 6 and 4294967288 bytes", "MB2 3.1.3: a tag longer than its header");
	header2(6, 8);
	refused("no tag that ends it", "MB2 3.1.3: no last tag");
	header2(6, 8, 0);
	refused("no tag that ends it", "MB2 3.1.3: a last tag that is cut off");
	good();
	put(file.bytes + 64, (const uint32_t[]){MAGIC2, 4, 24, -(MAGIC2 + 28), 0, 8}, 6);
	refused("is for architecture 4, not 0 (i386)", "MB2 3.1.2: MIPS");
	good();
	put(file.bytes + 64, (const uint32_t[]){MAGIC2, 0, 32768, -(MAGIC2 + 32768), 0, 8}, 6);
	refused("is cut off", "MB2 3.1: a header longer than the file");
	header2(10, 24, 0, 0xffffffff, 12, 0, 0, 8);
	refused("0xc is not a power of two", "MB2 3.1.13: alignment");
	header2(10, 24, 0x200000, 0x202ffe, 0x1000, 0, 0, 8);
	refused("leaves no place above 1 MiB", "MB2 3.1.13: too little room");
}

/* --- where an image goes ---------------------------------------------------------------------- */

static void test_entry(void)
{
	uint32_t offset = 0;

	header1(0);
	put_file();
	is(load(), 0, "an ELF file with a header is loaded");
	is(boot->state.mode, ENTRY_FLAT32, "MB1 3.2: flat protected mode");
	is(boot->state.eip, BASE + 0x10, "at the ELF entry point");
	is(boot->state.eax, 0x2badb002, "MB1 3.2: EAX");
	is(boot->state.code_selector, 0x08, "CS as kernels without a far jump need it");
	is(boot->state.esp, 0x2000, "a stack, below all that an image can take");
	is(boot->state.idt_limit, 256 * 8 - 1, "an IDT with all vectors");
	is(word(boot->exception_stubs + 4 * 14, 2), 0xfce6, "whose stubs report an exception");
	is(word(boot->state.gdt_base + 0x08, 8), 0x00cf9b000000ffff, "MB1 3.2: flat code");
	is(word(boot->state.gdt_base + 0x10, 8), 0x00cf93000000ffff, "MB1 3.2: flat data");
	is(word(BASE + CODE_LEN - 1, 2), 0x90, "its segment is there, with zeros behind it");
	ok(strcmp(boot->protocol->symbol(boot, BASE + 0x10, &offset), "kernel_main") == 0,
		"crashes in it have names");
	is(offset, 8, "and offsets");
	unload();

	header1(0);
	file.elf.segment.p_vaddr = HIGHER;
	file.elf.elf.e_entry = HIGHER + 0x10;
	put_file();
	is(load(), 0, "a kernel for the higher half whose entry point is virtual");
	is(boot->state.eip, BASE + 0x10, "is entered at the physical address");
	unload();

	header2(3, 12, BASE + 0x20, 0, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.6: an entry address tag");
	is(boot->state.eip, BASE + 0x20, "MB2 3.1.6: replaces the ELF entry point");
	is(boot->state.eax, 0x36d76289, "MB2 3.3: EAX");
	unload();
	header2(3, 12, BASE + CODE_LEN + BSS_LEN, 0, 0, 8);
	refused("entry address 0x103000", "MB2 3.1.6: an entry address in no segment");
	header1(0);
	file.elf.elf.e_entry = BASE + CODE_LEN + BSS_LEN;
	refused("entry point 0x103000 is in no loadable segment", "an entry point in no segment");
}

static void test_relocation(void)
{
	header2(10, 24, 0x200000, 0xffffffff, 0x10000, 1, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.13: an image that is moved");
	is(boot->state.eip, 0x200010, "MB2 3.1.13: to the lowest place");
	is(word(0x200000, 1), 0x90, "MB2 3.1.13: where its code is");
	unload();
	header2(10, 24, BASE, 0xffffffff, 0x1000, 1, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.13: an image that is good where it is");
	is(boot->state.eip, BASE + 0x10, "MB2 3.1.13: stays there");
	unload();
}

/* A segment at this physical address: is it loaded? */
static bool loads_at(uint32_t address)
{
	bool loads;

	header1(0);
	file.elf.segment.p_paddr = address;
	file.elf.segment.p_vaddr = address;
	file.elf.elf.e_entry = address;
	put_file();
	capture_begin();
	loads = load() == 0;
	capture_end();
	if (loads)
		loads = word(address + HEADER, 4) == MAGIC1 && word(boot->state.ebx + 64, 4) != 0;
	unload();
	return loads;
}

static void test_memory(void)
{
	ok(!loads_at(0x1fff), "an image over the first stack is refused");
	ok(loads_at(0x2000), "one below 1 MiB is loaded");
	ok(loads_at(0xf000), "also over where the boot information would be");
	ok(loads_at(0x9f000 - CODE_LEN - BSS_LEN), "up to the MP table");
	ok(!loads_at(0x9f000 - CODE_LEN - BSS_LEN + 1), "but not over it");
	ok(!loads_at(0xa0000), "nor over video memory");
	ok(!loads_at(0xe1000), "nor, if it is writable, where firmware would be");
	ok(loads_at((16u << 20) - CODE_LEN - BSS_LEN - 0x1000), "one near the end of RAM");
	ok(!loads_at((16u << 20) - CODE_LEN - BSS_LEN), "if its symbols fit behind it");
	header1(0);
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = 0xfd000;
	file.elf.segment.p_flags = PF_R;
	file.elf.elf.e_entry = 0xfd000;
	takes("multiboot", "ELF headers may be in read-only memory below 1 MiB");
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = file.elf.elf.e_entry = 0xe0000;
	takes("", "but not over GDT and IDT");
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = file.elf.elf.e_entry = 0xfd000;
	file.elf.sections[2].sh_size = 0xffffffff;
	refused("truncated: section 2", "a section that is not in the file");
	header1(0);
	file.elf.elf.e_shnum = 100;
	refused("truncated: the section headers end at", "section headers that are cut");
	header1(0);
	file.elf.elf.e_shentsize = 39;
	refused("section headers of 39 bytes", "section headers of another size");
	header1(0);
	put_file();
	options.memory_size = 1u << 20;
	boot_refuses(&options, 125, "too small: --boot multiboot", "1 MiB of RAM");
}

/* --- what the kernel is told ------------------------------------------------------------------ */

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
	test_places();
	test_mistakes();
	test_others();
	test_header1();
	test_address_fields();
	test_header2();
	test_entry();
	test_relocation();
	test_memory();
	test_info1();
	test_info2();
	test_room();
	test_advice();
	unlink(kernel_path);
	unlink(module_paths[0]);
	unlink(module_paths[1]);
	return tap_done();
}
