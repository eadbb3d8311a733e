/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf_make.h"

#include <assert.h>
#include <string.h>

/* --- the good one ----------------------------------------------------------------------------- */

/* Add a name to the string table, of which used bytes are used. Its offset. */
static Elf32_Word add_string(struct elf_file *file, size_t *used, const char *name)
{
	size_t at = *used, len = strlen(name) + 1;

	assert(len <= sizeof file->strings - at);
	memcpy(file->strings + at, name, len);
	*used += len;
	return (Elf32_Word)at;
}

/* One symbol of each sort that matters to a look-up by address. */
static void add_symbols(struct elf_file *file)
{
	static const struct {
		const char *name;
		uint8_t bind, type;
		uint16_t section;
		uint32_t value, size;
	} symbols[] = {
		{"elf_make.c", STB_LOCAL, STT_FILE, SHN_ABS, ELF_TEXT, 0},
		{"inside", STB_LOCAL, STT_NOTYPE, 1, ELF_TEXT + 5, 0},
		{"local", STB_LOCAL, STT_FUNC, 1, ELF_TEXT + 0x10, 0x10},
		{"start", STB_GLOBAL, STT_FUNC, 1, ELF_TEXT, 6},
		{"global", STB_GLOBAL, STT_FUNC, 1, ELF_TEXT + 0x10, 0x10},
		{"label", STB_GLOBAL, STT_NOTYPE, 1, ELF_TEXT + 0x10, 0x10},
		{"absolute", STB_GLOBAL, STT_NOTYPE, SHN_ABS, ELF_TEXT + 0x24, 0},
		{"section", STB_LOCAL, STT_SECTION, 1, ELF_TEXT + 0x24, 0},
		{"undefined", STB_GLOBAL, STT_FUNC, SHN_UNDEF, ELF_TEXT + 0x24, 0},
		{"\033[2J", STB_GLOBAL, STT_FUNC, 1, ELF_TEXT + 0x30, 8},
		{"buffer", STB_GLOBAL, STT_OBJECT, 2, ELF_DATA + 0x100, 0x100},
	};
	/* Symbol 0 and string 0 are empty. */
	size_t used = 1;

	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
		file->symbols[i + 1] = (Elf32_Sym){
			.st_name = add_string(file, &used, symbols[i].name),
			.st_value = symbols[i].value,
			.st_size = symbols[i].size,
			.st_info = ELF32_ST_INFO(symbols[i].bind, symbols[i].type),
			.st_shndx = symbols[i].section,
		};
}

static void make_good(struct elf_file *file)
{
	static const uint8_t code[] = {0xb8, 7, 0, 0, 0, /* mov $7, %eax */ 0xc3 /* ret */};

	memset(file, 0, sizeof *file);
	file->len = ELF_FILE_LEN;
	file->header = (Elf32_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
			EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = ELF_TEXT,
		.e_phoff = offsetof(struct elf_file, segments),
		.e_shoff = offsetof(struct elf_file, sections),
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 3,
		.e_shentsize = sizeof(Elf32_Shdr),
		.e_shnum = 3,
	};
	file->segments[ELF_TEXT_HEADER] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_file, text),
		.p_vaddr = ELF_TEXT,
		.p_paddr = ELF_TEXT,
		.p_filesz = sizeof file->text,
		.p_memsz = sizeof file->text,
		.p_flags = PF_R | PF_X,
	};
	file->segments[ELF_DATA_HEADER] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_file, data),
		.p_vaddr = ELF_DATA,
		.p_paddr = ELF_DATA,
		.p_filesz = sizeof file->data,
		.p_memsz = ELF_DATA_MEMORY,
		.p_flags = PF_R | PF_W,
	};
	file->segments[2].p_type = PT_GNU_STACK;
	for (unsigned i = 3; i < sizeof file->segments / sizeof *file->segments; i++)
		file->segments[i] = (Elf32_Phdr){
			.p_type = PT_LOAD,
			.p_vaddr = 0x200000 + i * 0x1000,
			.p_paddr = 0x200000 + i * 0x1000,
			.p_memsz = 0x1000,
			.p_flags = PF_R | PF_W,
		};
	memcpy(file->text, code, sizeof code);
	memset(file->data, 0xda, sizeof file->data);
	add_symbols(file);
	file->sections[1] = (Elf32_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_offset = offsetof(struct elf_file, symbols),
		.sh_size = sizeof file->symbols,
		.sh_link = 2,
		.sh_entsize = sizeof(Elf32_Sym),
	};
	file->sections[2] = (Elf32_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct elf_file, strings),
		.sh_size = sizeof file->strings,
	};
}

/* --- what the others differ by ---------------------------------------------------------------- */

#define SET(field, to)                                                     \
	{                                                                  \
		.offset = offsetof(struct elf_file, field),                \
		.size = sizeof((struct elf_file *)0)->field, .value = (to) \
	}

#define text_header segments[ELF_TEXT_HEADER]
#define data_header segments[ELF_DATA_HEADER]

const struct elf_kind elf_kinds[] = {
	{"good", ELF_LOADS, NULL, {{0}}},
	{"stripped", ELF_LOADS, NULL, {SET(header.e_shnum, 0), SET(header.e_shoff, 0)}},
	{"short-sections", ELF_LOADS, NULL, {SET(len, offsetof(struct elf_file, sections) + 1)}},
	{"most-segments", ELF_LOADS, NULL, {SET(header.e_phnum, 33)}},
	{"only-bss", ELF_LOADS, NULL, {SET(data_header.p_filesz, 0)}},
	{"empty-segment", ELF_LOADS, NULL,
		{SET(data_header.p_filesz, 0), SET(data_header.p_memsz, 0),
			SET(data_header.p_paddr, ELF_TEXT)}},
	{"neighbours", ELF_LOADS, NULL,
		{SET(data_header.p_paddr, ELF_TEXT + sizeof((struct elf_file *)0)->text)}},
	{"descending", ELF_LOADS, NULL, {SET(data_header.p_paddr, ELF_TEXT - ELF_DATA_MEMORY)}},
	{"higher-half", ELF_LOADS, NULL,
		{SET(text_header.p_vaddr, 0xc0000000 + ELF_TEXT),
			SET(data_header.p_vaddr, 0xc0000000 + ELF_DATA)}},
	{"after-boot-data", ELF_LOADS, NULL, {SET(data_header.p_paddr, 0x8000)}},
	{"end-of-ram", ELF_LOADS, NULL, {SET(data_header.p_paddr, (64 << 20) - ELF_DATA_MEMORY)}},

	{"empty", ELF_BAD_IMAGE, "the file is empty", {SET(len, 0)}},
	{"not-elf", ELF_BAD_IMAGE, "not an ELF file", {SET(header.e_ident[0], '#')}},
	{"three-bytes", ELF_BAD_IMAGE, "not an ELF file", {SET(len, 3)}},
	{"short-magic", ELF_BAD_IMAGE, "truncated: 4 bytes, an ELF header has 52", {SET(len, 4)}},
	{"short-header", ELF_BAD_IMAGE, "truncated: 51 bytes, an ELF header has 52",
		{SET(len, sizeof(Elf32_Ehdr) - 1)}},
	{"only-header", ELF_BAD_IMAGE,
		"truncated: the program headers end at 0x94, the file at 0x34",
		{SET(len, sizeof(Elf32_Ehdr))}},
	{"64-bit", ELF_BAD_IMAGE, "a 64-bit ELF; vole loads 32-bit ones (cc -m32)",
		{SET(header.e_ident[EI_CLASS], ELFCLASS64)}},
	{"no-class", ELF_BAD_IMAGE, "ELF class 0, not 1 (32-bit)",
		{SET(header.e_ident[EI_CLASS], ELFCLASSNONE)}},
	{"big-endian", ELF_BAD_IMAGE, "a big-endian ELF; x86 is little-endian",
		{SET(header.e_ident[EI_DATA], ELFDATA2MSB)}},
	{"no-encoding", ELF_BAD_IMAGE, "ELF data encoding 3, not 1 (little-endian)",
		{SET(header.e_ident[EI_DATA], 3)}},
	{"bad-version", ELF_BAD_IMAGE, "ELF version 2, not 1",
		{SET(header.e_ident[EI_VERSION], 2)}},
	{"relocatable", ELF_BAD_IMAGE, "a relocatable object, not an executable; link it first",
		{SET(header.e_type, ET_REL)}},
	{"shared", ELF_BAD_IMAGE,
		"a shared object or position-independent executable; link with -static -no-pie",
		{SET(header.e_type, ET_DYN)}},
	{"core", ELF_BAD_IMAGE, "a core dump, not an executable", {SET(header.e_type, ET_CORE)}},
	{"no-type", ELF_BAD_IMAGE, "ELF type 0, not 2 (executable)", {SET(header.e_type, ET_NONE)}},
	{"wrong-machine", ELF_BAD_IMAGE, "for ARM processors; vole runs x86 code",
		{SET(header.e_machine, EM_ARM)}},
	{"wrong-machine-wide", ELF_BAD_IMAGE, "for Alpha processors; vole runs x86 code",
		{SET(header.e_ident[EI_CLASS], ELFCLASS64), SET(header.e_machine, EM_ALPHA)}},
	{"unknown-machine", ELF_BAD_IMAGE, "for ELF's machine 12345, not 3 (i386) or 62 (x86-64)",
		{SET(header.e_ident[EI_CLASS], ELFCLASS64), SET(header.e_machine, 12345)}},
	{"no-headers", ELF_BAD_IMAGE, "no loadable segment: there are no program headers",
		{SET(header.e_phnum, 0)}},
	{"many-headers", ELF_BAD_IMAGE, "more than 65534 program headers",
		{SET(header.e_phnum, PN_XNUM)}},
	{"many-sections", ELF_BAD_IMAGE,
		"more than 65279 sections, or none but a section header table at 0x",
		{SET(header.e_shnum, 0)}},
	{"header-size", ELF_BAD_IMAGE, "program headers of 56 bytes, not 32",
		{SET(header.e_phentsize, sizeof(Elf64_Phdr))}},
	{"headers-beyond", ELF_BAD_IMAGE,
		"truncated: the program headers end at 0x10000005f, the file at",
		{SET(header.e_phoff, 0xffffffff)}},
	{"headers-nowhere", ELF_BAD_IMAGE,
		"cannot read the ELF headers: ", {SET(header.e_phoff, 0)}},
	{"short-headers", ELF_BAD_IMAGE,
		"truncated: the program headers end at 0x94, the file at 0x93",
		{SET(len, sizeof(Elf32_Ehdr) + 3 * sizeof(Elf32_Phdr) - 1)}},
	{"short-segment", ELF_BAD_IMAGE,
		"truncated: program header 1: contents end at 0x594, the file at 0x593",
		{SET(len, offsetof(struct elf_file, symbols) - 1)}},
	{"offset-beyond", ELF_BAD_IMAGE,
		"truncated: program header 1: contents end at 0x10000001f, the file at",
		{SET(data_header.p_offset, 0xffffffff)}},
	{"file-size", ELF_BAD_IMAGE, "program header 1: file size 0x20 is over memory size 0x1f",
		{SET(data_header.p_memsz, 0x1f)}},
	{"no-memory-size", ELF_BAD_IMAGE,
		"program header 1: file size 0x20 is over memory size 0x0",
		{SET(data_header.p_memsz, 0)}},
	{"over-4g", ELF_BAD_IMAGE, "program header 1: 0x1000 bytes at 0xfffff800 reach over 4 GiB",
		{SET(data_header.p_paddr, 0xfffff800)}},
	{"overlap", ELF_BAD_IMAGE,
		"program header 1: 0x10003f-0x10103e overlaps 0x100000-0x10003f of program header "
		"0",
		{SET(data_header.p_paddr, ELF_TEXT + 0x3f)}},
	{"overlap-below", ELF_BAD_IMAGE,
		"program header 1: 0xff001-0x100000 overlaps 0x100000-0x10003f of program header 0",
		{SET(data_header.p_paddr, ELF_TEXT - ELF_DATA_MEMORY + 1)}},
	{"overlap-all", ELF_BAD_IMAGE,
		"program header 1: 0x100000-0x100fff overlaps 0x100000-0x10003f of program header "
		"0",
		{SET(data_header.p_paddr, ELF_TEXT)}},
	{"too-many-segments", ELF_BAD_IMAGE, "program header 33: more than 32 loadable segments",
		{SET(header.e_phnum, 34)}},
	{"no-segment", ELF_BAD_IMAGE, "no loadable segment",
		{SET(text_header.p_type, PT_NOTE), SET(data_header.p_type, PT_NULL)}},
	{"only-empty", ELF_BAD_IMAGE, "no loadable segment",
		{SET(text_header.p_filesz, 0), SET(text_header.p_memsz, 0),
			SET(data_header.p_filesz, 0), SET(data_header.p_memsz, 0)}},
	{"interpreter", ELF_BAD_IMAGE,
		"program header 2: dynamically linked (INTERP); link with -static",
		{SET(segments[2].p_type, PT_INTERP)}},
	{"dynamic", ELF_BAD_IMAGE,
		"program header 2: dynamically linked (DYNAMIC); link with -static",
		{SET(segments[2].p_type, PT_DYNAMIC)}},
	{"entry-nowhere", ELF_BAD_IMAGE, "entry point 0x100040 is in no loadable segment",
		{SET(header.e_entry, ELF_TEXT + sizeof((struct elf_file *)0)->text)}},
	{"entry-not-executable", ELF_BAD_IMAGE,
		"entry point 0x102000 is in program header 1, which is not executable",
		{SET(header.e_entry, ELF_DATA)}},
	{"entry-virtual", ELF_BAD_IMAGE,
		"entry point 0xc0100002 is a virtual address of program header 0, loaded at "
		"0x100000; paging is off at entry, so it must be physical (0x100002)",
		{SET(text_header.p_vaddr, 0xc0000000 + ELF_TEXT),
			SET(header.e_entry, 0xc0000002 + ELF_TEXT)}},

	{"null", ELF_BAD_PLACEMENT,
		"program header 1: 0x0-0xfff overlaps the boot data, 0x0-0x7fff",
		{SET(data_header.p_paddr, 0)}},
	{"boot-data", ELF_BAD_PLACEMENT,
		"program header 1: 0x7fff-0x8ffe overlaps the boot data, 0x0-0x7fff",
		{SET(data_header.p_paddr, 0x7fff)}},
	{"beyond-ram", ELF_BAD_PLACEMENT,
		"program header 1: 0x5000000-0x5000fff lies beyond RAM of 0x4000000 bytes; "
		"--memory 81M is enough",
		{SET(data_header.p_paddr, 0x5000000)}},
	{"reaches-beyond-ram", ELF_BAD_PLACEMENT,
		"program header 1: 0x3fff001-0x4000000 lies beyond RAM of 0x4000000 bytes; "
		"--memory 65M is enough",
		{SET(data_header.p_paddr, 0x3fff001)}},
	{"devices", ELF_BAD_PLACEMENT,
		"program header 1: 0xd0000000-0xd0000fff overlaps the devices, which have all "
		"from 0xc0000000 on",
		{SET(data_header.p_paddr, 0xd0000000)}},
	{"reaches-devices", ELF_BAD_PLACEMENT,
		"program header 1: 0xbffff001-0xc0000000 overlaps the devices, which have all "
		"from 0xc0000000 on",
		{SET(data_header.p_paddr, 0xbffff001)}},
	{"end-of-4g", ELF_BAD_PLACEMENT,
		"program header 1: 0xffffefff-0xfffffffe overlaps the devices, which have all "
		"from 0xc0000000 on",
		{SET(data_header.p_paddr, 0xffffefff)}},
	{NULL, ELF_LOADS, NULL, {{0}}},
};

const struct elf_kind *elf_kind_find(const char *name)
{
	for (const struct elf_kind *kind = elf_kinds; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

void elf_make(struct elf_file *file, const struct elf_kind *kind)
{
	make_good(file);
	/* Little-endian, as every host of KVM on x86. */
	for (size_t i = 0; i < sizeof kind->changes / sizeof *kind->changes; i++)
		memcpy((uint8_t *)file + kind->changes[i].offset, &kind->changes[i].value,
			kind->changes[i].size);
}
