/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/boot/symbols.c: symbol tables that are large, odd or hostile. tests/unit/elf.c tests which
 * symbol names an address. */
#include "boot/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "boot/elf.h"

#include "../elf_make.h"
#include "../tap.h"

/* The file under test: in memory, with a path. */
static int file_fd;
static char file_path[64];

/* The good image of elf_make.h with other tables, which follow it in the file. */
struct tables {
	Elf32_Shdr sections[4];
	size_t len; /* of the file */
};

static size_t append(struct tables *tables, const void *bytes, size_t size)
{
	size_t at = (tables->len + 7) / 8 * 8;

	if (pwrite(file_fd, bytes, size, (off_t)at) != (ssize_t)size) {
		printf("Bail out! cannot write the test's file\n");
		exit(1);
	}
	tables->len = at + size;
	return at;
}

/* Writes the image with a table of these symbols and names, sections 1 and 2. */
static void put_tables(struct tables *tables, const Elf32_Sym *symbols, size_t count,
	const char *names, size_t names_size)
{
	*tables = (struct tables){.len = ELF_FILE_LEN};
	tables->sections[1] = (Elf32_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_offset = (Elf32_Off)append(tables, symbols, count * sizeof *symbols),
		.sh_size = (Elf32_Word)(count * sizeof *symbols),
		.sh_link = 2,
		.sh_entsize = sizeof *symbols,
	};
	tables->sections[2] = (Elf32_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = (Elf32_Off)append(tables, names, names_size),
		.sh_size = (Elf32_Word)names_size,
	};
}

/* Writes headers and opens the image. */
static void open_image(struct image *image, struct tables *tables)
{
	struct elf_file file;

	elf_make(&file, elf_kind_find("good"));
	file.header.e_shoff = (Elf32_Off)append(tables, tables->sections, sizeof tables->sections);
	file.header.e_shnum = 4;
	if (pwrite(file_fd, &file, ELF_FILE_LEN, 0) != (ssize_t)ELF_FILE_LEN ||
		ftruncate(file_fd, (off_t)tables->len) < 0 || image_open(image, file_path) < 0) {
		printf("Bail out! cannot open the test's image\n");
		exit(1);
	}
}

static Elf32_Sym function(uint32_t value, uint32_t name)
{
	return (Elf32_Sym){
		.st_name = name,
		.st_value = value,
		.st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1,
	};
}

/* The symbol of ELF_TEXT + 1, or "(none)". */
static const char *look_up(struct image *image)
{
	uint32_t offset;
	const char *name = image_symbol(image, ELF_TEXT + 1, &offset);

	return name ? name : "(none)";
}

static void expect(struct tables *tables, const char *expected, const char *name)
{
	struct image image;
	const char *found;

	open_image(&image, tables);
	found = look_up(&image);
	ok(strcmp(found, expected) == 0, "%s", name);
	image_free(&image);
}

/* --- work ------------------------------------------------------------------------------------- */

#define SYMBOLS 10000

/* Returns the CPU time of look-ups in a table of SYMBOLS symbols. Their names are the ends of one
 * string of this many bytes, of which the last is not printable. */
static double cost(size_t names_len)
{
	Elf32_Sym *symbols = calloc(SYMBOLS, sizeof *symbols);
	char *names = calloc(1, names_len + 2);
	struct timespec before, after;
	struct tables tables;
	struct image image;

	if (!symbols || !names)
		exit(1);
	memset(names + 1, 'x', names_len);
	names[names_len] = '\033';
	for (uint32_t i = 0; i < SYMBOLS; i++)
		symbols[i] = function(ELF_TEXT, 1 + i % (uint32_t)names_len);
	put_tables(&tables, symbols, SYMBOLS, names, names_len + 2);
	open_image(&image, &tables);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	for (unsigned i = 0; i < 3; i++)
		look_up(&image);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	image_free(&image);
	free(names);
	free(symbols);
	return (double)(after.tv_sec - before.tv_sec) * 1e9 +
	       (double)(after.tv_nsec - before.tv_nsec);
}

/* A look-up that read each name to its end would take 5 * 10^9 steps. */
static void test_work(void)
{
	double few = cost(1), many = cost(500000);

	ok(many < 100 * few, "names that share 500000 bytes: not 100 times the work of short ones");
	printf("# %.0f times\n", many / few);
}

/* --- names ------------------------------------------------------------------------------------ */

static void test_names(void)
{
	static char names[1 + SYMBOLS_NAME_MAX + 2 + 2];
	Elf32_Sym symbols[] = {function(ELF_TEXT, 1), function(ELF_TEXT + 1, 2)};
	struct tables tables;

	/* Symbol 0 has a name one byte too long, symbol 1 the rest of it. */
	memset(names + 1, 'n', SYMBOLS_NAME_MAX + 1);
	put_tables(&tables, symbols, 1, names, sizeof names);
	expect(&tables, "(none)", "a name over SYMBOLS_NAME_MAX is no name");
	put_tables(&tables, symbols, 2, names, sizeof names);
	expect(&tables, names + 2, "the longest name is one");

	put_tables(&tables, symbols, 1, "\0ab", 3);
	expect(&tables, "(none)", "a name without an end is no name");
	put_tables(&tables, symbols, 1, "\0a b\0", 5);
	expect(&tables, "(none)", "a name with a space is no name");
	put_tables(&tables, &(Elf32_Sym){0}, 1, "\0a", 3);
	expect(&tables, "(none)", "no symbol has a name");
	symbols[0].st_name = 3;
	put_tables(&tables, symbols, 1, "\0a", 3);
	expect(&tables, "(none)", "a name beyond the string table is no name");
	symbols[0].st_name = 4;
	put_tables(&tables, symbols, 1, "\0a \0b", 6);
	expect(&tables, "b", "a name behind an unusable one is usable");
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A section with "\0name\0" as zlib has it without compression: header, one stored block, checksum
 * (RFC 1950 and 1951). */
static void compress_names(struct tables *tables)
{
	static const uint8_t stream[] = {0x78, 0x01, 0x01, 6, 0, 0xf9, 0xff, 0, 'n', 'a', 'm', 'e',
		0, 0x05, 0xc1, 0x01, 0xa2};
	struct {
		Elf32_Chdr header;
		uint8_t stream[sizeof stream];
	} section = {{ELFCOMPRESS_ZLIB, 6, 1}, {0}};

	memcpy(section.stream, stream, sizeof stream);
	tables->sections[2].sh_offset = (Elf32_Off)append(tables, &section, sizeof section);
	tables->sections[2].sh_size = sizeof section.header + sizeof stream;
	tables->sections[2].sh_flags = SHF_COMPRESSED;
}

static void test_tables(void)
{
	static const char names[] = "\0name";
	const Elf32_Sym symbol = function(ELF_TEXT, 1);
	struct tables tables;

#define PUT() put_tables(&tables, &symbol, 1, names, sizeof names)
	PUT();
	expect(&tables, "name", "a sound table is read");
	PUT();
	compress_names(&tables);
	expect(&tables, "(none)", "a compressed string table is not");
	PUT();
	tables.sections[1].sh_flags = SHF_COMPRESSED;
	expect(&tables, "(none)", "nor a compressed symbol table");
	PUT();
	tables.sections[2].sh_size = SYMBOLS_NAMES_MAX - 1;
	expect(&tables, "(none)", "nor one that is not wholly in the file");
	PUT();
	tables.sections[2].sh_offset = 0xfffffff0;
	expect(&tables, "(none)", "nor one that lies behind it");
	PUT();
	tables.sections[2].sh_type = SHT_PROGBITS;
	expect(&tables, "(none)", "nor names in a section of another type");
	PUT();
	tables.sections[1].sh_link = 0xffff;
	expect(&tables, "(none)", "nor names in a section that does not exist");
	PUT();
	tables.sections[1].sh_entsize = 8;
	expect(&tables, "(none)", "nor symbols of another size");
	PUT();
	tables.sections[1].sh_size = SYMBOLS_TABLE_MAX + sizeof symbol;
	tables.len = 2 * SYMBOLS_TABLE_MAX;
	expect(&tables, "(none)", "nor more than SYMBOLS_TABLE_MAX bytes of a sparse file");
	PUT();
	tables.sections[3] = tables.sections[1];
	tables.sections[1].sh_type = SHT_NULL;
	expect(&tables, "name", "the table may be any section");
#undef PUT
}

int main(void)
{
	file_fd = memfd_create("symbols", MFD_CLOEXEC);
	snprintf(file_path, sizeof file_path, "/proc/self/fd/%d", file_fd);

	test_names();
	test_tables();
	test_work();
	close(file_fd);
	return tap_done();
}
