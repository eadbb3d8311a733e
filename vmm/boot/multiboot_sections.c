/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/multiboot_sections.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error_text.h"
#include "io/file.h"
#include "log.h"

#define SECTION_ALIGN 16u

/* What both classes of ELF have in a section header. */
struct section {
	uint32_t type;
	uint64_t flags, offset, size, address;
};

static struct section get_section(const struct multiboot_sections *sections, uint32_t index)
{
	const uint8_t *at = sections->headers + (size_t)index * sections->entry_size;
	Elf32_Shdr narrow;
	Elf64_Shdr wide;

	if (sections->entry_size == sizeof wide) {
		memcpy(&wide, at, sizeof wide);
		return (struct section){
			wide.sh_type, wide.sh_flags, wide.sh_offset, wide.sh_size, wide.sh_addr};
	}
	memcpy(&narrow, at, sizeof narrow);
	return (struct section){
		narrow.sh_type, narrow.sh_flags, narrow.sh_offset, narrow.sh_size, narrow.sh_addr};
}

static void set_address(struct multiboot_sections *sections, uint32_t index, uint32_t address)
{
	uint8_t *at = sections->headers + (size_t)index * sections->entry_size;
	const uint64_t wide = address;

	if (sections->entry_size == sizeof(Elf64_Shdr))
		memcpy(at + offsetof(Elf64_Shdr, sh_addr), &wide, sizeof wide);
	else
		memcpy(at + offsetof(Elf32_Shdr, sh_addr), &address, sizeof address);
}

/* Whether vole loads the section: a table of symbols or strings that is no part of the program. */
static bool is_loaded(const struct section *section)
{
	return (section->type == SHT_SYMTAB || section->type == SHT_STRTAB) &&
	       !(section->flags & SHF_ALLOC) && section->size > 0;
}

/* --- reading the headers ---------------------------------------------------------------------- */

/* Where the section headers are in the file. */
struct table {
	uint64_t offset;
	uint32_t count, entry_size, names;
};

/* Finds the table of an ELF file; count is 0 if there is none, or this is no ELF file. 0 or -errno
 * (said). */
static int find_table(const struct image *image, struct table *table)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} header = {{0}};
	bool is_wide;
	ssize_t n = file_read_some(image->fd, &header, sizeof header, 0);

	*table = (struct table){.count = 0};
	if (n < 0) {
		say("%s: %s", image->path, error_text((int)-n));
		return (int)n;
	}
	if (n < (ssize_t)sizeof header.narrow || memcmp(header.ident, ELFMAG, SELFMAG) != 0)
		return 0;
	is_wide = header.ident[EI_CLASS] == ELFCLASS64;
	if (is_wide)
		*table = (struct table){header.wide.e_shoff, header.wide.e_shnum,
			header.wide.e_shentsize, header.wide.e_shstrndx};
	else
		*table = (struct table){header.narrow.e_shoff, header.narrow.e_shnum,
			header.narrow.e_shentsize, header.narrow.e_shstrndx};
	if (table->count == 0 ||
		table->entry_size == (is_wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		return 0;
	say("%s: section headers of %u bytes", image->path, table->entry_size);
	return -ENOEXEC;
}

static int read_headers(
	struct multiboot_sections *sections, const struct image *image, uint64_t file_size)
{
	struct table table;
	int ret = find_table(image, &table);
	uint64_t len = (uint64_t)table.count * table.entry_size;

	if (ret < 0 || table.count == 0)
		return ret;
	if (len > file_size || table.offset > file_size - len) {
		say("%s: truncated: the section headers end at 0x%" PRIx64
		    ", the file at 0x%" PRIx64,
			image->path, table.offset + len, file_size);
		return -ENOEXEC;
	}
	sections->headers = malloc(len);
	if (!sections->headers) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	ret = file_read(image->fd, image->path, sections->headers, len, table.offset);
	if (ret < 0)
		return ret;
	sections->count = table.count;
	sections->entry_size = table.entry_size;
	sections->names = table.names;
	return 0;
}

/* Finds a place for a section that is loaded. 0 or -ENOEXEC (said). */
static int place_section(struct multiboot_sections *sections, const struct image *image,
	uint32_t index, uint64_t file_size, uint64_t *end)
{
	struct section section = get_section(sections, index);
	const uint64_t limit = UINT64_C(1) << 32;
	uint64_t base = (*end + SECTION_ALIGN - 1) / SECTION_ALIGN * SECTION_ALIGN;

	if (section.size > file_size || section.offset > file_size - section.size) {
		say("%s: truncated: section %u ends at 0x%" PRIx64 ", the file at 0x%" PRIx64,
			image->path, index, section.offset + section.size, file_size);
		return -ENOEXEC;
	}
	if (base > limit || section.size > limit - base) {
		say("%s: section %u, %" PRIu64 " bytes of symbols, does not fit between 0x%" PRIx64
		    " and 4 GiB",
			image->path, index, section.size, *end);
		return -ENOEXEC;
	}
	set_address(sections, index, (uint32_t)base);
	*end = base + section.size;
	return 0;
}

int multiboot_sections_read(
	struct multiboot_sections *sections, const struct image *image, uint64_t *end)
{
	struct stat st;
	int ret;

	*sections = MULTIBOOT_SECTIONS_EMPTY;
	if (fstat(image->fd, &st) < 0) {
		ret = -errno;
		say("%s: %s", image->path, error_text(-ret));
		return ret;
	}
	ret = read_headers(sections, image, (uint64_t)st.st_size);
	for (uint32_t i = 0; ret == 0 && i < sections->count; i++) {
		struct section section = get_section(sections, i);

		if (is_loaded(&section))
			ret = place_section(sections, image, i, (uint64_t)st.st_size, end);
	}
	return ret;
}

/* --- loading ---------------------------------------------------------------------------------- */

int multiboot_sections_load(
	const struct multiboot_sections *sections, const struct image *image, uint8_t *host)
{
	for (uint32_t i = 0; i < sections->count; i++) {
		struct section section = get_section(sections, i);
		int ret = 0;

		if (is_loaded(&section))
			ret = file_read(image->fd, image->path, host + section.address,
				section.size, section.offset);
		if (ret < 0)
			return ret;
	}
	return 0;
}

void multiboot_sections_free(struct multiboot_sections *sections)
{
	free(sections->headers);
	*sections = MULTIBOOT_SECTIONS_EMPTY;
}
