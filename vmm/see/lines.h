/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINES_H
#define VMM_LINES_H

/*
 * The line table of an ELF file: which source line each instruction comes from, by the line
 * programs of DWARF 2 to 5 (DWARF 5, 6.2), and the functions of its symbol table. lines_program.c
 * executes one program.
 *
 * The file is hostile input: time and memory are bounded by its size, LINES_ROWS_MAX and
 * LINES_FILES_MAX.
 */

#include "see/lines_table.h"

#define LINES_EMPTY ((struct lines){.files = NULL})

/*
 * Reads the line table of a file. lines_free() undoes it in any state.
 *   0         it has one
 *   -ENODATA  it has none that can be read; *why tells why, in words
 *   other     -errno
 */
int lines_read(struct lines *lines, const char *path, const char **why);
void lines_free(struct lines *lines);

/* Returns the row of an address, or NULL if there is none with a line. */
const struct lines_row *lines_find(const struct lines *lines, uint64_t address);

#endif
