/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "see/lines_program.h"
#include "see/sort.h"

/* --- rows ------------------------------------------------------------------------------------- */

/* An end comes before what begins at its address. Otherwise rows of an address keep their order. */
static int compare_rows(const void *a, const void *b)
{
	const struct lines_row *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (int)y->is_end - (int)x->is_end;
}

const struct lines_row *lines_find(const struct lines *lines, uint64_t address)
{
	size_t low = 0, high = lines->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lines->rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || lines->rows[low - 1].is_end || lines->rows[low - 1].line == 0)
		return NULL;
	return &lines->rows[low - 1];
}

/* --- functions -------------------------------------------------------------------------------- */

static int compare_functions(const void *a, const void *b)
{
	const struct lines_function *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int read_functions(struct lines *lines, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	lines->functions = calloc(count + 1, sizeof *lines->functions);
	if (!lines->functions)
		return -ENOMEM;
	for (size_t i = 0; i < count && gelf_getsym(data, (int)i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
		struct lines_function *function = &lines->functions[lines->function_count];

		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
			!name || !name[0])
			continue;
		function->address = symbol.st_value;
		function->name = strdup(name);
		if (!function->name)
			return -ENOMEM;
		lines->function_count++;
	}
	return sort(lines->functions, lines->function_count, sizeof *lines->functions,
		compare_functions);
}

/* --- the file --------------------------------------------------------------------------------- */

/* Takes the bytes of a section, unless they are compressed. */
static void take_section(Elf_Scn *section, const GElf_Shdr *header, const char *name,
	struct lines_sections *sections, bool *is_compressed)
{
	struct lines_section *to = strcmp(name, ".debug_line") == 0       ? &sections->line
				   : strcmp(name, ".debug_line_str") == 0 ? &sections->line_str
				   : strcmp(name, ".debug_str") == 0      ? &sections->str
									  : NULL;
	Elf_Data *data;

	if (!to || header->sh_type == SHT_NOBITS)
		return;
	if (header->sh_flags & SHF_COMPRESSED) {
		*is_compressed = true;
		return;
	}
	data = elf_rawdata(section, NULL);
	if (data && data->d_buf)
		*to = (struct lines_section){data->d_buf, data->d_size};
}

static int read_elf(struct lines *lines, Elf *elf, const char **why)
{
	struct lines_sections sections = {.line = {NULL, 0}};
	bool is_compressed = false;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;
	int ret = 0;

	*why = "no ELF file with sections";
	if (elf_getshdrstrndx(elf, &names) != 0)
		return -ENODATA;
	while (ret == 0 && (section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name)
			take_section(section, &header, name, &sections, &is_compressed);
		if (name && header.sh_type == SHT_SYMTAB && !lines->functions)
			ret = read_functions(lines, elf, section, &header);
	}
	*why = is_compressed ? "its line table is compressed; objcopy --decompress-debug-sections"
			     : "no line table; compile it with -g";
	if (ret == 0)
		ret = is_compressed || !sections.line.bytes ? -ENODATA
							    : lines_run_programs(lines, &sections);
	if (ret == 0)
		ret = lines->row_count > 0 ? sort(lines->rows, lines->row_count,
						     sizeof *lines->rows, compare_rows)
					   : -ENODATA;
	return ret;
}

int lines_read(struct lines *lines, const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret = fd < 0 ? -errno : -ENODATA;
	Elf *elf;

	*lines = LINES_EMPTY;
	*why = "no ELF file";
	if (fd < 0)
		return ret;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		ret = read_elf(lines, elf, why);
	elf_end(elf);
	close(fd);
	return ret;
}

void lines_free(struct lines *lines)
{
	for (unsigned i = 0; i < lines->file_count; i++)
		free(lines->files[i]);
	for (size_t i = 0; i < lines->function_count; i++)
		free(lines->functions[i].name);
	free(lines->files);
	free(lines->file_table);
	free(lines->rows);
	free(lines->functions);
	*lines = LINES_EMPTY;
}
