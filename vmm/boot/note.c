/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/note.h"

#include <elf.h>
#include <string.h>

#include "io/file.h"

/* Of notes behind the head of a file. They mostly lie far behind the headers. */
#define FILE_NOTES_MAX 4096

static size_t aligned(size_t len)
{
	return (len + 3) / 4 * 4;
}

bool note_next(const uint8_t **notes, size_t *len, struct note *note)
{
	Elf32_Nhdr header; /* the same in files of 64 bits */
	size_t size;

	if (*len < sizeof header)
		return false;
	memcpy(&header, *notes, sizeof header);
	if (header.n_namesz > NOTES_MAX || header.n_descsz > NOTES_MAX)
		return false;
	size = sizeof header + aligned(header.n_namesz) + aligned(header.n_descsz);
	if (size > *len)
		return false;
	note->type = header.n_type;
	note->name_len = header.n_namesz;
	note->value_len = header.n_descsz;
	note->name = *notes + sizeof header;
	note->value = note->name + aligned(header.n_namesz);
	*notes += size;
	*len -= size;
	return true;
}

bool note_is_of(const struct note *note, const char *owner)
{
	size_t size = strlen(owner) + 1;

	return note->name_len == size && memcmp(note->name, owner, size) == 0;
}

static bool test_at(const struct boot_file *file, uint64_t offset, uint64_t size,
	bool (*test)(const uint8_t *notes, size_t len))
{
	uint8_t notes[FILE_NOTES_MAX];
	ssize_t len;

	if (offset <= file->head_len && size <= file->head_len - offset)
		return test(file->head + offset, (size_t)size);
	len = file_read_some(file->fd, notes, size < sizeof notes ? size : sizeof notes, offset);
	return len > 0 && test(notes, (size_t)len);
}

static bool any32(const struct boot_file *file, bool (*test)(const uint8_t *notes, size_t len))
{
	Elf32_Ehdr header;
	Elf32_Phdr segment;

	memcpy(&header, file->head, sizeof header);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		uint64_t at = header.e_phoff + (uint64_t)i * sizeof segment;

		if (at > file->head_len - sizeof segment)
			break;
		memcpy(&segment, file->head + at, sizeof segment);
		if (segment.p_type == PT_NOTE &&
			test_at(file, segment.p_offset, segment.p_filesz, test))
			return true;
	}
	return false;
}

static bool any64(const struct boot_file *file, bool (*test)(const uint8_t *notes, size_t len))
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	memcpy(&header, file->head, sizeof header);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		uint64_t at = (uint64_t)i * sizeof segment;

		if (header.e_phoff > file->head_len ||
			at + sizeof segment > file->head_len - header.e_phoff)
			break;
		memcpy(&segment, file->head + header.e_phoff + at, sizeof segment);
		if (segment.p_type == PT_NOTE &&
			test_at(file, segment.p_offset, segment.p_filesz, test))
			return true;
	}
	return false;
}

bool note_any(const struct boot_file *file, bool (*test)(const uint8_t *notes, size_t len))
{
	if (file->head_len < sizeof(Elf64_Ehdr) || memcmp(file->head, ELFMAG, SELFMAG) != 0)
		return false;
	return file->head[EI_CLASS] == ELFCLASS64 ? any64(file, test) : any32(file, test);
}
