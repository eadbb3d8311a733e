/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ELF_H
#define VMM_ELF_H

/*
 * Kernel images: ELF executables for x86, read with libelf: 32-bit ones, for vole's own boot
 * protocol; and 32- and 64-bit ones with an entry point for PVH in a note, as Linux has it.
 *
 * A segment is placed at its physical address (p_paddr), since paging is off at entry. A function
 * that refuses an image says on standard error what is wrong with which file, once, and returns a
 * negative errno. Sizes and addresses of an image are hostile input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/symbols.h"

#define IMAGE_SEGMENTS_MAX 32

struct image_segment {
	unsigned header; /* index of its program header */
	uint32_t paddr;
	uint64_t vaddr;       /* where symbols have it: paddr, but for kernels that will page */
	uint32_t memory_size; /* bytes, not 0; paddr + memory_size does not wrap */
	uint32_t file_size;   /* at most memory_size; the rest is zero */
	uint64_t offset;      /* in the file */
	bool writable, executable;
};

struct image {
	const char *path; /* not owned */
	int fd;           /* -1: empty */
	void *elf;        /* Elf *; libelf stays behind elf.c and symbols.c */
	bool is_pvh;
	bool has_symbols; /* symbols is valid, though perhaps empty */
	struct symbols symbols;
	uint32_t entry;
	unsigned segment_count;
	struct image_segment segments[IMAGE_SEGMENTS_MAX]; /* sorted by paddr, disjoint */
};

/* The state of an image before image_open() and after image_free(). */
#define IMAGE_EMPTY ((struct image){.fd = -1})

/*
 * Opens an image and validates everything that does not depend on the machine: it must be a
 * complete 32-bit little-endian x86 executable of type EXEC, with at least one loadable segment, no
 * two that overlap, and an entry point in an executable one. Segments of size 0 are left out.
 * Returns 0, or -errno: -ENOEXEC if the file is no such image, others from opening or reading it.
 * The caller calls image_free() whatever is returned.
 */
int image_open(struct image *image, const char *path);

/*
 * Opens an image with a PVH entry point, which becomes entry, and validates it as image_open()
 * does. The image is 32- or 64-bit, with p_paddr below 4 GiB in both cases. Data for a dynamic
 * linker is ignored, since FreeBSD's kernel has it.
 */
int image_open_pvh(struct image *image, const char *path);

/*
 * Looks for the entry point for PVH among ELF notes: Xen's note 18, XEN_ELFNOTE_PHYS32_ENTRY.
 *   0        *entry is set
 *   -ENOENT  there is none, and no other note of Xen's either
 *   -ENOEXEC Xen's notes have none
 *   -ERANGE  it is above 4 GiB
 */
int image_pvh_entry(const uint8_t *notes, size_t len, uint32_t *entry);

/*
 * Copies a segment's bytes from the file to dst, which has memory_size bytes and is all zero. Bytes
 * beyond file_size are not written, so .bss costs the host no memory. Returns 0 or -errno.
 */
int image_load_segment(const struct image *image, const struct image_segment *segment, void *dst);

/*
 * Returns what symbols_find() does for the segment that address lies in, and sets *offset. The
 * address is virtual or, if no segment has it so, physical. Returns NULL if there is no symbol. The
 * symbol table is read at the first call. The name is valid until image_free(). Not called from two
 * threads at once.
 */
const char *image_symbol(struct image *image, uint64_t address, uint32_t *offset);

void image_free(struct image *image);

#endif
