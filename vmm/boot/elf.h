/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ELF_H
#define VMM_ELF_H

/*
 * Kernel images: ELF executables for x86, read with libelf: 32-bit ones, for vole's own boot
 * protocol; and 32- and 64-bit ones with an entry point for PVH in a note, as Linux has it.
 *
 * A segment is placed at its physical address (p_paddr), since paging is off at entry. What cannot
 * be loaded is refused by name: each function says on standard error what is wrong with which file,
 * once, and returns a negative errno. Sizes and addresses of an image are hostile input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	void *elf;        /* Elf *; libelf stays behind elf.c */
	bool is_pvh;
	uint32_t entry;
	unsigned segment_count;
	struct image_segment segments[IMAGE_SEGMENTS_MAX]; /* sorted by paddr, disjoint */
};

/* The state of an image before image_open() and after image_free(). */
#define IMAGE_EMPTY ((struct image){.fd = -1})

/*
 * Open an image and judge all that does not depend on the machine: a 32-bit little-endian x86
 * executable of type EXEC, whole, with at least one loadable segment, none overlapping another, and
 * an entry point in an executable one. Segments of size 0 are left out. image is undone by
 * image_free() whatever is returned. 0, or -errno: -ENOEXEC for what the file is, others from
 * opening or reading it
 */
int image_open(struct image *image, const char *path);

/*
 * The same for an image with a PVH entry point, which becomes entry: 32- or 64-bit, with p_paddr
 * below 4 GiB all the same. What a dynamic linker is told is ignored: FreeBSD's kernel has that
 * too.
 */
int image_open_pvh(struct image *image, const char *path);

/*
 * Look for the entry point for PVH among ELF notes: Xen's note 18, XEN_ELFNOTE_PHYS32_ENTRY.
 *   0        *entry is set
 *   -ENOENT  there is none, and no other note of Xen's either
 *   -ENOEXEC Xen's notes have none
 *   -ERANGE  it is above 4 GiB
 */
int image_pvh_entry(const uint8_t *notes, size_t len, uint32_t *entry);

/*
 * Copy a segment's bytes from the file to dst, which has room for memory_size and is all zero (what
 * the file does not fill is not touched: .bss costs nothing). 0, or -errno
 */
int image_load_segment(const struct image *image, const struct image_segment *segment, void *dst);

/*
 * The symbol that address lies in, else the nearest one before it in the same segment; *offset is
 * the distance. Functions, objects, and what has no type (labels in assembly). The address is taken
 * as virtual or, if no segment has it so, as physical. NULL if there is none, or no symbol table;
 * the table is read at the first call. Valid until image_free(). Not from two threads at once.
 */
const char *image_symbol(const struct image *image, uint64_t address, uint32_t *offset);

void image_free(struct image *image);

#endif
