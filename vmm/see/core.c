/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/core.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/page_ranges.h"
#include "cpu/register_bits.h"
#include "io/file.h"
#include "layout.h"
#include "see/core_notes.h"

/* A file that is being written. */
struct writer {
	int fd;
	const struct core *core;
	bool is_wide; /* an ELF file of 64 bits */
	unsigned range_count;
	struct page_range *ranges; /* of all address spaces */
	size_t head_size;          /* ELF header, program headers and notes */
	uint64_t data;             /* where RAM begins in the file */
};

/* --- headers ---------------------------------------------------------------------------------- */

/* Where RAM is in the file; gpa lies in a region. Regions follow each other without gaps. */
static uint64_t offset_of(const struct writer *writer, gpa_t gpa)
{
	const struct gmem *gmem = writer->core->gmem;
	uint64_t offset = writer->data;

	for (unsigned i = 0; i < gmem->count; i++) {
		const struct gmem_region *region = &gmem->regions[i];

		if (gpa - region->base < region->size)
			return offset + (gpa - region->base);
		offset += region->size;
	}
	return offset;
}

static unsigned header_count(const struct writer *writer)
{
	return 1 + writer->range_count + writer->core->gmem->count;
}

/* Appends a program header of either size. */
static void put_header(const struct writer *writer, uint8_t **to, const Elf64_Phdr *header)
{
	const Elf32_Phdr narrow = {
		.p_type = header->p_type,
		.p_offset = (Elf32_Off)header->p_offset,
		.p_vaddr = (Elf32_Addr)header->p_vaddr,
		.p_paddr = (Elf32_Addr)header->p_paddr,
		.p_filesz = (Elf32_Word)header->p_filesz,
		.p_memsz = (Elf32_Word)header->p_memsz,
		.p_flags = header->p_flags,
		.p_align = (Elf32_Word)header->p_align,
	};
	const void *from = writer->is_wide ? (const void *)header : &narrow;
	size_t size = writer->is_wide ? sizeof *header : sizeof narrow;

	memcpy(*to, from, size);
	*to += size;
}

static void put_load(
	const struct writer *writer, uint8_t **to, uint64_t linear, gpa_t gpa, uint64_t size)
{
	const Elf64_Phdr header = {
		.p_type = PT_LOAD,
		.p_offset = offset_of(writer, gpa),
		.p_vaddr = linear,
		.p_paddr = gpa,
		.p_filesz = size,
		.p_memsz = size,
		.p_flags = PF_R | PF_W | PF_X,
		.p_align = PAGE_SIZE,
	};

	put_header(writer, to, &header);
}

static void put_file_header(const struct writer *writer, uint8_t **to)
{
	Elf64_Ehdr wide = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			writer->is_wide ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = writer->is_wide ? EM_X86_64 : EM_386,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof wide,
		.e_ehsize = sizeof wide,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)header_count(writer),
	};
	Elf32_Ehdr narrow = {
		.e_type = wide.e_type,
		.e_machine = wide.e_machine,
		.e_version = wide.e_version,
		.e_phoff = sizeof narrow,
		.e_ehsize = sizeof narrow,
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = wide.e_phnum,
	};
	const void *from = writer->is_wide ? (const void *)&wide : &narrow;
	size_t size = writer->is_wide ? sizeof wide : sizeof narrow;

	memcpy(narrow.e_ident, wide.e_ident, sizeof narrow.e_ident);
	memcpy(*to, from, size);
	*to += size;
}

/* All that is before RAM in the file. NULL: no memory. The caller frees it. */
static uint8_t *make_head(const struct writer *writer)
{
	size_t notes_size = core_notes_size(writer->core, writer->is_wide);
	const struct gmem *gmem = writer->core->gmem;
	uint8_t *head = calloc(1, writer->head_size), *to = head;
	const Elf64_Phdr note = {
		.p_type = PT_NOTE,
		.p_offset = writer->head_size - notes_size,
		.p_filesz = notes_size,
		.p_align = 4,
	};

	if (!head)
		return NULL;
	put_file_header(writer, &to);
	put_header(writer, &to, &note);
	for (unsigned i = 0; i < writer->range_count; i++) {
		const struct page_range *range = &writer->ranges[i];

		put_load(writer, &to, range->linear, range->gpa, range->size);
	}
	for (unsigned i = 0; i < gmem->count; i++)
		put_load(writer, &to, gmem->regions[i].base, gmem->regions[i].base,
			gmem->regions[i].size);
	core_notes_put(writer->core, writer->is_wide, to);
	return head;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool shares_address_space(const struct cpu_registers *a, const struct cpu_registers *b)
{
	return a->cr0 == b->cr0 && a->cr3 == b->cr3 && a->cr4 == b->cr4 && a->efer == b->efer;
}

/* The ranges of the address spaces, each once. */
static void find_ranges(struct writer *writer, bool *is_cut)
{
	const struct core *core = writer->core;

	for (unsigned i = 0; i < core->cpu_count; i++) {
		const struct cpu_registers *registers = &core->cpus[i].registers;
		unsigned same = 0;
		bool cut;

		while (!shares_address_space(&core->cpus[same].registers, registers))
			same++;
		if (same < i)
			continue;
		writer->range_count += page_ranges_find(core->gmem, registers,
			writer->ranges + writer->range_count, CORE_RANGES_MAX - writer->range_count,
			&cut);
		*is_cut |= cut;
	}
}

static bool is_wide(const struct core *core)
{
	for (unsigned i = 0; i < core->cpu_count; i++)
		if (core->cpus[i].registers.efer & X86_EFER_LMA)
			return true;
	return false;
}

static void lay_out(struct writer *writer)
{
	size_t ehdr = writer->is_wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t phdr = writer->is_wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	writer->head_size =
		ehdr + phdr * header_count(writer) + core_notes_size(writer->core, writer->is_wide);
	writer->data = page_up(writer->head_size);
}

static int write_all(const struct writer *writer)
{
	const struct gmem *gmem = writer->core->gmem;
	uint8_t *head = make_head(writer);
	uint64_t offset = writer->data;
	int ret = head ? 0 : -ENOMEM;

	if (ret == 0 && ftruncate(writer->fd, 0) < 0)
		ret = -errno;
	for (unsigned i = 0; ret == 0 && i < gmem->count; i++) {
		const struct gmem_region *region = &gmem->regions[i];

		ret = file_write_pages(writer->fd, region->host, region->size, offset);
		offset += region->size;
	}
	if (ret == 0 && ftruncate(writer->fd, (off_t)offset) < 0)
		ret = -errno;
	/* Last, so that a file that is not whole has no header. */
	if (ret == 0)
		ret = file_write(writer->fd, head, writer->head_size, 0);
	if (ret < 0)
		(void)!ftruncate(writer->fd, 0);
	free(head);
	return ret;
}

int core_write(int fd, const struct core *core, bool *is_cut)
{
	struct writer writer = {.fd = fd, .core = core, .is_wide = is_wide(core)};
	int ret = -ENOMEM;

	*is_cut = false;
	writer.ranges = calloc(CORE_RANGES_MAX, sizeof *writer.ranges);
	if (writer.ranges) {
		find_ranges(&writer, is_cut);
		lay_out(&writer);
		ret = write_all(&writer);
	}
	free(writer.ranges);
	return ret;
}
