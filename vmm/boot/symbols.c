/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/symbols.h"

#include <gelf.h> /* and <libelf.h>, <elf.h> */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"

/* --- reading ---------------------------------------------------------------------------------- */

/* Reads the bytes of a section that are in the file as they are: libelf would decompress others to
 * whatever size they claim. Returns NULL, or a buffer of header->sh_size bytes, to be freed. */
static void *read_section(int fd, const GElf_Shdr *header, size_t size_max)
{
	struct stat file;
	ssize_t n = -1;
	void *bytes;

	if (header->sh_flags & SHF_COMPRESSED || header->sh_size == 0 ||
		header->sh_size > size_max || fstat(fd, &file) < 0 ||
		header->sh_size > (uint64_t)file.st_size)
		return NULL;
	bytes = malloc((size_t)header->sh_size);
	if (bytes)
		n = file_read_some(fd, bytes, (size_t)header->sh_size, header->sh_offset);
	if (n >= 0 && (uint64_t)n == header->sh_size)
		return bytes;
	free(bytes);
	return NULL;
}

/* Names go to people's terminals: nothing but printable ASCII, so no escape sequences. */
static bool is_plain(char c)
{
	return c > ' ' && c <= '~';
}

/*
 * Overwrites each byte that begins no usable name: names end with the next NUL, so one pass from
 * the end to the start knows of every byte what follows it. A look-up then has to see only the
 * first byte of a name.
 */
static void drop_unusable_names(char *names, size_t size)
{
	bool is_usable = false;
	size_t len = 0;

	while (size-- > 0) {
		if (names[size] == '\0') {
			is_usable = true;
			len = 0;
			continue;
		}
		is_usable = is_usable && is_plain(names[size]) && ++len <= SYMBOLS_NAME_MAX;
		if (!is_usable)
			names[size] = '\n';
	}
}

/* Finds the header of the first section of type SHT_SYMTAB. */
static bool find_table(Elf *elf, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, header) && header->sh_type == SHT_SYMTAB)
			return true;
	return false;
}

void symbols_read(struct symbols *symbols, void *elf, int fd)
{
	size_t entry_size =
		gelf_getclass(elf) == ELFCLASS64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	GElf_Shdr table, names;

	*symbols = SYMBOLS_EMPTY;
	if (!find_table(elf, &table) || table.sh_entsize != entry_size ||
		!gelf_getshdr(elf_getscn(elf, table.sh_link), &names) ||
		names.sh_type != SHT_STRTAB)
		return;
	symbols->table = read_section(fd, &table, SYMBOLS_TABLE_MAX);
	symbols->names = read_section(fd, &names, SYMBOLS_NAMES_MAX);
	if (!symbols->table || !symbols->names) {
		symbols_free(symbols);
		return;
	}
	symbols->entry_size = entry_size;
	symbols->count = (size_t)table.sh_size / entry_size;
	symbols->names_size = (size_t)names.sh_size;
	drop_unusable_names(symbols->names, symbols->names_size);
}

bool symbols_entry_is_valid(size_t size)
{
	return size == sizeof(Elf32_Sym) || size == sizeof(Elf64_Sym);
}

void symbols_clean(struct symbols *symbols)
{
	drop_unusable_names(symbols->names, symbols->names_size);
}

void symbols_free(struct symbols *symbols)
{
	free(symbols->table);
	free(symbols->names);
	*symbols = SYMBOLS_EMPTY;
}

/* --- looking up ------------------------------------------------------------------------------- */

static Elf64_Sym symbol_at(const struct symbols *symbols, size_t index)
{
	const void *entry = symbols->table + index * symbols->entry_size;
	const Elf32_Sym *narrow = entry;

	if (symbols->entry_size == sizeof(Elf64_Sym))
		return *(const Elf64_Sym *)entry;
	return (Elf64_Sym){
		.st_name = narrow->st_name,
		.st_info = narrow->st_info,
		.st_shndx = narrow->st_shndx,
		.st_value = narrow->st_value,
		.st_size = narrow->st_size,
	};
}

/* Returns whether a symbol names a place from start to address. */
static bool is_candidate(
	const struct symbols *symbols, const Elf64_Sym *symbol, uint64_t start, uint64_t address)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE) &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       symbol->st_value - start <= address - start &&
	       symbol->st_name < symbols->names_size && is_plain(symbols->names[symbol->st_name]);
}

/* Returns whether a names address better than b: it covers it, else is nearer, else a person's
 * choice. */
static bool is_better(const Elf64_Sym *a, const Elf64_Sym *b, uint64_t address)
{
	bool a_covers = address - a->st_value < a->st_size;
	bool b_covers = address - b->st_value < b->st_size;

	if (a_covers != b_covers)
		return a_covers;
	if (a->st_value != b->st_value)
		return a->st_value > b->st_value;
	if ((ELF64_ST_TYPE(a->st_info) == STT_NOTYPE) != (ELF64_ST_TYPE(b->st_info) == STT_NOTYPE))
		return ELF64_ST_TYPE(b->st_info) == STT_NOTYPE;
	return ELF64_ST_BIND(a->st_info) != STB_LOCAL && ELF64_ST_BIND(b->st_info) == STB_LOCAL;
}

const char *symbols_find(
	const struct symbols *symbols, uint64_t start, uint64_t address, uint32_t *offset)
{
	const char *name = NULL;
	Elf64_Sym best = {0};

	for (size_t i = 0; i < symbols->count; i++) {
		Elf64_Sym symbol = symbol_at(symbols, i);

		if (!is_candidate(symbols, &symbol, start, address) ||
			(name && !is_better(&symbol, &best, address)))
			continue;
		best = symbol;
		name = symbols->names + symbol.st_name;
	}
	if (name)
		*offset = (uint32_t)(address - best.st_value);
	return name;
}
