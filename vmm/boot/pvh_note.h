/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PVH_NOTE_H
#define VMM_PVH_NOTE_H

/*
 * The ELF note that names an entry point for PVH (Xen's public/elfnote.h). Notes are hostile input.
 */

#include <stddef.h>
#include <stdint.h>

#include "boot/elf.h"

/*
 * Looks for the entry point for PVH among ELF notes: Xen's note 18, XEN_ELFNOTE_PHYS32_ENTRY.
 *   0        *entry is set
 *   -ENOENT  there is none, and no other note of Xen's either
 *   -ENOEXEC Xen's notes have none
 *   -ERANGE  it is above 4 GiB
 */
int image_pvh_entry(const uint8_t *notes, size_t len, uint32_t *entry);

/* Sets the entry point of an image that image_open_pvh() opened to that of its notes. Returns 0 or
 * -errno (said): -ENOEXEC if there is none or it is not in an executable segment. */
int image_find_pvh_entry(struct image *image);

#endif
