/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_NOTE_H
#define VMM_NOTE_H

/*
 * ELF notes (System V ABI, "Note Section"): words that name an owner and a type, by which a kernel
 * says what it is for. They are hostile input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot.h"

#define NOTES_MAX (64u << 10) /* bytes of notes that are looked at; kernels have some hundred */

/* One note; pointers are into the bytes that it was read from. */
struct note {
	uint32_t type, name_len, value_len;
	const uint8_t *name, *value;
};

/* Reads the note at *notes, which has *len bytes, and moves both behind it. False if there is no
 * whole note. */
bool note_next(const uint8_t **notes, size_t *len, struct note *note);

/* Returns whether the note's owner is this string. */
bool note_is_of(const struct note *note, const char *owner);

/* Returns whether test says so of the notes of any of the program headers that are in file->head,
 * of an ELF file of either class, or of the first 4096 bytes of notes that are not in there. */
bool note_any(const struct boot_file *file, bool (*test)(const uint8_t *notes, size_t len));

#endif
