/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MULTIBOOT_FIXTURE_H
#define TESTS_MULTIBOOT_FIXTURE_H

/* A kernel with a Multiboot header, which a test makes, spoils and has loaded. "MB1" is the
 * Multiboot Specification 0.6.96, "MB2" the Multiboot2 Specification 2.0. */

#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"

#include "capture.h"
#include "loaded.h"
#include "refusal.h"
#include "tap.h"

#define BASE     0x100000u
#define CODE_LEN 0x1000u
#define BSS_LEN  0x2000u
#define MAGIC1   0x1badb002u
#define MAGIC2   0xe85250d6u

static char kernel_path[] = "/tmp/vole-unit-multiboot-XXXXXX";

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

static inline void good(void)
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

static inline void put(uint8_t *at, const uint32_t *words, unsigned count)
{
	if (count > 0)
		memcpy(at, words, count * sizeof *words);
}

/* A Multiboot 1 header at this offset, with more fields behind its three (MB1 3.1). */
static inline void header1_at(size_t offset, uint32_t flags, const uint32_t *fields, unsigned count)
{
	const uint32_t words[] = {MAGIC1, flags, -(MAGIC1 + flags)};

	put(file.bytes + offset, words, 3);
	put(file.bytes + offset + 12, fields, count);
}

#define HEADER_OFFSET (offsetof(struct file, code) + HEADER)

static inline void header1(uint32_t flags)
{
	good();
	header1_at(HEADER_OFFSET, flags, NULL, 0);
}

/* A Multiboot 2 header with these words as tags (MB2 3.1). */
static inline void header2_at(size_t offset, const uint32_t *tags, unsigned count)
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

static inline void put_file(void)
{
	image_write(kernel_path, &file, file_len);
	options = (struct options){
		.kernel = kernel_path, .boot = "auto", .memory_size = 16u << 20, .cpu_count = 1};
}

/* Loads what options name. Returns the status. */
static inline int load(void)
{
	static const struct boot_machine machine = {.cpu_count = 1};

	return load_image(&options, &machine, &boot, &memory);
}

static inline void unload(void)
{
	unload_image(&boot, &memory);
}

static inline uint64_t word(uint32_t at, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, memory.host + at, len);
	return value;
}

static inline void refused(const char *words, const char *name)
{
	put_file();
	options.boot = "multiboot";
	boot_refuses(&options, 127, words, name);
}

/* Which protocol takes the file, or "". */
static inline const char *taken_by(void)
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

#endif
