/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/elf.h"

#include <errno.h>
#include <gelf.h> /* and <libelf.h>, <elf.h> */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "io/file.h"
#include "log.h"

/* The name of a processor that is not x86, or NULL if there is none for it. */
static const char *foreign_machine(unsigned machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_SPARC, "SPARC"},
		{EM_68K, "m68k"},
		{EM_MIPS, "MIPS"},
		{EM_PARISC, "PA-RISC"},
		{EM_SPARC32PLUS, "SPARC"},
		{EM_PPC, "PowerPC"},
		{EM_PPC64, "64-bit PowerPC"},
		{EM_S390, "S/390"},
		{EM_ARM, "ARM"},
		{EM_SH, "SuperH"},
		{EM_SPARCV9, "64-bit SPARC"},
		{EM_IA_64, "IA-64"},
		{EM_VAX, "VAX"},
		{EM_AVR, "AVR"},
		{EM_OPENRISC, "OpenRISC"},
		{EM_ARC_COMPACT, "ARC"},
		{EM_XTENSA, "Xtensa"},
		{EM_ALTERA_NIOS2, "Nios II"},
		{EM_AARCH64, "AArch64"},
		{EM_MICROBLAZE, "MicroBlaze"},
		{EM_RISCV, "RISC-V"},
		{EM_LOONGARCH, "LoongArch"},
		{EM_ALPHA, "Alpha"},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (machine == names[i].machine)
			return names[i].name;
	return NULL;
}

/* The machine of an ELF header of either class, whose byte order EI_DATA tells. */
static unsigned machine_of(const unsigned char *header)
{
	const unsigned char *at = header + offsetof(Elf32_Ehdr, e_machine);

	return header[EI_DATA] == ELFDATA2MSB ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
}

/*
 * What kind of ELF, if any. libelf would refuse some of these too, but not say why; and it reads
 * what it takes for an archive.
 */
static int check_ident(const struct image *image, uint64_t len)
{
	unsigned char ident[offsetof(Elf32_Ehdr, e_version)] = {0};
	ssize_t n = file_read_some(image->fd, ident, sizeof ident, 0);
	unsigned machine = machine_of(ident);
	size_t header_len = ident[EI_CLASS] == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);

	if (n < 0) {
		say("%s: %s", image->path, error_text((int)-n));
		return (int)n;
	}
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		say("%s: not an ELF file", image->path);
	else if (len < sizeof(Elf32_Ehdr))
		say("%s: truncated: %u bytes, an ELF header has %zu", image->path, (unsigned)len,
			sizeof(Elf32_Ehdr));
	else if (foreign_machine(machine))
		say("%s: for %s processors; vole runs x86 code", image->path,
			foreign_machine(machine));
	else if (ident[EI_DATA] == ELFDATA2MSB)
		say("%s: a big-endian ELF; x86 is little-endian", image->path);
	else if (machine != EM_386 && machine != EM_X86_64)
		say("%s: for ELF's machine %u, not %u (i386) or %u (x86-64)", image->path, machine,
			EM_386, EM_X86_64);
	else if (ident[EI_CLASS] == ELFCLASS64 && image->kind == IMAGE_VOLE)
		say("%s: a 64-bit ELF; vole loads 32-bit ones (cc -m32)", image->path);
	else if (len < header_len)
		say("%s: truncated: %u bytes, a 64-bit ELF header has %zu", image->path,
			(unsigned)len, header_len);
	else if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		say("%s: ELF class %u, not 1 (32-bit)", image->path, ident[EI_CLASS]);
	else if (ident[EI_DATA] != ELFDATA2LSB)
		say("%s: ELF data encoding %u, not 1 (little-endian)", image->path, ident[EI_DATA]);
	else if (ident[EI_VERSION] != EV_CURRENT)
		say("%s: ELF version %u, not 1", image->path, ident[EI_VERSION]);
	else
		return 0;
	return -ENOEXEC;
}

/* libelf allocates some 200 bytes for each section that the file claims to have. e_shnum counts up
 * to SHN_LORESERVE - 1 of them; 0 means that a number of 32 bits is in the first section's header
 * (ELF specification, "ELF Header"). */
static int check_section_count(const struct image *image, uint64_t len)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} header = {.ident = {0}};
	size_t header_len = len < sizeof header ? (size_t)len : sizeof header;
	int err = file_read(image->fd, image->path, &header, header_len, 0);
	bool wide = header.ident[EI_CLASS] == ELFCLASS64;
	uint64_t offset = wide ? header.wide.e_shoff : header.narrow.e_shoff;

	if (err || offset == 0 || (wide ? header.wide.e_shnum : header.narrow.e_shnum) > 0)
		return err;
	say("%s: more than %u sections, or none but a section header table at 0x%" PRIx64,
		image->path, SHN_LORESERVE - 1, offset);
	return -ENOEXEC;
}

static int check_type(const struct image *image, unsigned type)
{
	switch (type) {
	case ET_EXEC:
		return 0;
	case ET_REL:
		say("%s: a relocatable object, not an executable; link it first", image->path);
		break;
	case ET_DYN:
		if (image->kind == IMAGE_MULTIBOOT)
			return 0;
		say("%s: a shared object or position-independent executable; "
		    "link with -static -no-pie",
			image->path);
		break;
	case ET_CORE:
		say("%s: a core dump, not an executable", image->path);
		break;
	default:
		say("%s: ELF type %u, not 2 (executable)", image->path, type);
	}
	return -ENOEXEC;
}

static int check_header(const struct image *image, const GElf_Ehdr *header, uint64_t len)
{
	bool wide = header->e_ident[EI_CLASS] == ELFCLASS64;
	unsigned machine = wide ? EM_X86_64 : EM_386;
	size_t entry_len = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	uint64_t table_len = (uint64_t)header->e_phnum * entry_len;
	int err = check_type(image, header->e_type);

	if (err)
		return err;
	if (header->e_machine != machine)
		say("%s: for machine %u, not %u (%s)", image->path, header->e_machine, machine,
			wide ? "x86-64" : "i386");
	else if (header->e_phnum == 0)
		say("%s: no loadable segment: there are no program headers", image->path);
	else if (header->e_phnum == PN_XNUM)
		say("%s: more than %u program headers", image->path, PN_XNUM - 1);
	else if (header->e_phentsize != entry_len)
		say("%s: program headers of %u bytes, not %zu", image->path, header->e_phentsize,
			entry_len);
	else if (table_len > len || header->e_phoff > len - table_len)
		say("%s: truncated: the program headers end at 0x%" PRIx64
		    ", the file at 0x%" PRIx64,
			image->path, header->e_phoff + table_len, len);
	else
		return 0;
	return -ENOEXEC;
}

static int check_segment(
	const struct image *image, unsigned index, const GElf_Phdr *header, uint64_t len)
{
	if (header->p_filesz > header->p_memsz)
		say("%s: program header %u: file size 0x%" PRIx64 " is over memory size 0x%" PRIx64,
			image->path, index, header->p_filesz, header->p_memsz);
	else if (header->p_filesz > len || header->p_offset > len - header->p_filesz)
		say("%s: truncated: program header %u: contents end at 0x%" PRIx64
		    ", the file at 0x%" PRIx64,
			image->path, index, header->p_offset + header->p_filesz, len);
	else if (header->p_paddr > UINT32_MAX || header->p_memsz > UINT32_MAX - header->p_paddr)
		say("%s: program header %u: 0x%" PRIx64 " bytes at 0x%" PRIx64 " reach over 4 GiB",
			image->path, index, header->p_memsz, header->p_paddr);
	else
		return 0;
	return -ENOEXEC;
}

static int unreadable(const struct image *image)
{
	say("%s: cannot read the ELF headers: %s", image->path, elf_errmsg(-1));
	return -ENOEXEC;
}

/* Add a segment where it belongs by address. */
static int add_segment(struct image *image, const struct image_segment *new)
{
	unsigned at = image->segment_count;
	struct image_segment *segments = image->segments;
	const struct image_segment *other = NULL;

	if (at == IMAGE_SEGMENTS_MAX) {
		say("%s: program header %u: more than %u loadable segments", image->path,
			new->header, IMAGE_SEGMENTS_MAX);
		return -ENOEXEC;
	}
	while (at > 0 && segments[at - 1].paddr > new->paddr)
		at--;
	if (at > 0 && new->paddr - segments[at - 1].paddr < segments[at - 1].memory_size)
		other = &segments[at - 1];
	else if (at < image->segment_count && segments[at].paddr - new->paddr < new->memory_size)
		other = &segments[at];
	if (other) {
		say("%s: program header %u: 0x%x-0x%x overlaps 0x%x-0x%x of program header %u",
			image->path, new->header, new->paddr, new->paddr + new->memory_size - 1,
			other->paddr, other->paddr + other->memory_size - 1, other->header);
		return -ENOEXEC;
	}
	memmove(segments + at + 1, segments + at, (image->segment_count - at) * sizeof *segments);
	segments[at] = *new;
	image->segment_count++;
	return 0;
}

static int read_segments(struct image *image, unsigned count, uint64_t len)
{
	for (unsigned i = 0; i < count; i++) {
		GElf_Phdr header;
		int err;

		if (!gelf_getphdr(image->elf, (int)i, &header))
			return unreadable(image);
		if (image->kind == IMAGE_VOLE &&
			(header.p_type == PT_INTERP || header.p_type == PT_DYNAMIC)) {
			say("%s: program header %u: dynamically linked (%s); link with -static",
				image->path, i, header.p_type == PT_INTERP ? "INTERP" : "DYNAMIC");
			return -ENOEXEC;
		}
		if (header.p_type != PT_LOAD)
			continue;
		err = check_segment(image, i, &header, len);
		if (!err && header.p_memsz > 0)
			err = add_segment(image, &(struct image_segment){
							 .header = i,
							 .paddr = (uint32_t)header.p_paddr,
							 .vaddr = header.p_vaddr,
							 .memory_size = (uint32_t)header.p_memsz,
							 .file_size = (uint32_t)header.p_filesz,
							 .offset = header.p_offset,
							 .writable = header.p_flags & PF_W,
							 .executable = header.p_flags & PF_X,
						 });
		if (err)
			return err;
	}
	if (image->segment_count == 0) {
		say("%s: no loadable segment", image->path);
		return -ENOEXEC;
	}
	return 0;
}

/* The segment that address lies in, by physical or by virtual addresses, or NULL. */
static const struct image_segment *segment_at(
	const struct image *image, uint64_t address, bool virtual)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (address - (virtual ? segment->vaddr : segment->paddr) < segment->memory_size)
			return segment;
	}
	return NULL;
}

int image_set_entry(struct image *image, uint32_t entry)
{
	const struct image_segment *segment = segment_at(image, entry, false);
	const struct image_segment *virtual = segment_at(image, entry, true);

	image->entry = entry;
	if (segment && segment->executable)
		return 0;
	if (segment)
		say("%s: entry point 0x%x is in program header %u, which is not executable",
			image->path, image->entry, segment->header);
	else if (virtual)
		say("%s: entry point 0x%x is a virtual address of program header %u, loaded at "
		    "0x%x; paging is off at entry, so it must be physical (0x%x)",
			image->path, image->entry, virtual->header, virtual->paddr,
			(uint32_t)(image->entry - virtual->vaddr + virtual->paddr));
	else
		say("%s: entry point 0x%x is in no loadable segment", image->path, image->entry);
	return -ENOEXEC;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Opens the file. 0 or -errno (said). */
static int open_file(struct image *image, const char *path, enum image_kind kind, uint64_t *len)
{
	*image = IMAGE_EMPTY;
	image->path = path;
	image->kind = kind;
	image->fd = file_open(path, len);
	return image->fd < 0 ? image->fd : 0;
}

/* Has libelf read the file's headers. Not ELF_C_READ_MMAP: it takes twice as long here, and a file
 * that shrinks under a mapping is a SIGBUS. */
static bool read_header(struct image *image, GElf_Ehdr *header)
{
	elf_version(EV_CURRENT);
	image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
	return gelf_getehdr(image->elf, header);
}

/* The entry point of the ELF header. Kernels for the higher half may name a virtual address there,
 * which Multiboot loaders translate; the others name a physical one. */
static int find_entry(struct image *image, uint64_t address)
{
	const struct image_segment *segment = segment_at(image, address, true);

	if (image->kind != IMAGE_MULTIBOOT)
		return image_set_entry(image, (uint32_t)address);
	image->entry = (uint32_t)address;
	if (segment)
		image->entry = (uint32_t)(address - segment->vaddr + segment->paddr);
	else
		segment = segment_at(image, address, false);
	if (segment)
		return 0;
	say("%s: entry point 0x%" PRIx64 " is in no loadable segment", image->path, address);
	return -ENOEXEC;
}

static int open_image(struct image *image, const char *path, enum image_kind kind)
{
	GElf_Ehdr header;
	uint64_t len = 0;
	int err = open_file(image, path, kind, &len);

	if (!err)
		err = check_ident(image, len);
	if (!err)
		err = check_section_count(image, len);
	if (err)
		return err;
	if (!read_header(image, &header))
		return unreadable(image);
	err = check_header(image, &header, len);
	if (!err)
		err = read_segments(image, header.e_phnum, len);
	return err || kind == IMAGE_PVH ? err : find_entry(image, header.e_entry);
}

int image_open(struct image *image, const char *path)
{
	return open_image(image, path, IMAGE_VOLE);
}

int image_open_pvh(struct image *image, const char *path)
{
	return open_image(image, path, IMAGE_PVH);
}

int image_open_multiboot(struct image *image, const char *path)
{
	return open_image(image, path, IMAGE_MULTIBOOT);
}

int image_open_segment(struct image *image, const char *path, const struct image_segment *segment)
{
	unsigned char ident[SELFMAG] = {0};
	GElf_Ehdr header;
	uint64_t len = 0;
	int err = open_file(image, path, IMAGE_MULTIBOOT, &len);

	if (err)
		return err;
	image->segments[image->segment_count++] = *segment;
	/* An ELF file may have symbols. libelf would take other files for archives. */
	file_read_some(image->fd, ident, sizeof ident, 0);
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return 0;
	err = check_section_count(image, len);
	if (!err && !read_header(image, &header))
		err = unreadable(image);
	return err;
}

int image_load_segment(const struct image *image, const struct image_segment *segment, void *dst)
{
	ssize_t n = file_read_some(image->fd, dst, segment->file_size, segment->offset);

	if (n < 0) {
		say("%s: program header %u: %s", image->path, segment->header, error_text((int)-n));
		return (int)n;
	}
	if ((size_t)n < segment->file_size) {
		say("%s: program header %u: 0x%zx bytes of 0x%x could be read; the file has "
		    "changed since it was opened",
			image->path, segment->header, (size_t)n, segment->file_size);
		return -EIO;
	}
	return 0;
}

static const struct symbols *symbols_of(struct image *image)
{
	if (!image->has_symbols && image->elf)
		symbols_read(&image->symbols, image->elf, image->fd);
	image->has_symbols = true;
	return &image->symbols;
}

const char *image_symbol(struct image *image, uint64_t address, uint32_t *offset)
{
	const struct image_segment *segment = segment_at(image, address, true);

	/* Symbols are virtual addresses. A kernel that runs elsewhere than it is linked has not
	 * turned on paging yet. */
	if (!segment) {
		segment = segment_at(image, address, false);
		if (!segment)
			return NULL;
		address = address - segment->paddr + segment->vaddr;
	}
	return symbols_find(symbols_of(image), segment->vaddr, address, offset);
}

int image_locate(const struct image *image, uint64_t vaddr, uint64_t *paddr)
{
	const struct image_segment *segment = segment_at(image, vaddr, true);

	if (!segment)
		return -EFAULT;
	*paddr = vaddr - segment->vaddr + segment->paddr;
	return 0;
}

void image_close(struct image *image)
{
	symbols_of(image);
	elf_end(image->elf);
	image->elf = NULL;
	file_close(&image->fd);
}

void image_free(struct image *image)
{
	symbols_free(&image->symbols);
	elf_end(image->elf);
	file_close(&image->fd);
	*image = IMAGE_EMPTY;
}
