/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/pvh_note.h"

#include <errno.h>
#include <gelf.h> /* and <libelf.h>, <elf.h> */
#include <stdlib.h>
#include <string.h>

#include "boot/note.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"

/* Xen's public/elfnote.h */
#define XEN_NOTE_PHYS32_ENTRY 18

int image_pvh_entry(const uint8_t *notes, size_t len, uint32_t *entry)
{
	bool found_xen = false;
	struct note note;

	while (note_next(&notes, &len, &note)) {
		uint64_t value = 0;

		if (!note_is_of(&note, "Xen"))
			continue;
		found_xen = true;
		if (note.type == XEN_NOTE_PHYS32_ENTRY &&
			(note.value_len == 4 || note.value_len == 8)) {
			memcpy(&value, note.value, note.value_len);
			*entry = (uint32_t)value;
			return value > UINT32_MAX ? -ERANGE : 0;
		}
	}
	return found_xen ? -ENOEXEC : -ENOENT;
}

/* What notes at this place have: as image_pvh_entry(), or -EIO (said). */
static int read_notes(const struct image *image, const GElf_Phdr *header, uint32_t *entry)
{
	size_t len = header->p_filesz < NOTES_MAX ? (size_t)header->p_filesz : NOTES_MAX;
	uint8_t *notes = malloc(len);
	ssize_t n = -ENOMEM;
	int err;

	if (notes)
		n = file_read_some(image->fd, notes, len, header->p_offset);
	if (n < 0) {
		say("%s: %s", image->path, error_text((int)-n));
		err = -EIO;
	} else {
		err = image_pvh_entry(notes, (size_t)n, entry);
	}
	free(notes);
	return err;
}

/* What the notes of a program header have, if it has any: as image_pvh_entry(), or -EIO (said). */
static int read_header_notes(const struct image *image, size_t index, uint32_t *entry)
{
	GElf_Phdr header;

	if (!gelf_getphdr(image->elf, (int)index, &header)) {
		say("%s: cannot read the ELF headers: %s", image->path, elf_errmsg(-1));
		return -EIO;
	}
	if (header.p_type != PT_NOTE || header.p_filesz == 0)
		return -ENOENT;
	return read_notes(image, &header, entry);
}

int image_find_pvh_entry(struct image *image)
{
	int best = -ENOENT;
	size_t count = 0;
	uint32_t entry;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		int err = read_header_notes(image, i, &entry);

		if (err == 0)
			return image_set_entry(image, entry);
		if (err == -EIO)
			return err;
		if (err != -ENOENT)
			best = err;
	}
	say("%s: no entry point for PVH%s", image->path,
		best == -ERANGE    ? " below 4 GiB"
		: best == -ENOEXEC ? ", though there are other notes for Xen"
				   : ": no note 18 of Xen's (Linux: CONFIG_PVH)");
	return -ENOEXEC;
}
