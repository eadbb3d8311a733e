/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ELF_H
#define VMM_ELF_H

/*
 * Kernel images: ELF executables for x86, read with libelf: 32-bit ones, for vole's own boot
 * protocol; and 32- and 64-bit ones, for Multiboot or with an entry point for PVH in a note.
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

/* The boot protocol that an image is validated for. */
enum image_kind { IMAGE_VOLE, IMAGE_PVH, IMAGE_MULTIBOOT };

struct image {
	const char *path; /* not owned */
	int fd;           /* -1: empty or closed */
	void *elf; /* Elf *; libelf stays behind elf.c and its like; NULL: no ELF file, or closed */
	enum image_kind kind;
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
 * Opens an image for PVH and validates it as image_open() does, but leaves the entry point to
 * image_set_entry(). The image is 32- or 64-bit, with p_paddr below 4 GiB in both cases. Data for a
 * dynamic linker is ignored, since FreeBSD's kernel has it.
 */
int image_open_pvh(struct image *image, const char *path);

/* Sets the entry point, a physical address. Returns 0, or -ENOEXEC (said) if it is not in an
 * executable segment. */
int image_set_entry(struct image *image, uint32_t entry);

/*
 * Opens an image for Multiboot and validates it as image_open() does, but as leniently as other
 * loaders: 32- or 64-bit, of type EXEC or DYN, not relocated; the entry point is in any segment and
 * may be one of its virtual addresses, which is translated.
 */
int image_open_multiboot(struct image *image, const char *path);

/*
 * Opens a file of any kind of which one part is loaded: segment, which the caller has validated
 * against the file's size. The entry point is left 0. Returns 0, or -errno (said): from opening it,
 * or -ENOEXEC if it is an ELF file whose header cannot be read.
 */
int image_open_segment(struct image *image, const char *path, const struct image_segment *segment);

/*
 * Copies a segment's bytes from the file to dst, which has memory_size bytes and is all zero. Bytes
 * beyond file_size are not written, so .bss costs the host no memory. Returns 0 or -errno.
 */
int image_load_segment(const struct image *image, const struct image_segment *segment, void *dst);

/*
 * Returns what symbols_find() does for the segment that address lies in, and sets *offset. The
 * address is virtual or, if no segment has it so, physical. Returns NULL if there is no symbol. The
 * symbol table is read at the first call or by image_close(). The name is valid until
 * image_free(). Not called from two threads at once.
 */
const char *image_symbol(struct image *image, uint64_t address, uint32_t *offset);

/* Sets *paddr to the physical address of a virtual one. Returns 0, or -EFAULT if no segment has it.
 */
int image_locate(const struct image *image, uint64_t vaddr, uint64_t *paddr);

/*
 * Reads the symbol table, whatever its size, and closes the file: from here on only image_symbol(),
 * image_locate() and image_free() may be called. To read it now costs the start some 40 ns a
 * symbol, 0.6 ms for a Linux kernel; and a report names what the kernel was that runs, not what the
 * file is by then.
 */
void image_close(struct image *image);

void image_free(struct image *image);

#endif
