/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ELF_MAKE_H
#define TESTS_ELF_MAKE_H

/*
 * Small ELF files, good and broken, made in memory. Each kind is the good one with one thing
 * changed, so that what refuses it is that one thing.
 */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* Where the good one has its segments, both of them with virtual = physical addresses. */
#define ELF_TEXT 0x100000u /* read, execute: mov $7, %eax; ret */
#define ELF_DATA 0x102000u /* read, write: sizeof data bytes from the file, then zeros */

#define ELF_TEXT_HEADER 0 /* their program headers */
#define ELF_DATA_HEADER 1
#define ELF_DATA_MEMORY 0x1000u

/* The file, byte for byte, up to len. */
struct elf_file {
	Elf32_Ehdr header;
	Elf32_Phdr segments[40]; /* all but the third loadable; three are in use */
	uint8_t text[0x40], data[0x20];
	Elf32_Sym symbols[12];
	char strings[112];
	Elf32_Shdr sections[3];

	uint32_t len;
};

#define ELF_FILE_LEN offsetof(struct elf_file, len)

enum elf_outcome {
	ELF_LOADS,
	ELF_BAD_IMAGE,     /* image_open() refuses it */
	ELF_BAD_PLACEMENT, /* memory_map_build() refuses it with 64 MiB of RAM */
};

/* A field of struct elf_file that has another value than in the good one. */
struct elf_change {
	size_t offset, size; /* size 0: none */
	uint32_t value;
};

struct elf_kind {
	const char *name;
	enum elf_outcome outcome;
	const char *refusal; /* what is said, after the file's name */
	struct elf_change changes[4];
};

/* Every kind; the first is the good one. The last one has no name. */
extern const struct elf_kind elf_kinds[];

/* The kind of this name, or NULL. */
const struct elf_kind *elf_kind_find(const char *name);

void elf_make(struct elf_file *file, const struct elf_kind *kind);

#endif
