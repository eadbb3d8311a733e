/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SYMBOLS_H
#define VMM_SYMBOLS_H

/*
 * The symbol table of an ELF file, 32- or 64-bit, for looking up addresses.
 *
 * The file is hostile input. Memory is bounded by the file's size and by SYMBOLS_TABLE_MAX and
 * SYMBOLS_NAMES_MAX; reading takes time linear in the tables' sizes, and a look-up time linear in
 * the number of symbols, however long their names are and however many share a name's bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest tables that are read, in bytes: several times those of Linux. */
#define SYMBOLS_TABLE_MAX (16u << 20)
#define SYMBOLS_NAMES_MAX (64u << 20)

/* The longest name that a look-up returns, in bytes. */
#define SYMBOLS_NAME_MAX 1023

struct symbols {
	uint8_t *table; /* Elf32_Sym or Elf64_Sym, by entry_size; NULL: empty */
	size_t entry_size, count;
	char *names; /* the string table; a byte that begins no usable name is no printable one */
	size_t names_size;
};

#define SYMBOLS_EMPTY ((struct symbols){.table = NULL})

/*
 * Reads the first symbol table (section type SHT_SYMTAB; the ELF specification permits one) and its
 * string table. elf is an Elf * of libelf, fd its file. The table stays empty if the file has none,
 * if one of the two is compressed, too large, damaged or not wholly in the file, or for want of
 * memory. Nothing is said. The caller calls symbols_free().
 */
void symbols_read(struct symbols *symbols, void *elf, int fd);

/*
 * Returns the name of the symbol that address lies in, else of the nearest one before it but not
 * before start, and sets *offset to the distance. Symbols are functions, objects, and those without
 * a type (labels in assembly), with a name of at most SYMBOLS_NAME_MAX printable ASCII characters
 * without spaces. Returns NULL if there is none. The name is valid until symbols_free().
 */
const char *symbols_find(
	const struct symbols *symbols, uint64_t start, uint64_t address, uint32_t *offset);

void symbols_free(struct symbols *symbols);

/* For tables that come from elsewhere: returns whether entries can have this size, in bytes; and
 * has the names, which may be anything, be such as symbols_read() leaves. */
bool symbols_entry_is_valid(size_t size);
void symbols_clean(struct symbols *symbols);

#endif
